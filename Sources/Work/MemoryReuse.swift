import Glibc

/// Makes the allocator keep freed memory for the next large arrays, for programs that allocate and free many of them.
///
/// By default the allocator maps and unmaps each large array, and the kernel clears all its pages again; in a training
/// iteration that takes longer than some layers. With this setting the process keeps its peak of memory. It has no
/// effect where the C library lacks `mallopt`.
package func keepFreedMemory() {
  // Looked up at run time, because Swift's overlay of the C library leaves the function out.
  guard let symbol = dlsym(nil, "mallopt") else { return }
  // SAFETY: the C library declares it as int mallopt(int, int).
  let setOption = unsafeBitCast(symbol, to: (@convention(c) (CInt, CInt) -> CInt).self)
  let (trimThreshold, mappings, arenas): (CInt, CInt, CInt) = (-1, -4, -8)
  _ = setOption(mappings, 0)
  _ = setOption(trimThreshold, CInt.max)
  _ = setOption(arenas, 1)
}
