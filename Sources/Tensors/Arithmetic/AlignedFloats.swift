import Work

/// Uninitialised floats for transformed values, aligned to cache lines and where they are many on huge pages.
final class AlignedFloats: @unchecked Sendable {
  // SAFETY: the pointer never changes; whoever shares the memory between threads splits it by index as
  // `DisjointBuffer` asks, or only reads it.
  let start: UnsafeMutablePointer<Float>
  let count: Int
  private let memory: UnsafeMutableRawBufferPointer

  init(count: Int) {
    // Transformed values are walked with large strides: with 4 KiB pages each step would miss the translation buffer.
    memory = allocateLines(floats: count)
    start = memory.baseAddress!.alignedUp(toMultipleOf: cacheLineBytes).assumingMemoryBound(to: Float.self)
    self.count = count
  }

  /// The memory, for the workers of parallel loops.
  var shared: DisjointBuffer<Float> { DisjointBuffer(UnsafeMutableBufferPointer(start: start, count: count)) }

  deinit { memory.deallocate() }
}
