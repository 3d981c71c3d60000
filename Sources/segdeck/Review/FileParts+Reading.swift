import ImageFormats
import Review
import Work

extension [FilePart] {
  /// The series of a folder, or the segments or layers of a segmentation; empty where there are none to choose.
  ///
  /// No voxels are read, on one thread. The file may still be written over: what is only listed is not an input.
  /// - Throws: ``InputError`` when the file or folder cannot be read; `Cancelled`.
  package init(_ kind: FilePart.Kind, of path: String, _ work: WorkContext) throws {
    var work = work.withoutProgress
    // Only this thread is told not to register what it reads.
    work.threadCount = 1
    self = try ReadFiles.withoutRegistering { Result { try Self.read(kind, path, work) } }.get()
  }

  private static func read(
    _ kind: FilePart.Kind, _ path: String, _ work: WorkContext
  ) throws -> [FilePart] {
    switch kind {
    case .series:
      guard FileSystem.isFolder(path), DicomListing.holdsDICOM(folder: path) else { return [] }
      return try DicomListing(path, work: work).series.map { FilePart($0.number, $0.summary) }
    case .segment:
      return try ImageFile.open(path, work: work).labelNames?.entries.map { FilePart($0.value, $0.name) }
        ?? []
    case .layer:
      return try ImageFile.open(path, work: work).layers.enumerated().map { number, names in
        FilePart(number, names.entries.map(\.name).joined(separator: ", "))
      }
    }
  }
}

extension InputError {
  /// The error in the words of a review's commands: "series 2" for "--series 2".
  package var inWordsOfCommands: InputError {
    var error = self
    for choice in ImageReadingOptions.Choice.allCases {
      let (option, word) = ("--\(choice.rawValue)", choice.rawValue)
      error.found = error.found?.replacing(option, with: word)
      error.expected = error.expected?.replacing(option, with: word)
    }
    return error
  }
}
