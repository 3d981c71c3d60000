import ImageFormats
import Work

/// An image or mask with its opened files.
struct OpenedImage {
  let image: ImageFile
  private let files: [OpenedFile]

  /// Opens an image.
  /// - Throws: As ``ImageFile/open(_:)``.
  init(_ path: String) throws {
    let image = try ImageFile.open(path)
    files = try image.files.map { file throws(InputError) in
      try OpenedFile(image.files.count == 1 ? path : file)
    }
    self.image = image
  }

  /// Whether none of its files changed since it was opened.
  var isUntouched: Bool { files.allSatisfy { $0.change == nil } }

  /// The image's entry in a record: the file that the user named, with the other file of a pair in its `parts`.
  /// - Throws: ``Cancelled``.
  func recorded(_ work: WorkContext) throws(Cancelled) -> MaskRecord.File {
    var parts = try files.map { file throws(Cancelled) in try file.recorded(work) }
    var named = parts.remove(at: files.firstIndex { $0.path == image.path } ?? 0)
    if !parts.isEmpty { named.parts = parts }
    return named
  }
}
