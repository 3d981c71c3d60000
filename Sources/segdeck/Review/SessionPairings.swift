import Review
import Synchronization
import Worklist

/// The pairings of labels that apply in a session of a worklist: those of the worklist's records, and those of this
/// session, also of versions that no record names, such as network results.
///
/// A pairing applies to every case whose versions have the same names, such as those of their folders, and no labels
/// but the paired ones. Only the records keep it, because versions of these names may come from other data in another
/// worklist.
package final class SessionPairings: Sendable {
  private struct State {
    var recorded: WorklistPairings
    /// The choices of this session, the latest first.
    var own: [MaskPairing] = []
  }

  private let state: Mutex<State>

  /// - Parameter recorded: The pairings of the worklist's records.
  package init(_ recorded: WorklistPairings = WorklistPairings()) {
    state = Mutex(State(recorded: recorded))
  }

  /// Replaces the pairings of the worklist's records.
  package func update(_ recorded: WorklistPairings) { state.withLock { $0.recorded = recorded } }

  /// The pairings that apply to two versions of a case, in the order of lists and reports.
  package func partners(_ memory: PairingMemory, ofCase name: String? = nil) -> [RememberedPartners] {
    let state = state.withLock { $0 }
    let recorded = state.recorded.pairings(
      ofCase: name, memory.a.versionName, memory.b.versionName)
    let own = state.own.filter(\.isConfirmed) + state.own.filter { !$0.isConfirmed }
    return [(recorded.own, true), (recorded.inherited + own, false)].flatMap { pairings, areOfTheseVersions in
      pairings.compactMap { memory.partners($0) }.map {
        RememberedPartners(codes: $0, areOfTheseVersions: areOfTheseVersions)
      }
    }
  }

  /// Remembers a pairing; nil forgets those of this session that are of versions of these names.
  package func remember(
    _ partners: [UInt16: UInt16]?, isConfirmed: Bool = true, of memory: PairingMemory
  ) {
    state.withLock { state in
      guard let partners else {
        state.own.removeAll { memory.partners($0) != nil }
        return
      }
      let chosen = memory.pairing(partners, isConfirmed: isConfirmed)
      state.own.removeAll { $0 == chosen }
      state.own.insert(chosen, at: 0)
    }
  }
}
