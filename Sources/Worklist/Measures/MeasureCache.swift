import Foundation
import Journal
import Work

/// Measures of cases that were computed before: `segdeck/measures` in `$XDG_CACHE_HOME` or `~/.cache`.
///
/// They apply as long as paths, sizes and modification times of the files are the same. A damaged entry counts as none.
package struct MeasureCache: Sendable {
  /// Paths, sizes and modification times of the files that were measured.
  package struct Key: Equatable, Sendable {
    fileprivate var text: String

    /// Increased when measures are added or computed differently, so that older entries no longer match.
    private static let version = 4

    /// The key of files as they are now; nil where one does not exist.
    package init?(files: [String]) {
      var parts = ["\(Self.version)"]
      for file in files {
        guard let status = FileSystem.status(file) else { return nil }
        parts.append(
          "\(FilePath.absolute(file))\u{0}\(status.st_size) \(status.st_mtim.tv_sec) \(status.st_mtim.tv_nsec)"
        )
      }
      text = parts.joined(separator: "\u{0}")
    }

    /// The name of the entry's file.
    ///
    /// Different keys may have the same name, so the file holds the key's text.
    fileprivate var fileName: String {
      let bytes = Data(text.utf8)
      return String(format: "%08x-%x.json", CRC32.checksum(of: bytes), bytes.count)
    }
  }

  private struct Entry: Codable {
    var key: String
    var measures: CaseMeasures
  }

  package let folder: String
  private static let maximumByteCount = 16 << 20
  /// The number of entries from which on the older half is removed.
  ///
  /// An entry takes a few hundred bytes for each label.
  package static let maximumEntryCount = 20_000

  /// The user's cache.
  package init(environment: [String: String] = ProcessInfo.processInfo.environment) {
    self.init(folder: FilePath.joined(UserFolder.cache(environment), "measures"))
  }

  /// A cache in a folder, which need not exist.
  package init(folder: String) { self.folder = folder }

  /// The stored measures of a key; nil where there are none.
  package func measures(for key: Key) -> CaseMeasures? {
    let path = FilePath.joined(folder, key.fileName)
    // An entry is not registered as an input, because it is written again when its files change.
    let content = try? ReadFiles.withoutRegistering { () throws(InputError) in
      try FileSystem.readIfPresent(path, limit: Self.maximumByteCount)
    }
    guard let data = content.flatMap(\.self), let entry = try? JSONDecoder().decode(Entry.self, from: data),
      entry.key == key.text
    else { return nil }
    return entry.measures
  }

  /// Stores measures.
  /// - Throws: ``InputError`` when the folder cannot be made or written.
  package func store(_ measures: CaseMeasures, for key: Key) throws(InputError) {
    try FileSystem.makeFolder(folder, mode: 0o700)
    guard let data = try? JSONEncoder().encode(Entry(key: key.text, measures: measures)) else {
      preconditionFailure("measures hold only finite numbers")
    }
    try AtomicFile.write(data, to: FilePath.joined(folder, key.fileName))
  }

  /// Removes the older half of the entries where there are too many; an entry that cannot be removed stays.
  /// - Complexity: O(n log n) in entries.
  package func prune(maximumEntryCount: Int = maximumEntryCount) {
    guard let names = try? FileSystem.names(in: folder), names.count >= maximumEntryCount else { return }
    let entries = names.filter { $0.hasSuffix(".json") }.map { name in
      let path = FilePath.joined(folder, name)
      return (path: path, seconds: FileSystem.status(path)?.st_mtim.tv_sec ?? 0)
    }
    for entry in entries.sorted(by: { $0.seconds < $1.seconds }).prefix(entries.count / 2) {
      _ = FileSystem.remove(entry.path)
    }
  }
}
