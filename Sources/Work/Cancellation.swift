import Synchronization

/// A request to stop, shared by the one who asks and the computation that polls.
package final class Cancellation: Sendable {
  private let requested = Atomic<Bool>(false)

  /// A request that nobody has made yet.
  package init() {}

  /// Asks the computation to stop; it does so within 50 ms by throwing ``Cancelled``.
  package func request() { requested.store(true, ordering: .relaxed) }

  /// Whether somebody asked.
  package var isRequested: Bool { requested.load(ordering: .relaxed) }
}

/// A computation ended because it was asked to; not a failure.
package struct Cancelled: Error, Equatable {
  /// The error.
  package init() {}
}
