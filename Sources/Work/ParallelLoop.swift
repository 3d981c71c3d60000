import Dispatch
import Foundation
import Synchronization

extension WorkContext {
  /// Runs two things side by side where there are two threads, for work that takes one: reading two files.
  /// - Throws: What the first throws, else what the second throws; ``Cancelled``.
  package func both<First: Sendable, Second: Sendable>(
    _ first: @Sendable () throws -> First, _ second: @Sendable () throws -> Second
  ) throws -> (First, Second) {
    let one = Mutex<Result<First, any Error>?>(nil)
    let other = Mutex<Result<Second, any Error>?>(nil)
    try forEach(count: 2) { index, _ in
      if index == 0 {
        let result = Result { try first() }
        one.withLock { $0 = result }
      } else {
        let result = Result { try second() }
        other.withLock { $0 = result }
      }
    }
    return (try one.withLock { try $0!.get() }, try other.withLock { try $0!.get() })
  }

  /// Cores that this process may use.
  package static var coreCount: Int { ProcessInfo.processInfo.activeProcessorCount }

  /// Runs `body(index, worker)` for every index in 0..<count on up to ``threadCount`` threads.
  ///
  /// Indices are handed out in order, `grain` at a time, to whichever worker is free, so that `body` must not
  /// let its result depend on `worker`: that number (0..<threadCount) only selects scratch memory.
  /// Cancellation is checked before every grain; what is already running is completed.
  ///
  /// - Throws: ``Cancelled`` when asked to stop before the last index was handed out.
  package func forEach(
    count: Int, grain: Int = 1, _ body: @Sendable (_ index: Int, _ worker: Int) -> Void
  ) throws(Cancelled) {
    try checkCancellation()
    let workers = min(threadCount, (count + grain - 1) / max(grain, 1))
    guard workers > 1 else {
      var start = 0
      while start < count {
        try checkCancellation()
        let end = min(start + grain, count)
        for index in start..<end { body(index, 0) }
        start = end
      }
      return
    }
    let next = Atomic<Int>(0)
    let (cancellation, hasLowPriority) = (cancellation, hasLowPriority)
    DispatchQueue.concurrentPerform(iterations: workers) { worker in
      if hasLowPriority { ThreadPriority.lower() }
      while !cancellation.isRequested {
        let start = next.add(grain, ordering: .relaxed).oldValue
        if start >= count { return }
        for index in start..<min(start + grain, count) { body(index, worker) }
      }
    }
    if next.load(ordering: .relaxed) < count { throw Cancelled() }
  }
}
