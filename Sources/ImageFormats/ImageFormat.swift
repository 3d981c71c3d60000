import Foundation
import Work

/// An image file format that can be read.
///
/// A format is a file with a type that conforms to this, and an entry of ``ImageFormatList/all``. Voxels that lie one
/// after the other in a file are read by ``RawVoxelFile``. A format that is written too conforms to
/// ``WritableImageFormat``.
package protocol ImageFormat: Sendable {
  /// The name in messages: "NIfTI".
  static var name: String { get }

  /// The suffixes of its files, in small letters: ".nii.gz".
  static var suffixes: [String] { get }

  /// Those of ``suffixes`` whose files hold only the voxels of another file of the format; none by default.
  static var voxelFileSuffixes: [String] { get }

  /// The options with which a user chooses one of several images in a file of this format; none by default.
  static var choices: Set<ImageReadingOptions.Choice> { get }

  /// Whether a file with these first bytes (inflated, up to 1 KiB) is of the format.
  static func recognises(_ beginning: [UInt8]) -> Bool

  /// Reads and checks everything but the voxels.
  /// - Parameters:
  ///   - options: The user's choices, only those of ``choices``.
  ///   - work: Its threads read the files of an image that has many.
  /// - Throws: ``InputError``; ``Cancelled``.
  static func open(path: String, options: ImageReadingOptions, work: WorkContext) throws -> ImageFile

  /// Reads and checks everything but the voxels of an image whose parts are the files of a folder.
  /// - Returns: nil where the folder holds no image of the format, which is the default for every folder.
  /// - Throws: ``InputError``; ``Cancelled``.
  static func openFolder(
    path: String, options: ImageReadingOptions, work: WorkContext
  ) throws -> ImageFile?

  /// The images whose files are in folders below a folder; none by default.
  /// - Throws: ``InputError``; ``Cancelled``.
  static func images(below path: String) throws -> ImagesBelow
}

/// The images of a format whose files are in folders below a folder.
package struct ImagesBelow: Sendable {
  /// A line for each: "study/2: CT, 24 files".
  package var lines: [String] = []
  /// The only one, where its files are divided among several of the folders, so that no folder is the image; nil for any
  /// others.
  package var dividedImage: ImageFile?
  /// Whether the files of one of them are divided among several folders.
  package var hasDividedImages = false
}

extension ImageFormat {
  package static var voxelFileSuffixes: [String] { [] }
  package static var choices: Set<ImageReadingOptions.Choice> { [] }
  package static func openFolder(
    path: String, options: ImageReadingOptions, work: WorkContext
  ) throws -> ImageFile? { nil }
  package static func images(below path: String) throws -> ImagesBelow { ImagesBelow() }
}

/// Formats, in the order in which they are tried.
package struct ImageFormatList: Sendable {
  package let formats: [any ImageFormat.Type]

  package init(_ formats: [any ImageFormat.Type]) { self.formats = formats }

  /// Every format that the program reads.
  package static let all = ImageFormatList([
    NiftiFormat.self, MetaImageFormat.self, NrrdFormat.self, MGHFormat.self, DicomFormat.self,
  ])

  /// Every suffix, the longer ones first.
  var suffixes: [String] { formats.flatMap { $0.suffixes }.sorted { $0.count > $1.count } }

  /// "NIfTI or NRRD".
  var names: String { alternatives(formats.map { $0.name }) }

  /// Those that are written too.
  package var writable: [any WritableImageFormat.Type] {
    formats.compactMap { $0 as? any WritableImageFormat.Type }
  }

  /// The format in which an image of this name is written: the one with the longest suffix that the name ends in; nil
  /// where the name has no suffix of a written format.
  func writableFormat(of path: String) -> (any WritableImageFormat.Type)? {
    let written = writable.flatMap { format in format.writtenSuffixes.map { (format, $0) } }
    return written.filter { FilePath.hasSuffix($0.1, path) }.max { $0.1.count < $1.1.count }?.0
  }

  /// The format of a file: by its first bytes, else by its name, so that a damaged file is refused by its own format.
  func format(of path: String, beginning: [UInt8]) -> (any ImageFormat.Type)? {
    formats.first { $0.recognises(beginning) }
      ?? formats.first { format in format.suffixes.contains { FilePath.hasSuffix($0, path) } }
  }
}

