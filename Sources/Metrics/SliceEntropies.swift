import Foundation
import Volumes
import Work

/// The mean entropy of class probabilities in each slice across each axis of a grid.
///
/// The entropy of a voxel is -Σ p ln p over its classes, divided by its maximum, the logarithm of the number of
/// classes: 0 where one class is certain, 1 where all are equally probable.
package struct SliceEntropies: Equatable, Sendable {
  /// The mean of each slice, by axis.
  package let means: [[Double]]

  /// Means of the slices across three axes.
  package init(means: [[Double]]) {
    precondition(means.count == 3, "\(means.count) axes")
    self.means = means
  }

  /// The local maxima of the means across an axis, the largest first; equal ones by ascending index.
  ///
  /// Of equal neighbouring slices, only the first is a maximum. A slice with entropy 0 is no maximum, so the result may
  /// be empty.
  /// - Complexity: O(n log n).
  package func peaks(across axis: Int) -> [Int] {
    let means = means[axis]
    let peaks = means.indices.filter { slice in
      guard means[slice] > 0 else { return false }
      if slice > 0, means[slice - 1] >= means[slice] { return false }
      // A plateau ends below, or at the end of the image.
      return means[slice...].first { $0 != means[slice] }.map { $0 < means[slice] } ?? true
    }
    return peaks.sorted { (means[$1], $0) < (means[$0], $1) }
  }

  /// The means of a reoriented grid, by the axes of the original grid.
  package func restored(from grid: ReorientedGrid) -> SliceEntropies {
    var restored = means
    for axis in 0..<3 {
      let isFlipped = grid.reorientation.isFlipped[axis]
      restored[grid.reorientation.oldAxes[axis]] = isFlipped ? means[axis].reversed() : means[axis]
    }
    return SliceEntropies(means: restored)
  }
}

/// Adds up the entropies of a grid's voxels, plane by plane.
package struct SliceEntropySums: Sendable {
  private let size: GridSize
  private var sums: [[Double]]

  /// Sums of no plane yet.
  package init(_ size: GridSize) {
    self.size = size
    sums = (0..<3).map { [Double](repeating: 0, count: size[$0]) }
  }

  /// Adds the entropies of all voxels of plane k, i fastest.
  package mutating func add(plane k: Int, _ entropies: UnsafeBufferPointer<Float>) {
    precondition(entropies.count == size.i * size.j, "\(entropies.count) voxels of a plane of \(size)")
    var rows = [Double](repeating: 0, count: size.j)
    let size = size
    sums[0].withUnsafeMutableBufferPointer { columns in
      for j in 0..<size.j {
        for i in 0..<size.i {
          let entropy = Double(entropies[j * size.i + i])
          columns[i] += entropy
          rows[j] += entropy
        }
      }
    }
    for j in 0..<size.j { sums[1][j] += rows[j] }
    sums[2][k] += rows.reduce(0, +)
  }

  /// The means over all voxels of each slice.
  package var means: SliceEntropies {
    let counts = [size.j * size.k, size.i * size.k, size.i * size.j]
    return SliceEntropies(means: zip(sums, counts).map { sums, count in sums.map { $0 / Double(count) } })
  }
}

/// The entropy of each of many voxels whose class probabilities are given class by class.
package struct VoxelEntropies {
  /// -Σ p ln p so far, and the sum of all p.
  private var entropies, sums: [Float]
  private let classCount: Int

  /// The tolerance of a probability beyond 0...1, and of the sum of a voxel's probabilities around 1.
  private static let tolerance: Float = 0.01

  /// No probabilities yet of `count` voxels; there are two classes at least.
  /// - Throws: `Cancelled` where memory does not hold them.
  package init(count: Int, classCount: Int) throws(Cancelled) {
    precondition(classCount >= 2, "\(classCount) classes")
    entropies = try [Float](checkedRepeating: 0, count: count)
    sums = try [Float](checkedRepeating: 0, count: count)
    self.classCount = classCount
  }

  /// Adds the probabilities of one class in consecutive voxels, from the voxel `first` on.
  package mutating func add(_ probabilities: UnsafeBufferPointer<Float>, from first: Int) {
    let tolerance = VoxelEntropies.tolerance
    entropies.withUnsafeMutableBufferPointer { entropies in
      sums.withUnsafeMutableBufferPointer { sums in
        for (offset, probability) in probabilities.enumerated() {
          // An invalid value must not be compensated by another one in the sum.
          sums[first + offset] += abs(probability - 0.5) <= 0.5 + tolerance ? probability : .infinity
          if probability > 0, probability < 1 { entropies[first + offset] -= probability * log(probability) }
        }
      }
    }
  }

  /// The first voxel whose values are not probabilities: outside 0...1, or with a sum other than 1; nil for none.
  package var firstInvalidVoxel: Int? {
    sums.firstIndex { !(abs($0 - 1) <= VoxelEntropies.tolerance) }
  }

  /// The entropies of the voxels as fractions of the maximum, after all classes were added.
  package consuming func fractions() -> [Float] {
    let scale = 1 / log(Float(classCount))
    var fractions = entropies
    for offset in fractions.indices { fractions[offset] = min(1, fractions[offset] * scale) }
    return fractions
  }
}

extension SliceEntropies {
  /// Means of entropies of every voxel of a grid of this size, i fastest.
  package init(_ entropies: [Float], on size: GridSize) {
    var sums = SliceEntropySums(size)
    let planeCount = size.i * size.j
    entropies.withUnsafeBufferPointer { entropies in
      for k in 0..<size.k {
        sums.add(plane: k, UnsafeBufferPointer(rebasing: entropies[k * planeCount..<(k + 1) * planeCount]))
      }
    }
    self = sums.means
  }
}
