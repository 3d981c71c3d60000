import ImageFormats
import Review
import Volumes
import Work

extension FilePreview {
  /// Images of no more voxels are read whole.
  private static let wholeVoxelCount = 1 << 24

  /// Reads the middle slice of an image's first frame on one thread: of a volume the axial one.
  ///
  /// A larger image than 256x256x256 voxels, or one that is damaged after the slice, shows its middle slice along k in
  /// that slice's own window, because little else of it is read.
  ///
  /// The file may still be written over: a preview is not an input.
  /// - Parameter path: An image file, or a folder.
  /// - Returns: nil for a folder without DICOM files.
  /// - Throws: ``InputError`` when the header or the slice cannot be read; `Cancelled`.
  package init?(of path: String, work: WorkContext) throws {
    if FileSystem.isFolder(path), !DicomListing.holdsDICOM(folder: path) { return nil }
    var work = work.withoutProgress
    // Only this thread is told not to register what it reads.
    work.threadCount = 1
    self = try ReadFiles.withoutRegistering { Result { try Self.read(path, work) } }.get()
  }

  private static func read(_ path: String, _ work: WorkContext) throws -> FilePreview {
    let image = try ImageFile.open(path, work: work)
    let size = image.grid.size
    do {
      if size.voxelCount <= wholeVoxelCount {
        let volume = try image.scalarVolume(frame: 0, work: work)
        let isThin = (0..<3).map { size[$0] == 1 }
        // An image of one slice shows that, whichever plane it is.
        let axis = isThin[2] ? 2 : isThin.firstIndex(of: true) ?? image.grid.orientation.sliceAxis(of: .axial)
        return FilePreview(
          slice: volume.slice(size[axis] / 2, across: axis), sliceAxis: axis,
          window: IntensitySummary(volume).openingPreset.window, summary: image.summary)
      }
    } catch is InputError {}
    let slice = try image.slice(size.k / 2, work: work)
    return FilePreview(
      slice: slice, window: IntensitySummary(slice).openingPreset.window, summary: image.summary)
  }
}

extension ScalarVolume {
  /// A slice across a voxel axis, on a grid of its own.
  fileprivate func slice(_ position: Int, across axis: Int) -> ScalarVolume {
    var extents = [grid.size.i, grid.size.j, grid.size.k]
    let strides = [1, extents[0], extents[0] * extents[1]]
    extents[axis] = 1
    var corner = [0, 0, 0]
    corner[axis] = position
    var values: [Float] = []
    values.reserveCapacity(extents.reduce(1, *))
    for k in 0..<extents[2] {
      for j in 0..<extents[1] {
        for i in 0..<extents[0] {
          values.append(voxels[position * strides[axis] + i + j * strides[1] + k * strides[2]])
        }
      }
    }
    var affine = grid.affine
    affine.origin = affine.world(VoxelIndex(corner[0], corner[1], corner[2]))
    return ScalarVolume(
      grid: VolumeGrid(size: GridSize(extents[0], extents[1], extents[2]), affine: affine), voxels: values)
  }
}
