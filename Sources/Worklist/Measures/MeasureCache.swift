import Foundation
import Journal
import Work

/// Measures of cases, and uncertainties of networks about them, that were computed before: `segdeck/measures` in
/// `$XDG_CACHE_HOME` or `~/.cache`.
///
/// They apply as long as paths, sizes and modification times of the files are the same. A damaged entry counts as none.
package struct MeasureCache: Sendable {
  /// The kind of measures.
  package enum Content: String, Sendable {
    /// Measures of masks.
    case masks
    /// Uncertainties of a file of probabilities.
    case probabilities
    /// Uncertainties of networks that ran on an image in reviews.
    case networkRuns = "network runs"
  }

  /// Paths, sizes and modification times of the files that were measured, what was read of them, and the kind of
  /// measures.
  package struct Key: Equatable, Sendable {
    fileprivate var text: String

    /// Increased when measures are added or computed differently, so that older entries no longer match.
    ///
    /// Networks do not run again for what they said in reviews, which has a number of its own.
    private static func version(of content: Content) -> Int { content == .masks ? 8 : 7 }

    /// The key of files as they are now; nil where one does not exist.
    /// - Parameters:
    ///   - choices: What is read of files that hold several images, a text each.
    ///   - pairings: The pairings of labels with which masks are compared.
    package init?(
      files: [String], choices: [String] = [], content: Content = .masks,
      pairings: CasePairings = CasePairings()
    ) {
      var parts = ["\(Self.version(of: content))"] + (content == .masks ? [] : [content.rawValue]) + choices
      if !pairings.isEmpty { parts.append(pairings.text) }
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
    var measures: CaseMeasures?
    var uncertainties: [LabelUncertainty]?
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
  package func measures(for key: Key) -> CaseMeasures? { entry(for: key)?.measures }

  /// The stored uncertainties of a key; nil where there are none.
  package func uncertainties(for key: Key) -> [LabelUncertainty]? { entry(for: key)?.uncertainties }

  private func entry(for key: Key) -> Entry? {
    let path = FilePath.joined(folder, key.fileName)
    // An entry is not registered as an input, because it is written again when its files change.
    let content = try? ReadFiles.withoutRegistering { () throws(InputError) in
      try FileSystem.readIfPresent(path, limit: Self.maximumByteCount)
    }
    guard let data = content.flatMap(\.self), let entry = try? JSONDecoder().decode(Entry.self, from: data),
      entry.key == key.text
    else { return nil }
    return entry
  }

  /// Stores measures.
  /// - Throws: ``InputError`` when the folder cannot be made or written.
  package func store(_ measures: CaseMeasures, for key: Key) throws(InputError) {
    try store(Entry(key: key.text, measures: measures), for: key)
  }

  /// Stores uncertainties.
  /// - Throws: As ``store(_:for:)-(CaseMeasures,_)``.
  package func store(_ uncertainties: [LabelUncertainty], for key: Key) throws(InputError) {
    try store(Entry(key: key.text, uncertainties: uncertainties), for: key)
  }

  private func store(_ entry: Entry, for key: Key) throws(InputError) {
    try FileSystem.makeFolder(folder, mode: 0o700)
    guard let data = try? JSONEncoder().encode(entry) else {
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
