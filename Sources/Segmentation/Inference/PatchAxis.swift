import Foundation
import Networks
import Volumes

/// The patches of an image along one axis.
///
/// The weight of a patch is a product of weights along the axes and patches form a grid, so that the weighted mean is a product
/// too: along each axis the fractions that patches contribute to a voxel add up to 1, and sums need no division.
package struct PatchAxis: Hashable, Sendable {
  /// Voxels of the image.
  package let size: Int
  /// Voxels of a patch.
  package let extent: Int
  /// The first voxel of each patch, ascending; below 0 where the image is smaller than a patch.
  package let starts: [Int]
  /// For each patch the fraction that each of its voxels contributes to the mean, 0 outside the image.
  package let fractions: [[Float]]

  /// Patches at even distances of at most `step` extents, rounded to whole voxels, the first and the last at the image's ends.
  package init(size: Int, extent: Int, step: Double, weights: PatchTiling.Weights) {
    self.size = size
    self.extent = extent
    let starts = Self.starts(size: size, extent: extent, step: step)
    self.starts = starts
    let weights = Self.weights(weights, extent: extent)
    var sums = [Double](repeating: 0, count: size)
    for start in starts {
      for offset in 0..<extent where (0..<size).contains(start + offset) {
        sums[start + offset] += weights[offset]
      }
    }
    fractions = starts.map { start in
      (0..<extent).map { offset in
        (0..<size).contains(start + offset) ? Float(weights[offset] / sums[start + offset]) : 0
      }
    }
  }

  /// The patches of an image of `size` along `axis` of the network.
  init(_ axis: Axis, of size: GridSize, in tiling: PatchTiling) {
    self.init(
      size: size.voxels(along: axis), extent: axis(tiling.extent), step: tiling.step, weights: tiling.weights)
  }

  /// The voxels of the image in patch `index`.
  package func voxels(ofPatch index: Int) -> Range<Int> {
    (starts[index]..<starts[index] + extent).clamped(to: 0..<size)
  }

  /// The voxels of the image that patch `index` and those before it contribute to, and no later one.
  package func finishedVoxels(ofPatch index: Int) -> Range<Int> {
    let voxels = voxels(ofPatch: index)
    return voxels.lowerBound..<(index + 1 < starts.count ? starts[index + 1] : voxels.upperBound)
  }

  private static func starts(size: Int, extent: Int, step: Double) -> [Int] {
    guard size > extent else { return [-((extent - size) / 2)] }
    // Distances below a voxel would only repeat patches.
    let largest = max(1, Double(extent) * step)
    let last = Int(saturating: (Double(size - extent) / largest).rounded(.up))
    let distance = Double(size - extent) / Double(last)
    return (0...last).map { Int(saturating: (Double($0) * distance).rounded(.toNearestOrEven)) }
  }

  /// The weights of a patch's voxels, 1 at most.
  private static func weights(_ weights: PatchTiling.Weights, extent: Int) -> [Double] {
    switch weights {
    case .constant: return [Double](repeating: 1, count: extent)
    case .gaussian:
      let deviation = Double(extent) / 8
      return (0..<extent).map { offset in
        let distance = Double(offset - extent / 2) / deviation
        return exp(-distance * distance / 2)
      }
    }
  }
}
