import Work

/// Memory of every worker of a parallel loop, aligned to cache lines.
struct WorkerScratch: Sendable {
  private let memory: DisjointBuffer<Float>
  private let stride: Int

  /// Splits `memory`, which has room for ``count(perWorker:threadCount:)``.
  init(_ memory: DisjointBuffer<Float>, perWorker: Int) {
    self.memory = memory
    stride = Self.stride(perWorker)
  }

  /// Floats for `perWorker` floats of every one of `threadCount` workers.
  static func count(perWorker: Int, threadCount: Int) -> Int { stride(perWorker) * threadCount }

  /// A page apart, and a line more, so that no two workers write the same cache line.
  private static func stride(_ perWorker: Int) -> Int { (perWorker + 15) / 16 * 16 + 1024 + 16 }

  /// The memory of worker number `worker`.
  func start(_ worker: Int) -> UnsafeMutablePointer<Float> {
    assert(worker >= 0 && (worker + 1) * stride <= memory.count, "worker \(worker) of \(memory.count) floats")
    return memory.start + worker * stride
  }
}

/// Calls `body` with `count` uninitialised floats, aligned to cache lines.
func withScratch<Result>(
  count: Int, _ body: (DisjointBuffer<Float>) throws(Cancelled) -> Result
) throws(Cancelled) -> Result {
  try AvailableMemory.requireAllocation(count * MemoryLayout<Float>.stride)
  let memory = allocateLines(floats: count)
  defer { memory.deallocate() }
  let start = memory.baseAddress!.alignedUp(toMultipleOf: cacheLineBytes)
  return try body(
    DisjointBuffer(
      UnsafeMutableRawBufferPointer(
        start: start, count: max(count, 1) * MemoryLayout<Float>.stride
      ).bindMemory(to: Float.self)))
}

/// Bytes of a cache line.
let cacheLineBytes = 64

/// Memory for `floats` floats after its first cache line boundary; large memory is on huge pages.
func allocateLines(floats: Int) -> UnsafeMutableRawBufferPointer {
  // Aligned by the caller: the allocator's aligned blocks do not fit where one of them was freed.
  allocateMemory(
    byteCount: max(floats, 1) * MemoryLayout<Float>.stride + cacheLineBytes,
    alignment: MemoryLayout<Float>.alignment)
}

/// Calls `body` with `perWorker` uninitialised floats for every worker that `work` may use.
func withScratch(
  perWorker: Int, work: WorkContext, _ body: (WorkerScratch) throws(Cancelled) -> Void
) throws(Cancelled) {
  let count = WorkerScratch.count(perWorker: perWorker, threadCount: work.threadCount)
  try withScratch(count: count) { memory throws(Cancelled) in
    try body(WorkerScratch(memory, perWorker: perWorker))
  }
}
