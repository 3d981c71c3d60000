import Dispatch
import Foundation
import Synchronization
import Work

/// Writes journal entries in order, on its own thread.
///
/// Entries within a tenth of a second are written together. Changes of the view alone wait for 0.7 seconds. Entries
/// that could not be written are kept and written with the next entry.
final class JournalWriter: Sendable {
  private struct State {
    var waiting: [JournalEntry] = []
    var failure: String?
  }

  private let services: any ReviewServices
  private let deliver: @Sendable (ReviewEvent) -> Void
  private let queue = DispatchQueue(label: "segdeck.journal", qos: .userInitiated)
  private let state = Mutex(State())

  init(services: any ReviewServices, deliver: @escaping @Sendable (ReviewEvent) -> Void) {
    self.services = services
    self.deliver = deliver
  }

  /// Registers a failure that was reported already.
  func note(failure: String) { state.withLock { $0.failure = failure } }

  /// Queues an entry and returns at once.
  func note(_ entry: JournalEntry) {
    state.withLock { $0.waiting.append(entry) }
    var isView = false
    if case .view = entry { isView = true }
    queue.asyncAfter(deadline: .now() + .milliseconds(isView ? 700 : 100)) { [self] in write() }
  }

  /// Writes all queued entries.
  /// - Returns: The reason why they could not be written, in one line; nil on success.
  func finish() -> String? {
    queue.sync { write() }
    return state.withLock { $0.waiting.isEmpty ? nil : $0.failure }
  }

  private func write() {
    let entries = state.withLock { state in
      defer { state.waiting = [] }
      return state.waiting.condensed
    }
    guard !entries.isEmpty else { return }
    let failure: String?
    do {
      try services.append(entries)
      failure = nil
    } catch let error as InputError {
      failure = error.description
    } catch {
      failure = error.localizedDescription
    }
    let hasChanged = state.withLock { state in
      if failure != nil { state.waiting = entries + state.waiting }
      defer { state.failure = failure }
      return state.failure != failure
    }
    if hasChanged { deliver(.journalFailed(failure)) }
  }
}
