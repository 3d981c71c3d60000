import Glibc
import Work

/// Uninitialised floats for spectra, aligned to cache lines and where they are many on huge pages.
final class FFTMemory: @unchecked Sendable {
  // SAFETY: the pointer never changes; whoever shares the memory between threads splits it by index as
  // `DisjointBuffer` asks, or only reads it.
  let start: UnsafeMutablePointer<Float>
  let count: Int

  init(count: Int) {
    let bytes = max(count, 1) * MemoryLayout<Float>.stride
    let isLarge = bytes >= 2 * HugePages.size
    var memory: UnsafeMutableRawPointer?
    guard posix_memalign(&memory, isLarge ? HugePages.size : 64, bytes) == 0, let memory else {
      fatalError("out of memory: \(bytes) bytes for spectra")
    }
    // Spectra are walked with large strides: with 4 KiB pages each step would miss the translation buffer.
    HugePages.advise(UnsafeMutableRawBufferPointer(start: memory, count: bytes))
    start = memory.bindMemory(to: Float.self, capacity: count)
    self.count = count
  }

  deinit { free(start) }
}

/// Asks the system for large pages, which it gives only to those who ask.
enum HugePages {
  /// Bytes of one.
  static let size = 1 << 21

  /// Asks for the whole pages inside `memory`.
  static func advise(_ memory: UnsafeMutableRawBufferPointer) {
    guard let start = memory.baseAddress else { return }
    let offset = (size - Int(bitPattern: start) % size) % size
    let bytes = (memory.count - offset) / size * size
    // Without large pages everything works as well, only slower.
    if bytes > 0 { madvise(start + offset, bytes, MADV_HUGEPAGE) }
  }
}

extension Tensor {
  /// A tensor whose memory `fill` writes from several threads, unless it is cancelled.
  init(
    uninitializedShape shape: [Int], filledBy fill: (DisjointBuffer<Float>) throws(Cancelled) -> Void
  ) throws(Cancelled) {
    var isCancelled = false
    self.init(uninitializedShape: shape) { buffer in
      HugePages.advise(UnsafeMutableRawBufferPointer(buffer))
      do throws(Cancelled) { try fill(DisjointBuffer(buffer)) } catch { isCancelled = true }
    }
    if isCancelled { throw Cancelled() }
  }

  /// Calls `body` with the values, which several threads may read.
  func withSharedElements<Result>(
    _ body: (SharedBuffer<Float>) throws(Cancelled) -> Result
  ) throws(Cancelled) -> Result {
    try elements.withUnsafeBufferPointer { buffer throws(Cancelled) in try body(SharedBuffer(buffer)) }
  }
}
