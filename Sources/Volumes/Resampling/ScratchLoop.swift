import Synchronization
import Work

extension WorkContext {
  /// A parallel loop over slices in which each worker has `scratchCount` floats of its own.
  ///
  /// Progress is the fraction of slices done. Scratch memory is not cleared between slices.
  /// - Throws: `Cancelled`.
  func forEachWithScratch(
    count: Int, scratchCount: Int,
    _ body: @Sendable (_ index: Int, _ scratch: UnsafeMutablePointer<Float>) -> Void
  ) throws(Cancelled) {
    let done = Atomic<Int>(0)
    let report = self.report
    var memory = try [Float](checkedRepeating: 0, count: max(1, scratchCount * threadCount))
    try memory.withUnsafeMutableBufferPointer { memory throws(Cancelled) in
      let memory = DisjointBuffer(memory)
      try forEach(count: count) { index, worker in
        body(index, memory.start + worker * scratchCount)
        report(Double(done.add(1, ordering: .relaxed).newValue) / Double(count))
      }
    }
  }
}
