import Work

/// The files of a folder that are listed, besides its folders.
package enum FolderContent: Equatable, Sendable {
  /// Files with a suffix of an image format.
  case images
  /// Every file.
  case all
}

/// A name in a folder.
package struct FolderEntry: Equatable, Sendable {
  package var name: String
  /// Whether it is a folder.
  package var isFolder: Bool
  /// What is in it, in a few words: "CT, 500 files, 252 MB"; empty where that is not known, nil where it was not read yet.
  package var summary: String?

  package init(_ name: String, isFolder: Bool = false, summary: String? = "") {
    (self.name, self.isFolder, self.summary) = (name, isFolder, summary)
  }
}

/// The names in a folder.
package struct FolderListing: Equatable, Sendable {
  /// The folder as it was typed: "data/", "~/" or "" for the working folder.
  package var folder: String
  /// The files that were asked for.
  package var content: FolderContent
  /// The names in the order of the list; empty for a folder that cannot be read.
  package var entries: [FolderEntry]

  package init(folder: String, content: FolderContent, entries: [FolderEntry]) {
    (self.folder, self.content, self.entries) = (folder, content, entries)
  }

  /// The entries whose names continue a path in this folder as it was typed; hidden ones only where the typed name begins
  /// with a dot.
  func entries(completing path: String) -> [FolderEntry] {
    let name = path.dropFirst(folder.count)
    return entries.filter {
      $0.name.hasPrefix(name) && (name.hasPrefix(".") || !$0.name.hasPrefix("."))
    }
  }
}

/// Lists the folder of a path that is being typed.
package struct FolderJob: Job {
  package static let kind = JobKind.folder
  /// The folder as it was typed.
  package var folder: String
  /// The files that are listed.
  package var content: FolderContent

  package func run(in environment: JobEnvironment, _ work: WorkContext) throws -> FolderListing {
    let entries = try environment.services.names(in: folder, content, work)
    return FolderListing(folder: folder, content: content, entries: entries)
  }

  package func reduce(_ state: inout ReviewState, _ outcome: FolderListing) -> [ReviewEffect] {
    state.receive(outcome)
    return []
  }

  /// A folder that does not exist has no names: it may still be being typed.
  package func reduceFailure(_ state: inout ReviewState, _ line: String) -> [ReviewEffect] {
    state.receive(FolderListing(folder: folder, content: content, entries: []))
    return []
  }
}
