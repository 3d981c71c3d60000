import Volumes
import Work

/// An image's noise inside structures and its intensity step at their borders.
///
/// Both are medians, so that details and some wrong borders do not change them. The noise is about 0.8 of the standard
/// deviation of intensities deep inside labelled livers, left atria and hippocampi.
package struct ImageContrast: Hashable, Sendable {
  /// Standard deviation of the noise in intensity units.
  ///
  /// Estimated from second differences x(p-2) - 2 x(p) + x(p+2) along each axis, all three voxels in one structure.
  /// Slow changes cancel, and noise that is correlated between neighbours is not underestimated.
  package let noise: Double
  /// The median step across borders in intensity units; each side is the mean of the second and third voxel from the
  /// border, beyond partial volumes.
  ///
  /// It is nil where no border has these voxels.
  package let edge: Double?
  /// The lower quartile of the steps; nil where ``edge`` is nil.
  package let weakEdge: Double?

  /// The contrast of the structures that `labels` separates.
  ///
  /// Where no structure is wide enough to estimate the noise, all voxels strictly within the range are used. Large
  /// volumes are sampled at even distances.
  ///
  /// - Parameters:
  ///   - voxels: Intensities, i fastest.
  ///   - labels: One class per voxel, 0 for background.
  ///   - range: The range that intensities are clipped to.
  /// - Returns: nil when no voxel has neighbours two voxels away on some axis, or all voxels are equal.
  package init?(voxels: [Float], labels: [UInt16], size: GridSize, range: ClosedRange<Float>) {
    precondition(voxels.count == size.voxelCount && labels.count == size.voxelCount, "\(size)")
    let rows = Rows(size: size, voxels: voxels, labels: labels, range: range)
    var noise = rows.secondDifferences {
      labels[$0] != 0 && labels[$0] == labels[$1] && labels[$0] == labels[$2]
    }
    if noise.count < 100 {
      noise = rows.secondDifferences { one, middle, other in
        [one, middle, other].allSatisfy { voxels[$0] > range.lowerBound && voxels[$0] < range.upperBound }
      }
    }
    noise.sort()
    guard !noise.isEmpty else { return nil }
    // 0.6745 is the median of |x| for x of variance 1; the difference has six times the variance of a voxel.
    let middle = noise[noise.count / 2]
    let typical = middle > 0 ? middle : noise.reduce(0, +) / Float(noise.count)
    guard typical > 0, typical.isFinite else { return nil }
    self.noise = Double(typical) / 0.6745 / 6.0.squareRoot()
    let steps = rows.borderSteps().filter(\.isFinite).sorted()
    edge = steps.isEmpty ? nil : Double(steps[steps.count / 2])
    weakEdge = steps.isEmpty ? nil : Double(steps[steps.count / 4])
  }
}

/// Samples of a volume along each axis.
private struct Rows {
  let size: GridSize
  let voxels: [Float]
  let labels: [UInt16]
  let range: ClosedRange<Float>
  private static let sampleCount = 70_000

  /// Calls `body` for at most about `maximumCount` voxels that have `before` voxels before and `after` voxels after them
  /// along `axis`.
  private func forEachSample(
    along axis: Int, before: Int, after: Int, maximumCount: Int, _ body: (_ offset: Int, _ step: Int) -> Void
  ) {
    let step = [1, size.i, size.i * size.j][axis]
    // An odd stride visits every position of a row.
    let stride = (size.voxelCount / maximumCount) | 1
    for offset in Swift.stride(from: 0, to: size.voxelCount, by: stride) {
      let position = offset / step % size[axis]
      if position >= before, position + after < size[axis] { body(offset, step) }
    }
  }

  private func clipped(_ offset: Int) -> Float {
    min(max(voxels[offset], range.lowerBound), range.upperBound)
  }

  /// |x(p-2) - 2 x(p) + x(p+2)| where `belong` accepts the three offsets.
  func secondDifferences(_ belong: (Int, Int, Int) -> Bool) -> [Float] {
    var found: [Float] = []
    // A structure may be a small part of the volume, so that many more voxels are sampled than are needed.
    for axis in 0..<3 where size[axis] > 4 {
      forEachSample(along: axis, before: 2, after: 2, maximumCount: 20 * Self.sampleCount) { middle, step in
        let (one, other) = (middle - 2 * step, middle + 2 * step)
        if belong(one, middle, other) {
          found.append(abs(clipped(one) - 2 * clipped(middle) + clipped(other)))
        }
      }
    }
    return found
  }

  /// |inside - outside| between voxels p and p + 1 of different labels, each side of one label for three voxels.
  func borderSteps() -> [Float] {
    var found: [Float] = []
    for axis in 0..<3 where size[axis] > 5 {
      forEachSample(along: axis, before: 2, after: 3, maximumCount: 60 * Self.sampleCount) { voxel, step in
        let (inner, outer) = (labels[voxel], labels[voxel + step])
        guard inner != outer, labels[voxel - step] == inner, labels[voxel - 2 * step] == inner,
          labels[voxel + 2 * step] == outer, labels[voxel + 3 * step] == outer
        else { return }
        let own = clipped(voxel - step) + clipped(voxel - 2 * step)
        found.append(abs(own - clipped(voxel + 2 * step) - clipped(voxel + 3 * step)) / 2)
      }
    }
    return found
  }
}
