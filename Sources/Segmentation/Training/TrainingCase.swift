import Volumes

/// The images of a case and their classes on the working grid, from which crops are sampled.
package struct TrainingCase: Sendable {
  /// The class of voxels outside the image, which the loss ignores.
  package static let ignoredClass: UInt8 = 255

  /// The class of unlabelled voxels inside the image, which the loss ignores too.
  package static let unlabelledClass: UInt8 = 254

  /// The name of the case: that of its image's file without the ending.
  package var name: String
  /// Voxels of the working grid.
  package var size: GridSize
  /// Normalised intensities of each image, [channel, k, j, i], i fastest.
  package var intensities: [Float]
  /// Class of each voxel, background 0.
  package var classes: [UInt8]
  /// Memory offsets of voxels of each foreground class, at most 4096 each, at even distances.
  package var foreground: [[Int]]

  /// Images of the case: input channels of the network.
  package var channelCount: Int { intensities.count / size.voxelCount }

  /// Whether no voxel has any of the structures.
  package var isNegative: Bool { foreground.allSatisfy(\.isEmpty) }

  /// A case; `classes` has `size.voxelCount` elements, and `intensities` as many for each channel.
  package init(name: String, size: GridSize, intensities: [Float], classes: [UInt8], classCount: Int) {
    precondition(!intensities.isEmpty && intensities.count.isMultiple(of: size.voxelCount))
    precondition(classes.count == size.voxelCount)
    self.name = name
    self.size = size
    self.intensities = intensities
    self.classes = classes
    var offsets = [[Int]](repeating: [], count: max(classCount - 1, 0))
    for (offset, value) in classes.enumerated() where value > 0 && Int(value) < classCount {
      offsets[Int(value) - 1].append(offset)
    }
    foreground = offsets.map { all in
      guard all.count > 4096 else { return all }
      return (0..<4096).map { all[$0 * all.count / 4096] }
    }
  }
}
