import ImageFormats
import Work

/// An image or mask with the files that hold it, as they were when it was opened.
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

  /// Whether all of its files are as they were.
  var isUntouched: Bool { files.allSatisfy { $0.change == nil } }

  /// The image as a record states it: of a header and its voxels in two files, the one that was named, with the other.
  /// - Throws: ``Cancelled``.
  func recorded(_ work: WorkContext) throws(Cancelled) -> MaskRecord.File {
    var parts = try files.map { file throws(Cancelled) in try file.recorded(work) }
    var named = parts.remove(at: files.firstIndex { $0.path == image.path } ?? 0)
    if !parts.isEmpty { named.parts = parts }
    return named
  }
}
