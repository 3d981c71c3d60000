import Volumes

/// The grid of an image and, where it was a NIfTI file, the header fields that state it, which a mask copies bit for bit.
package struct ImageSource: Hashable, Sendable {
  /// The grid, in millimetres.
  package var grid: VolumeGrid
  /// The grid as the image's NIfTI header states it; nil for an image of another format, and for a new one.
  private let statedFields: NiftiGeometry?

  /// The grid of an image without a NIfTI header.
  package init(grid: VolumeGrid) {
    self.grid = grid
    statedFields = nil
  }

  init(grid: VolumeGrid, niftiFields: NiftiGeometry) {
    self.grid = grid
    statedFields = niftiFields
  }

  /// The fields of a NIfTI file on the grid.
  ///
  /// Where no header stated them, the affine becomes the sform and, if its axes are perpendicular, the qform, both with
  /// code 1 (scanner).
  var niftiFields: NiftiGeometry { statedFields ?? NiftiGeometry(grid: grid) }
}
