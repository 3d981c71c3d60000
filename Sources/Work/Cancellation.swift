import CMemory
import Synchronization

/// A request to stop, shared by the one who asks and the computation that polls.
package final class Cancellation: Sendable {
  private let requested = Atomic<Bool>(false)
  private let polls = Atomic<Int>(0)
  private let pollLimit: Int
  private let shortagesBefore = memory_shortage_count()

  /// A request that nobody has made yet.
  /// - Parameter pollLimit: The request makes itself at this poll, the first being 1; so tests stop a computation at
  ///   each of the places where it can stop.
  package init(atPoll pollLimit: Int = .max) { self.pollLimit = pollLimit }

  /// Asks the computation to stop; it does so within 50 ms by throwing ``Cancelled``.
  package func request() { requested.store(true, ordering: .relaxed) }

  /// Whether the computation has to stop; asking this is one poll.
  package var isRequested: Bool {
    if polls.add(1, ordering: .relaxed).newValue >= pollLimit { request() }
    return requested.load(ordering: .relaxed) || isShortOfMemory
  }

  /// Whether an allocation failed, or took from the reserve, since this was made; the error is
  /// ``AvailableMemory/shortage``.
  package var isShortOfMemory: Bool { memory_shortage_count() != shortagesBefore }

  /// Polls so far.
  package var pollCount: Int { polls.load(ordering: .relaxed) }
}

/// A computation ended because it was asked to; not a failure.
package struct Cancelled: Error, Equatable {
  /// The error.
  package init() {}
}
