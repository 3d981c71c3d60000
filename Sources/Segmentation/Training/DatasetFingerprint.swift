import Volumes
import Work

/// What a set of labelled cases looks like: what the defaults of a training are found from.
package struct DatasetFingerprint: Sendable, Equatable {
  /// Extents and spacing of one case along the network's axes.
  package struct Shape: Sendable, Equatable {
    /// Voxels.
    package var size: GridSize
    /// Millimetres per voxel.
    package var spacing: Spacing

    /// Millimetres along each axis.
    package var extentMillimetres: [Double] { (0..<3).map { Double(size[$0]) * spacing[$0] } }

    /// Voxels on a grid of another spacing.
    package func size(at spacing: Spacing) -> GridSize {
      let voxels = (0..<3).map { max(1, Int(saturating: (extentMillimetres[$0] / spacing[$0]).rounded())) }
      return GridSize(voxels[0], voxels[1], voxels[2])
    }
  }

  /// Intensities of one image.
  package struct Intensities: Sendable, Equatable {
    /// The smallest and the largest of all voxels.
    package var smallest, largest: Float
    /// Those of labelled voxels, at most ``DatasetFingerprint/sampleCount``, spread evenly.
    package var labelled: [Float]
  }

  /// The most labelled voxels that are kept of one image.
  package static let sampleCount = 20_000

  /// Every case.
  package private(set) var shapes: [Shape] = []
  /// Some of the cases, as many as were looked at.
  package private(set) var intensities: [Intensities] = []

  /// Whether an image of these extremes counts as CT.
  package static func looksLikeHounsfieldUnits(smallest: Float, largest: Float) -> Bool {
    smallest <= -100 && largest >= 50 && largest <= 20_000
  }

  /// A survey of nothing.
  package init() {}

  /// Notes a case's grid along the axes of `orientation`.
  package mutating func add(_ grid: VolumeGrid, orientation: Orientation) {
    let own = ReorientedGrid(grid, orientation: orientation).grid
    shapes.append(Shape(size: own.size, spacing: own.spacing))
  }

  /// Notes the intensities of an image whose labels lie voxel upon voxel; `codes` count as labelled.
  package mutating func add(_ image: ScalarVolume, labels: LabelVolume, codes: [UInt16]) {
    precondition(image.voxels.count == labels.voxels.count, "labels of another grid")
    var isLabelled = [Bool](repeating: false, count: 65536)
    for code in codes { isLabelled[Int(code)] = true }
    var (smallest, largest) = (Float.infinity, -Float.infinity)
    for value in image.voxels {
      smallest = min(smallest, value)
      largest = max(largest, value)
    }
    let offsets = labels.voxels.indices.filter { isLabelled[Int(labels.voxels[$0])] }
    let count = min(offsets.count, Self.sampleCount)
    intensities.append(
      Intensities(
        smallest: smallest, largest: largest,
        labelled: (0..<count).map { image.voxels[offsets[$0 * offsets.count / count]] }))
  }
}
