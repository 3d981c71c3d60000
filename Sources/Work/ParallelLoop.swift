import Dispatch
import Foundation
import Synchronization

extension WorkContext {
  /// Runs two functions concurrently where there are enough threads, else one after the other.
  ///
  /// For work that uses few threads, such as reading two files.
  /// - Parameter minimumThreadCount: The number of threads from which on they run concurrently.
  /// - Throws: The error of the first, else the error of the second; ``Cancelled``.
  package func both<First: Sendable, Second: Sendable>(
    minimumThreadCount: Int = 2, _ first: @Sendable () throws -> First,
    _ second: @Sendable () throws -> Second
  ) throws -> (First, Second) {
    guard threadCount >= minimumThreadCount else { return (try first(), try second()) }
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

  /// The value of `body` for each element, in order; elements are taken by up to ``threadCount`` threads.
  ///
  /// For single-threaded work such as reading files. All elements are taken, also after one that fails.
  /// - Throws: The error of the first element that has one; ``Cancelled``.
  package func concurrentMap<Element: Sendable, Value: Sendable>(
    _ elements: [Element], _ body: @Sendable (Element) throws -> Value
  ) throws -> [Value] {
    let results = Mutex<[Result<Value, any Error>?]>(Array(repeating: nil, count: elements.count))
    try forEach(count: elements.count) { index, _ in
      let result = Result { try body(elements[index]) }
      results.withLock { $0[index] = result }
    }
    return try results.withLock { results in try results.map { try $0!.get() } }
  }

  /// The number of cores that this process may use.
  package static var coreCount: Int { ProcessInfo.processInfo.activeProcessorCount }

  /// Runs `body(index, worker)` for every index in 0..<count on up to ``threadCount`` threads.
  ///
  /// Workers take the indices in order, `grain` at a time. The result of `body` must not depend on `worker`
  /// (0..<threadCount), which only selects scratch memory. Cancellation is polled before every grain; grains that have
  /// begun are completed.
  ///
  /// - Throws: ``Cancelled`` when the stop was requested before all indices were taken.
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