extension ImageFile {
  /// Opens an image of any of the formats.
  ///
  /// - Throws: ``InputError`` for a missing, unreadable or empty file, a folder that is not an image, an unknown
  ///   format, an invalid header, and an option that does not apply to the file; ``Cancelled``.
  package static func open(
    _ path: String, as formats: ImageFormatList = .all,
    options: ImageReadingOptions = ImageReadingOptions(), work: WorkContext = WorkContext()
  ) throws -> ImageFile {
    let image =
      FileSystem.isFolder(path)
      ? try openFolder(path, as: formats, options, work) : try openFile(path, as: formats, options, work)
    // The files beside an image belong to it: names, a record, settings, notes.
    for file in LabelNamesFile.neighbours(ofImage: path) { try ReadFiles.register(file) }
    return image
  }

  /// The choices that the format of a file or folder leaves to the user; none for what is no image.
  /// - Throws: ``InputError`` for a missing or unreadable file.
  package static func choices(of path: String) throws -> Set<ImageReadingOptions.Choice> {
    guard !FileSystem.isFolder(path) else {
      if DicomListing.holdsDICOM(folder: path) { return DicomFormat.choices }
      // An image whose files are divided among folders is chosen as a series of the folder above them.
      return try DicomSubfolders(path).hasDividedImages ? [.series] : []
    }
    return try format(of: path, among: .all).format?.choices ?? []
  }

  private static func openFolder(
    _ path: String, as formats: ImageFormatList, _ options: ImageReadingOptions, _ work: WorkContext
  ) throws -> ImageFile {
    for format in formats.formats {
      if let image = try format.openFolder(path: path, options: options, work: work) {
        try options.requireOnly(format.choices, of: path, format.name)
        return image
      }
    }
    let below = try formats.formats.map { try $0.images(below: path) }
    let lines = below.flatMap(\.lines)
    if lines.count == 1, options.isEmpty, let image = below.compactMap(\.dividedImage).first { return image }
    guard lines.isEmpty else {
      throw InputError(
        path, "holds images only in its folders", found: lines.joined(separator: "; "),
        expected: (below.contains(where: \.hasDividedImages) ? "--series NUMBER, or " : "")
          + "one of these folders")
    }
    throw InputError(
      path, "cannot be read", found: "a folder without an image",
      expected: "a file, or a folder with the DICOM files of a series")
  }

  /// The format of a file, nil for none, and its first bytes.
  private static func format(
    of path: String, among formats: ImageFormatList
  ) throws -> (format: (any ImageFormat.Type)?, beginning: [UInt8]) {
    let stream = try ByteStream(path: path)
    var beginning = [UInt8](repeating: 0, count: 1024)
    let count = try beginning.withUnsafeMutableBytes { bytes in try stream.read(into: bytes) }
    beginning.removeSubrange(count...)
    return (formats.format(of: path, beginning: beginning), beginning)
  }

  private static func openFile(
    _ path: String, as formats: ImageFormatList, _ options: ImageReadingOptions, _ work: WorkContext
  ) throws -> ImageFile {
    let (format, beginning) = try format(of: path, among: formats)
    guard let format else {
      let shown = beginning.prefix(4).map { String(format: "%02x", $0) }.joined(separator: " ")
      throw InputError(
        path, "is not an image that can be read", found: "first bytes \(shown)", expected: formats.names)
    }
    try options.requireOnly(format.choices, of: path, format.name)
    return try format.open(path: path, options: options, work: work)
  }
}

extension ImageReadingOptions {
  /// The same choices, but those that the format of a file or folder does not leave.
  /// - Throws: As ``ImageFile/choices(of:)``; nothing where nothing was chosen.
  package func limited(toThoseOf path: String) throws -> ImageReadingOptions {
    isEmpty ? self : limited(to: try ImageFile.choices(of: path))
  }
}
