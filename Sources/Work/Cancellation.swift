import CMemory
import Synchronization

/// A request to stop, shared by the caller and the computation that polls it.
package final class Cancellation: Sendable {
  private let requested = Atomic<Bool>(false)
  private let polls = Atomic<Int>(0)
  private let pollLimit: Int
  private let leader: Cancellation?
  private let shortagesBefore = memory_shortage_count()

  /// A request that has not been made yet.
  /// - Parameters:
  ///   - pollLimit: The number of the poll, from 1, at which the request makes itself. Tests use it to stop a computation
  ///     at each of its polls.
  ///   - leader: A request that is one of this too. A shortage of memory before this object was made
  ///     is none of its own, so that later work goes on.
  package init(atPoll pollLimit: Int = .max, following leader: Cancellation? = nil) {
    self.pollLimit = pollLimit
    self.leader = leader
  }

  /// Asks the computation to stop; it does so within 50 ms by throwing ``Cancelled``.
  package func request() { requested.store(true, ordering: .relaxed) }

  /// Whether the computation has to stop.
  ///
  /// Each read counts as one poll.
  package var isRequested: Bool {
    if polls.add(1, ordering: .relaxed).newValue >= pollLimit { request() }
    return wasRequested || isShortOfMemory
  }

  /// Whether somebody asked to stop; not whether memory ran out.
  package var wasRequested: Bool { requested.load(ordering: .relaxed) || leader?.wasRequested == true }

  /// Whether an allocation failed or used the reserve since this object was made; the error is
  /// ``AvailableMemory/shortage``.
  package var isShortOfMemory: Bool { memory_shortage_count() != shortagesBefore }

  /// Polls so far.
  package var pollCount: Int { polls.load(ordering: .relaxed) }
}

/// A computation stopped on request; not a failure.
package struct Cancelled: Error, Equatable {
  /// The error of a stopped computation.
  package init() {}
}
