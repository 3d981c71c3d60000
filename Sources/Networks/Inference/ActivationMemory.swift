import Synchronization
import Tensors
import Work

/// The arena of one run of a plan: uninitialised floats.
final class ActivationMemory: @unchecked Sendable {
  // SAFETY: the pointer never changes; a run has the memory for itself, and its parallel loops write disjoint parts.
  let floats: DisjointBuffer<Float>

  /// - Throws: `Cancelled` where memory does not hold it.
  init(count: Int) throws(Cancelled) {
    try AvailableMemory.requireAllocation(count * MemoryLayout<Float>.stride)
    let memory = allocateMemory(
      byteCount: max(count, 1) * MemoryLayout<Float>.stride, alignment: 1 << 12)
    assert(fillWithNaN(memory))
    floats = DisjointBuffer(memory.bindMemory(to: Float.self))
  }

  deinit { floats.start.deallocate() }

  /// The `count` floats from `offset` on.
  func part(offset: Int, count: Int) -> DisjointBuffer<Float> {
    precondition(
      offset >= 0 && offset + count <= floats.count, "\(offset) + \(count) of \(floats.count) floats")
    return DisjointBuffer(UnsafeMutableBufferPointer(start: floats.start + offset, count: count))
  }
}

/// Lends arenas to a network's runs and caches one arena for the next run.
///
/// The first access to a page costs more than most kernels spend on its floats, so that successive images share an
/// arena. Large arenas are freed: their runs last seconds, so that page faults do not matter, and the steps after a run
/// need the memory.
final class ActivationMemoryPool: Sendable {
  /// The maximum size of a cached arena in bytes.
  static let cachedBytes = 256 << 20

  private let cached = Mutex<ActivationMemory?>(nil)

  /// An arena of at least `count` floats.
  func take(count: Int) throws(Cancelled) -> ActivationMemory {
    if let memory = cached.withLock({ $0.take() }), memory.floats.count >= count { return memory }
    return try ActivationMemory(count: count)
  }

  /// Caches an arena that a run no longer needs, unless it is larger than ``cachedBytes``.
  func giveBack(_ memory: ActivationMemory) {
    guard memory.floats.count * MemoryLayout<Float>.stride <= Self.cachedBytes else { return }
    cached.withLock { cached in
      if memory.floats.count > cached?.floats.count ?? 0 { cached = memory }
    }
  }
}
