import Volumes
import Work

extension NiftiFormat: WritableImageFormat {
  static let writtenSuffixes = [".nii", ".nii.gz"]
  static let writtenTypes = Set(NiftiHeader.datatypes.values.filter(\.isReadable))
  static let holdsScaling = true

  /// All fields of a NIfTI header are copied.
  static func holdsFrameStep(of image: WrittenImage) -> Bool {
    image.source.header(NiftiGeometry.self) != nil || image.secondsPerFrame != nil
  }

  static func compressesVoxels(of path: String) -> Bool { ImageName.isGzip(path) }

  static func writer(for path: String, of image: WrittenImage, work: WorkContext) throws -> any ImageWriter {
    try NiftiWriter(path: path, image, work: work)
  }
}

extension ImageSource {
  /// The fields of a NIfTI file on the grid.
  ///
  /// Where no NIfTI header stated them, the affine becomes the sform and, if its axes are perpendicular, the qform,
  /// both with code 1 (scanner).
  var niftiFields: NiftiGeometry { header(NiftiGeometry.self) ?? NiftiGeometry(grid: grid) }
}

extension NiftiGeometry: StatedHeader {}

/// A single NIfTI file that is being written, gzip where its name ends so.
private final class NiftiWriter: ImageWriter {
  private var stream: OutputStream

  init(path: String, _ image: WrittenImage, work: WorkContext) throws {
    var geometry = image.source.niftiFields
    if image.source.header(NiftiGeometry.self) == nil, let seconds = image.secondsPerFrame {
      geometry.pixdim[4] = seconds
      // Millimetres and seconds.
      geometry.xyztUnits = 2 | 8
    }
    let header = NiftiHeaderEncoding(
      geometry: geometry, size: image.source.grid.size, frameSizes: image.frameSizes,
      type: image.voxelType, scaling: image.scaling)
    stream = try OutputStream(
      path: path, compression: ImageName.isGzip(path) ? .init(.gzip, level: image.compressionLevel) : nil,
      work: work)
    try header.bytes().withUnsafeBytes { try stream.write($0) }
  }

  /// Voxels as they are: this machine is little-endian, as every one that Swift runs on.
  func write(_ voxels: UnsafeRawBufferPointer) throws { try stream.write(voxels) }

  func complete() throws -> [PendingFile] { [try stream.complete()] }
}
