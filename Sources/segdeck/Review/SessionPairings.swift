import Review
import Synchronization
import Volumes

/// The reviewer's pairings of labels in a session of a worklist.
///
/// A pairing applies to every case whose versions have the same names, such as those of their folders, and no labels
/// but the paired ones. It is not kept for later sessions, where versions of these names may come from other data.
package final class SessionPairings: Sendable {
  private struct Pairing {
    var memory: PairingMemory
    /// The value in B by the value in A.
    var partners: [UInt16: UInt16]
  }

  private let pairings = Mutex<[Pairing]>([])

  /// No pairing yet.
  package init() {}

  /// The pairing of two versions, from values of A to values of B; nil where none applies.
  package func partners(_ memory: PairingMemory) -> [UInt16: UInt16]? {
    let known = Set(memory.b.labels.map(\.value))
    for (asked, isSwapped) in [(memory, false), (memory.swapped, true)] {
      guard let pairing = pairings.withLock({ $0.last { $0.memory.holds(asked) } }) else { continue }
      let partners = isSwapped ? pairing.partners.swapped : pairing.partners
      return partners.filter { value, partner in
        known.contains(partner) && memory.a.labels.contains { $0.value == value }
      }
    }
    return nil
  }

  /// Remembers a pairing; nil forgets those of versions of these names.
  package func remember(_ partners: [UInt16: UInt16]?, of memory: PairingMemory) {
    pairings.withLock { pairings in
      pairings.removeAll { $0.memory.holds(memory) || $0.memory.holds(memory.swapped) }
      if let partners { pairings.append(Pairing(memory: memory, partners: partners)) }
    }
  }
}

extension PairingMemory {
  fileprivate var swapped: PairingMemory { PairingMemory(a: b, b: a) }

  /// Whether versions have the same names as these, and no other labels.
  fileprivate func holds(_ other: PairingMemory) -> Bool { a.holds(other.a) && b.holds(other.b) }
}

extension PairingMemory.Source {
  fileprivate func holds(_ other: PairingMemory.Source) -> Bool {
    let known = Dictionary(labels.map { ($0.value, $0.name) }, uniquingKeysWith: { first, _ in first })
    return !versionName.isEmpty && versionName == other.versionName
      && other.labels.allSatisfy { known[$0.value] == $0.name }
  }
}

extension [UInt16: UInt16] {
  fileprivate var swapped: [UInt16: UInt16] {
    Dictionary(uniqueKeysWithValues: map { ($0.value, $0.key) })
  }
}
