import Foundation
import Volumes
import Work

/// The class probabilities of a network's version, on the network's own grid.
package struct VersionProbabilities: Equatable, Sendable {
  /// The probabilities of each class.
  package let volume: ProbabilityVolume
  /// The label of each class, 0 for background.
  package let labelValues: [UInt16]
  /// The change of the network's continuous voxel index for one voxel along each axis of the image, and the network's
  /// index of the image's first voxel.
  private let steps: [SIMD3<Double>]
  private let start: SIMD3<Double>

  /// Probabilities for an image on `grid`; `labelValues` has a label for each class.
  package init(_ volume: ProbabilityVolume, labelValues: [UInt16], on grid: VolumeGrid) {
    precondition(labelValues.count == volume.classCount, "\(labelValues.count) labels")
    self.volume = volume
    self.labelValues = labelValues
    func own(_ index: VoxelIndex) -> SIMD3<Double> {
      volume.grid.affine.continuousIndex(grid.affine.world(index))
    }
    let first = own(VoxelIndex(0, 0, 0))
    start = first
    steps = [VoxelIndex(1, 0, 0), VoxelIndex(0, 1, 0), VoxelIndex(0, 0, 1)].map { own($0) - first }
  }

  /// The voxels of the network along one voxel of the image in the direction of an axis.
  func voxels(alongAxis axis: Int) -> Double { (steps[axis] * steps[axis]).sum().squareRoot() }

  /// The class of a label; nil where the network does not know it.
  package func position(of value: UInt16) -> Int? { labelValues.firstIndex(of: value) }

  /// The probability of each class at a continuous voxel index of the image, by trilinear interpolation; outside the
  /// network's grid, the probabilities at its border.
  /// - Complexity: O(classes).
  package func probabilities(at index: SIMD3<Double>) -> [Double] {
    let position = interpolation(at: index)
    let count = volume.grid.size.voxelCount
    return volume.values.withUnsafeBufferPointer { values in
      (0..<volume.classCount).map { position.value(values, from: $0 * count) }
    }
  }

  /// The probability of one class at a continuous voxel index of the image, as ``probabilities(at:)``.
  package func probability(of position: Int, at index: SIMD3<Double>) -> Double {
    let first = position * volume.grid.size.voxelCount
    return volume.values.withUnsafeBufferPointer { interpolation(at: index).value($0, from: first) }
  }

  /// The entropy of the classes' probabilities divided by its maximum: 0 where one class is certain, 1 where all are
  /// equally probable.
  /// - Complexity: O(classes).
  package func entropy(at index: SIMD3<Double>) -> Double {
    let position = interpolation(at: index)
    let count = volume.grid.size.voxelCount
    let sum = volume.values.withUnsafeBufferPointer { values in
      (0..<volume.classCount).reduce(0.0) { sum, index in
        let probability = position.value(values, from: index * count)
        return sum - (probability > 0 ? probability * log(probability) : 0)
      }
    }
    return min(max(0, sum / log(Double(max(2, volume.classCount)))), 1)
  }

  /// The trilinear interpolation at a continuous voxel index of the image, clamped to the network's grid.
  private func interpolation(at index: SIMD3<Double>) -> TrilinearInterpolation {
    let own = start + index.x * steps[0] + index.y * steps[1] + index.z * steps[2]
    var interpolation = TrilinearInterpolation()
    var stride = 1
    for axis in 0..<3 {
      let last = volume.grid.size[axis] - 1
      let position = min(max(own[axis], 0), Double(last))
      let lower = min(Int(saturating: position), max(0, last - 1))
      interpolation.offset += lower * stride
      interpolation.strides[axis] = last > 0 ? stride : 0
      interpolation.fractions[axis] = position - Double(lower)
      stride *= last + 1
    }
    return interpolation
  }
}

/// A position between eight voxels.
private struct TrilinearInterpolation {
  /// The offset of the voxel with the lowest indices.
  var offset = 0
  /// The offset to the next voxel along each axis; 0 where the axis has one voxel.
  var strides = SIMD3<Int>(0, 0, 0)
  /// The position between the two voxels along each axis, 0 to 1.
  var fractions = SIMD3<Double>(0, 0, 0)

  /// The trilinearly interpolated value of a class whose first voxel is element `first`.
  func value(_ values: UnsafeBufferPointer<Float>, from first: Int) -> Double {
    var sum = 0.0
    for corner in 0..<8 {
      var weight = 1.0
      var element = first + offset
      for axis in 0..<3 {
        let isUpper = corner >> axis & 1 == 1
        weight *= isUpper ? fractions[axis] : 1 - fractions[axis]
        if isUpper { element += strides[axis] }
      }
      if weight > 0 { sum += weight * Double(values[element]) }
    }
    return sum
  }
}
