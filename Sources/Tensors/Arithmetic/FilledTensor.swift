import Glibc
import Work

/// A tensor whose memory `fill`, a parallel loop, writes completely unless it throws.
func filledTensor(
  shape: [Int], _ fill: (DisjointBuffer<Float>) throws(Cancelled) -> Void
) throws(Cancelled) -> Tensor {
  var cancelled: Cancelled?
  let tensor = Tensor(uninitializedShape: shape) { buffer in
    adviseHugePages(UnsafeMutableRawBufferPointer(buffer))
    do throws(Cancelled) {
      try fill(DisjointBuffer(buffer))
    } catch {
      // The tensor is dropped unread, which needs no values.
      cancelled = error
    }
  }
  if let cancelled { throw cancelled }
  return tensor
}

/// Asks for 2 MB pages behind fresh memory of several of them: touching it page by page costs more than most
/// operations compute.
package func adviseHugePages(_ memory: UnsafeMutableRawBufferPointer) {
  let pageSize = 2 << 20
  guard memory.count >= 4 * pageSize, let start = memory.baseAddress else { return }
  let aligned = start.alignedUp(toMultipleOf: pageSize)
  let end = (start + memory.count).alignedDown(toMultipleOf: pageSize)
  // Advice only: where it is refused, everything works with small pages.
  _ = madvise(aligned, end - aligned, Int32(MADV_HUGEPAGE))
}
