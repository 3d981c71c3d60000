/// Zero-initialised memory on a 64-byte boundary, shared by the workers of parallel loops.
final class AlignedStorage<Element: BitwiseCopyable>: @unchecked Sendable {
  // SAFETY: every loop that writes it splits the elements between workers, and loops follow each other.
  let start: UnsafeMutablePointer<Element>
  let count: Int

  /// Elements that may be read or written behind the end by loops in steps of 16.
  static var spare: Int { 64 }

  init(count: Int) {
    self.count = count
    let bytes = (count + Self.spare) * MemoryLayout<Element>.stride
    let raw = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
    raw.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
    start = raw.assumingMemoryBound(to: Element.self)
  }

  convenience init(_ values: [Element]) {
    self.init(count: values.count)
    for (index, value) in values.enumerated() { start[index] = value }
  }

  deinit { UnsafeMutableRawPointer(start).deallocate() }
}

extension Int {
  /// This number rounded up to a multiple of `unit`.
  func roundedUp(toMultipleOf unit: Int) -> Int { (self + unit - 1) / unit * unit }
}
