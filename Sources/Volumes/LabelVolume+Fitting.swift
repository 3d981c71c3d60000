import Work

extension LabelVolume {
  /// This mask on exactly the grid of its image, reordered where it is stored along other axes.
  ///
  /// - Parameter subject: What the error line calls the mask.
  /// - Throws: ``InputError`` with the first difference when it does not fit; ``Cancelled``.
  package func fitted(to image: VolumeGrid, subject: String, work: WorkContext) throws -> LabelVolume {
    switch try GridFit(mask: grid, image: image, subject: subject) {
    case .same: LabelVolume(grid: image, voxels: voxels, coding: coding)
    case .reoriented(let reorientation):
      LabelVolume(
        grid: image, voxels: try reorientation.reorderedElements(voxels, size: grid.size, work: work),
        coding: coding)
    }
  }
}
