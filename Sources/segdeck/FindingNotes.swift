import ImageFormats
import Synchronization
import Work

/// What was wrong with the files that a command read, for one note on stderr for each kind of finding.
///
/// Forty cases often have the same fault: it is one line, with the first names.
enum FindingNotes {
  private static let known = Mutex<[(finding: String, paths: [String])]>([])
  /// Names in a line.
  private static let nameCount = 3

  /// Keeps the findings of a file whose voxels were read; those known of it already are kept once.
  static func add(_ file: ImageFile) {
    for finding in file.findings { add(finding.description, of: file.path) }
  }

  /// Keeps one finding of one file.
  static func add(_ finding: String, of path: String) {
    known.withLock { known in
      if let index = known.firstIndex(where: { $0.finding == finding }) {
        if !known[index].paths.contains(path) { known[index].paths.append(path) }
      } else {
        known.append((finding, [path]))
      }
    }
  }

  /// Prints what was kept since the last call.
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
