import Work

/// Where bytes of voxels lie: in a file from some byte on, and how they are stored there.
struct VoxelBytes: Sendable, Hashable {
  /// How the bytes of voxels are stored.
  enum Encoding: Sendable {
    /// gzip where they begin so, else as they are.
    case detected
    /// As they are.
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

  /// The content, from its beginning.
  /// - Throws: ``InputError`` for a missing or unreadable file, a folder, a device, an empty file.
  func stream() throws(InputError) -> any ContentStream {
    let compression: ByteStream.Compression =
      switch encoding {
      case .detected: .detected
      case .raw, .hexadecimal: .none
      case .gzip: .gzip
      case .zlib: .zlib
      case .bzip2: .bzip2
      }
    let stream = try ByteStream(path: path, from: fileOffset, compression)
    return encoding == .hexadecimal ? HexadecimalStream(stream) : stream
  }
}
