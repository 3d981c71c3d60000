import Glibc

/// Bytes of a huge page.
package let hugePageByteCount = 2 << 20

/// Whether memory of so many bytes is worth huge pages.
package func deservesHugePages(byteCount: Int) -> Bool { byteCount >= 4 * hugePageByteCount }

/// Uninitialised memory, on huge pages where it is large; the caller deallocates it.
package func allocateMemory(byteCount: Int, alignment: Int) -> UnsafeMutableRawBufferPointer {
  let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: alignment)
  adviseHugePages(memory)
  return memory
}

/// Requests huge pages for fresh memory of several of them, because its page faults cost more than most operations
/// compute.
package func adviseHugePages(_ memory: UnsafeMutableRawBufferPointer) {
  guard deservesHugePages(byteCount: memory.count), let start = memory.baseAddress else { return }
  let aligned = start.alignedUp(toMultipleOf: hugePageByteCount)
  let end = (start + memory.count).alignedDown(toMultipleOf: hugePageByteCount)
  // Advice only: where it is refused, everything works with small pages.
  _ = madvise(aligned, end - aligned, Int32(MADV_HUGEPAGE))
}
