import Work

/// Memory of every worker of a parallel loop, aligned to cache lines.
struct Scratch: Sendable {
  private let memory: DisjointBuffer<Float>
  private let stride: Int

  fileprivate init(_ memory: DisjointBuffer<Float>, stride: Int) {
    self.memory = memory
    self.stride = stride
  }

  /// The memory of worker number `worker`.
  func start(_ worker: Int) -> UnsafeMutablePointer<Float> { memory.start + worker * stride }
}

/// Lends `perWorker` floats, not initialised, to every worker that `work` may use.
func withScratch(
  perWorker: Int, work: WorkContext, _ body: (Scratch) throws(Cancelled) -> Void
) throws(Cancelled) {
  // A page apart, and a line more, so that no two workers write the same cache line.
  let stride = (perWorker + 15) / 16 * 16 + 1024 + 16
  let memory = UnsafeMutableRawBufferPointer.allocate(
    byteCount: stride * work.threadCount * MemoryLayout<Float>.stride, alignment: 64)
  defer { memory.deallocate() }
  try body(Scratch(DisjointBuffer(memory.bindMemory(to: Float.self)), stride: stride))
}
