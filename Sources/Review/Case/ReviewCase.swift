import Volumes

/// An image with the masks that were opened beside it.
package struct ReviewCase: Equatable, Sendable {
  /// What the screen and exported files call it: the image's file name without its format's suffix.
  package var name: String
  /// The image's file or folder, as a full path.
  package var imagePath: String
  /// The image, or the frame of it that is shown.
  package var image: ScalarVolume
  /// Which frame that is, and how many there are.
  package var frame = 0
  package var frameCount: Int
  /// Masks on exactly the image's grid, in the order they were named.
  package var masks: [LoadedMask]
  /// What the readers noticed of odd but readable files, one line each.
  package var findings: [String]
  /// Masks that were asked for and cannot be shown, and why, one line each.
  package var refusals: [String]
  /// Where an export goes when no name is typed: `CASE_seg.nii.gz` beside the image.
  package var exportPath: String

  /// A case; every mask lies on the image's grid.
  package init(
    name: String, imagePath: String, image: ScalarVolume, frameCount: Int = 1, masks: [LoadedMask] = [],
    findings: [String] = [], refusals: [String] = [], exportPath: String
  ) {
    for mask in masks {
      precondition(mask.labels.grid.size == image.grid.size, "\(mask.labels.grid.size) on \(image.grid.size)")
    }
    self.name = name
    self.imagePath = imagePath
    self.image = image
    self.frameCount = frameCount
    self.masks = masks
    self.findings = findings
    self.refusals = refusals
    self.exportPath = exportPath
  }

  /// One empty voxel: what a session holds until its image is read.
  package static let unopened = ReviewCase(
    name: "", imagePath: "",
    image: ScalarVolume(
      grid: VolumeGrid(size: GridSize(1, 1, 1), affine: Affine(spacing: Spacing(1))), voxels: [0]),
    exportPath: "")
}

/// A mask that was opened with its image.
package struct LoadedMask: Equatable, Sendable {
  /// What the versions list calls it: its file name.
  package var name: String
  /// Its file, as a full path.
  package var path: String
  /// Its labels on the image's grid.
  package var labels: ChunkedLabels
  /// Names and colours; values that it lacks get a name and a colour of their own.
  package var table: LabelTable
  /// Selections that merged several values of its file into one label.
  package var merged: [LabelSelection] = []

  package init(name: String, path: String, labels: ChunkedLabels, table: LabelTable) {
    self.name = name
    self.path = path
    self.labels = labels
    self.table = table
  }
}
