import ImageFormats
import Synchronization
import Work

/// Collects the findings of the files that a command reads, and prints one note on stderr for each kind of finding.
///
/// Many cases often have the same defect; its note names the first three files.
enum FindingNotes {
  private static let known = Mutex<[(finding: String, paths: [String])]>([])
  /// The maximum number of file names in a note.
  private static let nameCount = 3

  /// Adds the findings of a file whose voxels were read.
  ///
  /// Duplicates are ignored.
  static func add(_ file: ImageFile) {
    for finding in file.findings { add(finding.description, of: file.path) }
  }

  /// Adds one finding of one file.
  static func add(_ finding: String, of path: String) {
    known.withLock { known in
      if let index = known.firstIndex(where: { $0.finding == finding }) {
        if !known[index].paths.contains(path) { known[index].paths.append(path) }
      } else {
        known.append((finding, [path]))
      }
    }
  }

  /// Prints the findings that were added since the last call.
  static func print() {
    let found = known.withLock { known in
      defer { known = [] }
      return known
    }
    for (finding, paths) in found {
      let more = paths.count > nameCount ? " and \(paths.count - nameCount) more" : ""
      Console.note("\(paths.prefix(nameCount).joined(separator: ", "))\(more): \(finding)")
    }
  }
}
