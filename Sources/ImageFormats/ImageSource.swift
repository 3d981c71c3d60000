import Volumes

/// The grid of an image and the header fields that state it, which a mask copies bit for bit.
package struct ImageSource: Hashable, Sendable {
  /// The grid, in millimetres.
  package var grid: VolumeGrid
  /// The grid as a NIfTI header states it.
  var fields: NiftiGeometry

  init(grid: VolumeGrid, fields: NiftiGeometry) {
    self.grid = grid
    self.fields = fields
  }

  /// A grid that no NIfTI header stated: its affine becomes the sform and, if its axes are perpendicular, the qform,
  /// both with code 1 (scanner).
  package init(grid: VolumeGrid) {
    self.init(grid: grid, fields: NiftiGeometry(grid: grid))
  }
}
