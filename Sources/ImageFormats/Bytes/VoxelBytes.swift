import Foundation
import Work

/// The location of voxels in a file, and how their bytes are stored there.
struct VoxelBytes: Sendable, Hashable {
  /// How the bytes of voxels are stored.
  enum Encoding: Sendable {
    /// gzip where the bytes begin with its magic number, otherwise raw.
    case detected
    /// Uncompressed.
    case raw
    case gzip, zlib, bzip2
    /// Two hexadecimal digits for each byte.
    case hexadecimal
  }

  var path: String
  /// The first byte of the file that belongs to the content.
  var fileOffset = 0
  var encoding: Encoding = .detected
  /// Bytes of content before the first voxel.
  var offset = 0

  /// Whether the file is an ordinary one whose uncompressed content holds `byteCount` bytes of voxels, without opening
  /// it; false for other encodings.
  /// - Throws: ``InputError`` when the file is an output of the running command.
  func holdsRaw(_ byteCount: Int) throws(InputError) -> Bool {
    guard encoding == .raw, let status = FileSystem.status(path), status.st_mode & S_IFMT == S_IFREG,
      fileOffset <= Int(status.st_size), offset + byteCount <= Int(status.st_size) - fileOffset
    else { return false }
    try ReadFiles.register(path)
    return true
  }

  /// The content, from its beginning.
  /// - Parameter work: Its threads inflate blocked gzip.
  /// - Throws: ``InputError`` for a missing or unreadable file, a folder, a device, an empty file.
  func stream(_ work: WorkContext = WorkContext(threadCount: 1)) throws(InputError) -> any ContentStream {
    let compression: ByteStream.Compression =
      switch encoding {
      case .detected: .detected
      case .raw, .hexadecimal: .none
      case .gzip: .gzip
      case .zlib: .zlib
      case .bzip2: .bzip2
      }
    let stream = try ByteStream(path: path, from: fileOffset, compression, work: work)
    return encoding == .hexadecimal ? HexadecimalStream(stream) : stream
  }
}
