import ImageFormats
import Work

/// An image or mask with its opened files.
struct OpenedImage {
  let image: ImageFile
  /// The path that opens it again: the given one, or a file of the series that was chosen of a folder.
  let path: String
  /// The choice with which ``path`` opens it again.
  let choice: ImageReadingOptions
  private let content: Content

  /// The opened files: a few that stay open, or many that are only checked for changes.
  private enum Content {
    /// One file, or a header and its voxels.
    case files([OpenedFile])
    case series(OpenedFiles)
  }

  /// Opens an image.
  /// - Throws: As ``ImageFile/open(_:as:options:work:)``.
  init(
    _ path: String, options: ImageReadingOptions = ImageReadingOptions(), work: WorkContext = WorkContext()
  ) throws {
    let image = try ImageFile.open(path, options: options, work: work)
    let path = options.series == nil ? path : image.pathInSeries
    self.image = image
    self.path = path
    var choice = options
    if options.series != nil, FileSystem.isFolder(image.path) { choice.series = image.seriesInFile }
    self.choice = choice
    guard image.files.contains(path) || image.files.count == 1, image.files.count < 3 else {
      content = .series(OpenedFiles(path, files: image.files))
      return
    }
    content = .files(
      try image.files.map { file throws(InputError) in
        try OpenedFile(image.files.count == 1 && !FileSystem.isFolder(path) ? path : file)
      })
  }

  /// Whether none of its files changed since it was opened.
  var isUntouched: Bool {
    switch content {
    case .files(let files): files.allSatisfy { $0.change == nil }
    case .series(let series): series.change == nil
    }
  }

  /// The image's entry in a record: the file that the user named, with the other file of a pair in its `parts`, or the
  /// folder of a series.
  /// - Throws: ``Cancelled``.
  func recorded(_ work: WorkContext) throws(Cancelled) -> MaskRecord.File {
    var recorded: MaskRecord.File
    switch content {
    case .series(let series): recorded = try series.recorded(work)
    case .files(let files):
      var parts = try files.map { file throws(Cancelled) in try file.recorded(work) }
      recorded = parts.remove(at: files.firstIndex { $0.path == path } ?? 0)
      if !parts.isEmpty { recorded.parts = parts }
    }
    if !choice.isEmpty { recorded.choice = choice }
    return recorded
  }
}

extension ImageFile {
  /// A path that opens the image without the choice of its series, or with ``seriesInFile`` where there is one: a file of it
  /// where a folder was opened, and the folder where its files are divided among those in it.
  var pathInSeries: String {
    let isDivided = Set(files.map { FilePath.folder(of: $0) }).count > 1
    return FileSystem.isFolder(path) && !isDivided ? files.first ?? path : path
  }
}
