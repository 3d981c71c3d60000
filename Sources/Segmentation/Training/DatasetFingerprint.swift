import Volumes
import Work

/// The fingerprint of a data set of labelled cases: shapes and intensities, from which training defaults are derived
/// (as in nnU-Net).
package struct DatasetFingerprint: Sendable, Equatable {
  /// Size and spacing of one case along the network's axes.
  package struct Shape: Sendable, Equatable {
    /// The size in voxels.
    package var size: GridSize
    /// Millimetres per voxel.
    package var spacing: Spacing

    /// Millimetres along each axis.
    package var extentMillimetres: [Double] { (0..<3).map { Double(size[$0]) * spacing[$0] } }

    /// Voxels on a grid of the spacing `spacing`.
    package func size(at spacing: Spacing) -> GridSize {
      let voxels = (0..<3).map { max(1, Int(saturating: (extentMillimetres[$0] / spacing[$0]).rounded())) }
      return GridSize(voxels[0], voxels[1], voxels[2])
    }
  }

  /// The intensities of one image.
  package struct Intensities: Sendable, Equatable {
    /// The smallest and the largest of all voxels.
    package var smallest, largest: Float
    /// Intensities of labelled voxels at even distances, at most ``DatasetFingerprint/sampleCount``.
    package var labelled: [Float]
  }

  /// The maximum number of sampled labelled voxels of one image.
  package static let sampleCount = 20_000

  /// The shapes of all cases.
  package private(set) var shapes: [Shape] = []
  /// The intensities of the cases that were read, the images of each channel by themselves.
  package private(set) var intensities: [[Intensities]] = []

  /// The fingerprint of an empty data set.
  package init() {}

  /// Adds a case's shape along the axes of `orientation`.
  package mutating func add(_ grid: VolumeGrid, orientation: Orientation) {
    let own = ReorientedGrid(grid, orientation: orientation).grid
    shapes.append(Shape(size: own.size, spacing: own.spacing))
  }

  /// Adds the intensities of a case's images, one for each channel, whose labels are on the same grid; voxels with one of
  /// `codes` are labelled.
  /// - Complexity: O(voxels).
  package mutating func add(_ images: [ScalarVolume], labels: LabelVolume, codes: [UInt16]) {
    var isLabelled = [Bool](repeating: false, count: 65536)
    for code in codes { isLabelled[Int(code)] = true }
    let offsets = labels.voxels.indices.filter { isLabelled[Int(labels.voxels[$0])] }
    let count = min(offsets.count, Self.sampleCount)
    if intensities.isEmpty { intensities = images.map { _ in [] } }
    precondition(images.count == intensities.count, "another number of channels")
    for (channel, image) in images.enumerated() {
      precondition(image.voxels.count == labels.voxels.count, "labels of another grid")
      var (smallest, largest) = (Float.infinity, -Float.infinity)
      image.voxels.forEachPiece { piece in
        for value in piece {
          smallest = min(smallest, value)
          largest = max(largest, value)
        }
      }
      intensities[channel].append(
        Intensities(
          smallest: smallest, largest: largest,
          labelled: (0..<count).map { image.voxels[offsets[$0 * offsets.count / count]] }))
    }
  }
}
