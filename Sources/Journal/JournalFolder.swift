import Foundation
import Work

/// The folder of the user's journals: `segdeck/journals` in `$XDG_STATE_HOME` or `~/.local/state`.
package struct JournalFolder: Sendable {
  /// A journal in the folder.
  package struct Item: Equatable, Sendable {
    /// The case's digest, which names the file.
    package var digest: String
    package var path: String
    /// Its `.damaged` copies, which are removed with it.
    package var copies: [String]
    /// The total size of these files in bytes.
    package var byteCount: Int
    /// When it was last written, in seconds since 1970.
    package var modifiedSeconds: Double
  }

  /// Limits beyond which old journals are removed.
  package enum Limits {
    /// Days since the last write after which a journal is removed.
    package static let days = 180.0
    /// Total bytes of all journals beyond which the oldest are removed.
    package static let byteCount = 2_000_000_000
  }

  package let path: String

  private static let fileSuffix = ".journal"

  /// The user's folder; a relative `XDG_STATE_HOME` is ignored, as the XDG specification demands.
  package init(environment: [String: String] = ProcessInfo.processInfo.environment) {
    path = FilePath.joined(UserFolder.state(environment), "journals")
  }

  /// The file of a case.
  package func file(of digest: String) -> String { FilePath.joined(path, digest + JournalFolder.fileSuffix) }

  /// Makes the folder, for its owner alone, where it is missing.
  /// - Throws: ``InputError`` when it cannot be made.
  package func make() throws(InputError) { try FileSystem.makeFolder(path, mode: 0o700) }

  /// Every journal, the one written last first; none where there is no folder.
  package func items() -> [Item] {
    let names = (try? FileSystem.names(in: path)) ?? []
    let items = names.filter { $0.hasSuffix(JournalFolder.fileSuffix) }.compactMap { name -> Item? in
      let file = FilePath.joined(path, name)
      guard let status = FileSystem.status(file), status.st_mode & S_IFMT == S_IFREG else { return nil }
      let copies = names.filter { $0.hasPrefix(name + JournalFile.damagedSuffix) }
        .map { FilePath.joined(path, $0) }
      return Item(
        digest: String(name.dropLast(JournalFolder.fileSuffix.count)), path: file, copies: copies,
        byteCount: copies.reduce(Int(status.st_size)) { $0 + Int(FileSystem.status($1)?.st_size ?? 0) },
        modifiedSeconds: Double(status.st_mtim.tv_sec))
    }
    return items.sorted { ($1.modifiedSeconds, $0.digest) < ($0.modifiedSeconds, $1.digest) }
  }

  /// Removes a journal and its copies.
  /// - Throws: ``InputError`` when one of them stays.
  package func remove(_ item: Item) throws(InputError) {
    for file in item.copies + [item.path] where FileSystem.remove(file) != 0 && errno != ENOENT {
      throw InputError(file, "cannot be removed", found: String(cString: strerror(errno)))
    }
  }

  /// Removes journals older than `days`, and the oldest ones beyond `byteCount` bytes in total.
  ///
  /// A journal that is in use, or that `isProtected` accepts, is never removed.
  /// - Returns: The removed journals.
  @discardableResult
  package func prune(
    nowSeconds: Double, days: Double = Limits.days, byteCount: Int = Limits.byteCount,
    isProtected: (Item) -> Bool
  ) -> [Item] {
    var removed: [Item] = []
    var total = 0
    for item in items() {
      let isOld = nowSeconds - item.modifiedSeconds > days * 86400
      if isOld || total + item.byteCount > byteCount, !JournalFile.isInUse(item.path), !isProtected(item),
        (try? remove(item)) != nil
      {
        removed.append(item)
      } else {
        total += item.byteCount
      }
    }
    return removed
  }
}
