import Foundation
import Work

/// An image file format that can be read.
///
/// A format is a file with a type that conforms to this, and an entry of ``ImageFormatList/all``. Voxels that lie one
/// after the other in a file are read by ``RawVoxelFile``.
package protocol ImageFormat: Sendable {
  /// The name in messages: "NIfTI".
  static var name: String { get }

  /// The suffixes of its files, in small letters: ".nii.gz".
  static var suffixes: [String] { get }

  /// Those of ``suffixes`` whose files hold voxels alone and belong to another file of the format; none unless given.
  static var voxelFileSuffixes: [String] { get }

  /// Whether a file with these first bytes (inflated, up to 1 KiB) is of the format.
  static func recognises(_ beginning: [UInt8]) -> Bool

  /// Reads and checks everything but the voxels.
  /// - Throws: ``InputError``.
  static func open(path: String) throws -> ImageFile
}

extension ImageFormat {
  package static var voxelFileSuffixes: [String] { [] }
}

/// Formats, in the order in which they are tried.
package struct ImageFormatList: Sendable {
  package let formats: [any ImageFormat.Type]

  package init(_ formats: [any ImageFormat.Type]) { self.formats = formats }

  /// Every format that the program reads.
  package static let all = ImageFormatList([NiftiFormat.self, DicomFormat.self])

  /// Every suffix, the longer ones first.
  var suffixes: [String] { formats.flatMap { $0.suffixes }.sorted { $0.count > $1.count } }

  /// "NIfTI or NRRD".
  var names: String { formats.map { $0.name }.joined(separator: " or ") }

  /// The format of a file: by its first bytes, else by its name, so that a damaged file is refused by its own format.
  func format(of path: String, beginning: [UInt8]) -> (any ImageFormat.Type)? {
    formats.first { $0.recognises(beginning) }
      ?? formats.first { format in format.suffixes.contains { FilePath.hasSuffix($0, path) } }
  }
}

extension ImageFile {
  /// Opens an image of any of the formats.
  ///
  /// - Throws: ``InputError`` for a missing, unreadable or empty file, a folder, an unknown format, and
  ///   an invalid header.
  package static func open(_ path: String, as formats: ImageFormatList = .all) throws -> ImageFile {
    if FileSystem.isFolder(path) { return try DicomFormat.open(path: path) }
    let stream = try ByteStream(path: path)
    var beginning = [UInt8](repeating: 0, count: 1024)
    let count = try beginning.withUnsafeMutableBytes { bytes in try stream.read(into: bytes) }
    beginning.removeSubrange(count...)
    guard let format = formats.format(of: path, beginning: beginning) else {
      let shown = beginning.prefix(4).map { String(format: "%02x", $0) }.joined(separator: " ")
      throw InputError(
        path, "is not an image that can be read", found: "first bytes \(shown)", expected: formats.names)
    }
    let image = try format.open(path: path)
    // The files beside an image belong to it: names, a record, settings, notes.
    for file in LabelNamesFile.neighbours(ofImage: path) { try ReadFiles.register(file) }
    return image
  }
}
