import Synchronization
import Tensors
import Work

/// The memory of one run of a plan: uninitialised floats.
final class ActivationMemory: @unchecked Sendable {
  // SAFETY: the pointer never changes; a run has the memory for itself, and its parallel loops write disjoint parts.
  let floats: DisjointBuffer<Float>

  init(count: Int) {
    let memory = UnsafeMutableRawBufferPointer.allocate(
      byteCount: max(count, 1) * MemoryLayout<Float>.stride, alignment: 1 << 12)
    adviseHugePages(memory)
    assert(spoils(memory))
    floats = DisjointBuffer(memory.bindMemory(to: Float.self))
  }

  deinit { floats.start.deallocate() }

  /// A part of it.
  func part(offset: Int, count: Int) -> DisjointBuffer<Float> {
    precondition(
      offset >= 0 && offset + count <= floats.count, "\(offset) + \(count) of \(floats.count) floats")
    return DisjointBuffer(UnsafeMutableBufferPointer(start: floats.start + offset, count: count))
  }
}

/// Lends a network's runs their memory, and keeps one arena for the next run.
///
/// The first touch of a page costs more than most kernels do with it, so that images that follow each other share an
/// arena. Large ones are given back: their runs last seconds, beside which the pages count little, and what follows a
/// run needs the memory.
final class ActivationMemoryPool: Sendable {
  /// Most bytes that are kept.
  static let keptBytes = 256 << 20

  private let kept = Mutex<ActivationMemory?>(nil)

  /// Memory of at least `count` floats.
  func take(count: Int) -> ActivationMemory {
    if let memory = kept.withLock({ $0.take() }), memory.floats.count >= count { return memory }
    return ActivationMemory(count: count)
  }

  /// Takes memory back.
  func give(_ memory: ActivationMemory) {
    guard memory.floats.count * MemoryLayout<Float>.stride <= Self.keptBytes else { return }
    kept.withLock { kept in
      if memory.floats.count > kept?.floats.count ?? 0 { kept = memory }
    }
  }
}
