import Foundation
import Work

/// An image file format.
protocol ImageFormat: Sendable {
  /// Whether a file with this path is of the format, by its name or its first bytes (inflated, up to 1 KiB).
  static func recognises(path: String, beginning: [UInt8]) -> Bool

  /// Reads and checks everything but the voxels.
  /// - Throws: ``InputError``.
  static func open(path: String) throws -> ImageFile
}

/// The formats that can be read, the most particular first.
private let imageFormats: [any ImageFormat.Type] = [NiftiFormat.self]

extension ImageFile {
  /// Opens an image of any format that can be read.
  ///
  /// - Throws: ``InputError`` for a missing, unreadable or empty file, a folder, an unknown format, and
  ///   an invalid header.
  package static func open(_ path: String) throws -> ImageFile {
    let stream = try ByteStream(path: path)
    var beginning = [UInt8](repeating: 0, count: 1024)
    let count = try beginning.withUnsafeMutableBytes { bytes in try stream.read(into: bytes) }
    beginning.removeSubrange(count...)
    for format in imageFormats where format.recognises(path: path, beginning: beginning) {
      let image = try format.open(path: path)
      // The files beside an image belong to it: names, a record, settings, notes.
      for file in LabelNamesFile.neighbours(ofImage: path) { try ReadFiles.register(file) }
      return image
    }
    let shown = beginning.prefix(4).map { String(format: "%02x", $0) }.joined(separator: " ")
    throw InputError(path, "is no image that can be read", found: "first bytes \(shown)", expected: "NIfTI")
  }
}
