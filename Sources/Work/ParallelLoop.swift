import Dispatch
import Foundation
import Synchronization

extension WorkContext {
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
    let (cancellation, yieldsToOthers) = (cancellation, yieldsToOthers)
    DispatchQueue.concurrentPerform(iterations: workers) { worker in
      if yieldsToOthers { ThreadPriority.yieldToOthers() }
      while !cancellation.isRequested {
        let start = next.add(grain, ordering: .relaxed).oldValue
        if start >= count { return }
        for index in start..<min(start + grain, count) { body(index, worker) }
      }
    }
    if next.load(ordering: .relaxed) < count { throw Cancelled() }
  }
}
