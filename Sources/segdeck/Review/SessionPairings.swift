import Review
import Synchronization
import Worklist

/// The reviewer's pairings of labels in a session of a worklist.
///
/// A pairing applies to every case whose versions have the same names, such as those of their folders, and no labels
/// but the paired ones. Only the worklist's records keep it, because versions of these names may come from other data in
/// another worklist.
package final class SessionPairings: Sendable {
  private let pairings: Mutex<[MaskPairing]>

  /// - Parameter known: The pairings of earlier sessions, the newest last.
  package init(_ known: [MaskPairing] = []) { pairings = Mutex(known) }

  /// The pairing of two versions, from values of A to values of B; nil where none applies.
  package func partners(_ memory: PairingMemory) -> [UInt16: UInt16]? {
    pairings.withLock { $0 }.reversed().lazy.compactMap { memory.partners($0) }.first
  }

  /// Remembers a pairing; nil forgets those that apply to these versions.
  package func remember(_ partners: [UInt16: UInt16]?, of memory: PairingMemory) {
    pairings.withLock { pairings in
      pairings.removeAll { memory.partners($0) != nil }
      if let partners { pairings.append(memory.pairing(partners)) }
    }
  }
}
