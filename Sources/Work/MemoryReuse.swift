import Glibc

/// Lets the allocator keep freed memory for the next large arrays, for programs that make and drop many of them.
///
/// By default large arrays are mapped and unmapped one by one, and the kernel clears every page of each anew: in a
/// training step that takes longer than some layers. The process keeps its peak of memory instead. Without effect
/// where the C library has no such switch.
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
