import Volumes

/// An image with the masks that were opened beside it.
package struct ReviewCase: Equatable, Sendable {
  /// The name on the screen and in exported files: the image's file name without its format's suffix.
  package var name: String
  /// The image's file or folder, as a full path.
  package var imagePath: String
  /// The image, or the frame of it that is shown.
  package var image: ScalarVolume
  /// The index of that frame, from 0, and the number of frames.
  package var frame = 0
  package var frameCount: Int
  /// Masks on the image's grid, in the order in which they were given.
  package var masks: [LoadedMask]
  /// The defects of the files that were repaired on reading, one line each.
  package var findings: [String]
  /// One line for each requested mask that cannot be shown, with the reason.
  package var refusals: [String]
  /// The default path of an export: `CASE_seg.nii.gz` beside the image.
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

  /// A placeholder of one voxel until the image is read.
  package static let unopened = ReviewCase(
    name: "", imagePath: "",
    image: ScalarVolume(
      grid: VolumeGrid(size: GridSize(1, 1, 1), affine: Affine(spacing: Spacing(1))), voxels: [0]),
    exportPath: "")
}

/// A mask that was opened with its image.
package struct LoadedMask: Equatable, Sendable {
  /// The name in the list of versions: the file name.
  package var name: String
  /// The name of its version where it is not its file's, such as that of its folder in a worklist.
  package var versionName: String?
  /// Its name in the worklist, that of the columns `mask` and `mask2` included; nil without a worklist.
  package var worklistName: String?
  /// Its file, as a full path.
  package var path: String
  /// Its labels on the image's grid.
  package var labels: ChunkedLabels
  /// Names and colours; values without an entry get a default name and colour.
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
