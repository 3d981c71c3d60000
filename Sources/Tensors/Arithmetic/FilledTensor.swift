import Glibc
import Work

/// A tensor whose memory `fill`, a parallel loop, writes completely unless it throws.
func filledTensor(
  shape: [Int], _ fill: (DisjointBuffer<Float>) throws(Cancelled) -> Void
) throws(Cancelled) -> Tensor {
  Tensor(shape: shape, elements: try filledArray(count: shape.reduce(1, *), fill))
}

/// An array whose memory `fill`, a parallel loop, writes completely unless it throws; ``Cancelled`` too where memory
/// does not hold it.
func filledArray<Element: BitwiseCopyable>(
  count: Int, _ fill: (DisjointBuffer<Element>) throws(Cancelled) -> Void
) throws(Cancelled) -> [Element] {
  try [Element](count: count) { buffer throws(Cancelled) in
    let memory = UnsafeMutableRawBufferPointer(
      start: buffer.start, count: count * MemoryLayout<Element>.stride)
    adviseHugePages(memory)
    assert(fillWithNaN(memory))
    try fill(buffer)
  }
}

/// Fills fresh memory with 0xFF, which is NaN in floats, and returns true.
///
/// Called in an `assert`, so that debug builds show what a parallel loop leaves unwritten.
package func fillWithNaN(_ memory: UnsafeMutableRawBufferPointer) -> Bool {
  memory.initializeMemory(as: UInt8.self, repeating: 0xFF)
  return true
}
