import Foundation
import Synchronization
import Testing
import Work

@Test("a parallel loop visits every index once, whatever the threads and the grain")
func everyIndexOnce() throws {
  for (threads, grain) in [(1, 1), (2, 1), (2, 7), (4, 100)] {
    var visits = [Int](repeating: 0, count: 50)
    try visits.withUnsafeMutableBufferPointer { buffer in
      let shared = DisjointBuffer(buffer)
      try WorkContext(threadCount: threads).forEach(count: 50, grain: grain) { index, worker in
        #expect(worker < threads)
        shared[index] += 1
      }
    }
    #expect(visits == [Int](repeating: 1, count: 50))
  }
}

@Test("a cancelled loop throws and does no further work")
func cancelledLoopStops() {
  let context = WorkContext(threadCount: 2)
  let done = Atomic<Int>(0)
  #expect(throws: Cancelled()) {
    try context.forEach(count: 1000) { index, _ in
      if index == 3 { context.cancellation.request() }
      done.add(1, ordering: .relaxed)
    }
  }
  #expect(done.load(ordering: .relaxed) < 1000)
}

@Test("a part of a context reports its fraction of the whole")
func partReportsItsShare() {
  let reports = Mutex<[Double]>([])
  let whole = WorkContext { fraction in reports.withLock { $0.append(fraction) } }
  let part = whole.part(0.25...0.75)
  for fraction in [0, 0.5, 1, 2] { part.report(fraction) }
  #expect(reports.withLock { $0 } == [0.25, 0.5, 0.75, 0.75])
}

@Test("the threads of a low-priority loop have a lower priority")
func yieldingLoopStepsBack() throws {
  let seen = Mutex<Set<CInt>>([])
  let isDone = DispatchSemaphore(value: 0)
  var context = WorkContext(threadCount: 4)
  context.hasLowPriority = true
  // On a thread of its own, because none can be raised again.
  Thread.detachNewThread { [context] in
    try? context.forEach(count: 40) { _, _ in
      usleep(1000)
      let value = getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0)
      seen.withLock { _ = $0.insert(value) }
    }
    isDone.signal()
  }
  isDone.wait()
  #expect(seen.withLock { $0 } == [ThreadPriority.niceValue])
}

@Test("a cancellation requests itself at the poll that it was given")
func cancellationCountsPolls() {
  let cancellation = Cancellation(atPoll: 3)
  #expect((1...4).map { _ in cancellation.isRequested } == [false, false, true, true])
  #expect(cancellation.pollCount == 4)
}
