import Foundation
import Review
import Volumes
import Work

/// The reviewers' pairings of the labels of two masks or models: `segdeck/pairings.json` in `$XDG_STATE_HOME` or
/// `~/.local/state`.
///
/// The key of an entry is a checksum of both sources' names, both label tables and the statistics of both masks. So it
/// does not apply to another label table, another mask at the same path, or the file at another path. The last 200
/// entries are stored. A file that cannot be read counts as empty.
struct RememberedPairings {
  private let path: String

  private static let limit = 200
  private static let maximumByteCount = 4 << 20

  private struct Document: Codable {
    struct Entry: Codable {
      var key: String
      /// Pairs of a value of the first source and a value of the second, in the order of the key.
      var pairs: [[UInt16]]
    }
    var pairings: [Entry]
  }

  /// The user's pairings.
  init(environment: [String: String] = ProcessInfo.processInfo.environment) {
    path = FilePath.joined(UserFolder.state(environment), "pairings.json")
  }

  /// The stored pairing of two sources, from values of A to values of B; nil when there is none.
  func partners(_ memory: PairingMemory) -> [UInt16: UInt16]? {
    let (key, isSwapped) = Self.key(memory)
    guard let entry = document.pairings.last(where: { $0.key == key }) else { return nil }
    let known = (Set(memory.a.labels.map(\.value)), Set(memory.b.labels.map(\.value)))
    var partners: [UInt16: UInt16] = [:]
    for pair in entry.pairs where pair.count == 2 {
      let (one, other) = isSwapped ? (pair[1], pair[0]) : (pair[0], pair[1])
      guard known.0.contains(one), known.1.contains(other), !partners.values.contains(other) else { continue }
      partners[one] = other
    }
    return partners
  }

  /// Stores a pairing; nil removes it.
  /// - Throws: ``InputError`` when the file cannot be written.
  func remember(_ partners: [UInt16: UInt16]?, of memory: PairingMemory) throws(InputError) {
    let (key, isSwapped) = Self.key(memory)
    var document = document
    document.pairings.removeAll { $0.key == key }
    if let partners {
      let pairs = partners.map { isSwapped ? [$1, $0] : [$0, $1] }.sorted { $0[0] < $1[0] }
      document.pairings.append(Document.Entry(key: key, pairs: pairs))
    }
    document.pairings.removeFirst(max(0, document.pairings.count - Self.limit))
    try FileSystem.makeFolder(FilePath.folder(of: path))
    try AtomicFile.write(finiteJSON(document) + Data("\n".utf8), to: path)
  }

  private var document: Document {
    let empty = Document(pairings: [])
    // The file is written with each pairing, so it is not registered as an input.
    let content = try? ReadFiles.withoutRegistering { () throws(InputError) in
      try FileSystem.readIfPresent(path, limit: Self.maximumByteCount)
    }
    guard let data = content.flatMap(\.self) else { return empty }
    return (try? JSONDecoder().decode(Document.self, from: data)) ?? empty
  }

  /// The key, which does not depend on the order of the sources, and whether A and B are swapped in it.
  private static func key(_ memory: PairingMemory) -> (text: String, isSwapped: Bool) {
    func text(_ source: PairingMemory.Source) -> String {
      let names = source.labels.map { "\($0.value)=\($0.name)" }
      let content = source.content.map { label in
        "\(label.label) \(label.voxelCount) \(label.componentCount) \(label.bounds.lower) \(label.bounds.upper) "
          + "\(label.centroid.x) \(label.centroid.y) \(label.centroid.z) \(label.centre)"
      }
      return ([source.name] + names + [""] + content).joined(separator: "\u{0}")
    }
    let (a, b) = (text(memory.a), text(memory.b))
    let ordered = a <= b ? a + "\u{0}\u{0}" + b : b + "\u{0}\u{0}" + a
    return (Checksum.sha256(of: Data(ordered.utf8)), b < a)
  }
}
