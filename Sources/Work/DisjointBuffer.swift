/// A mutable buffer that several workers of one parallel loop write at the same time, each its own elements.
///
/// It is valid only inside `withUnsafeMutableBufferPointer`. No other type passes a pointer between threads.
package struct DisjointBuffer<Element>: @unchecked Sendable {
  // SAFETY: the loops that use it split the index range, so no element is written by two workers or read by
  // one while another writes it; the loop ends before the array's own closure does.
  /// Start of the memory.
  package let start: UnsafeMutablePointer<Element>
  /// The number of elements.
  package let count: Int

  /// Shares `buffer`, which must not be empty unless no element is ever touched.
  package init(_ buffer: UnsafeMutableBufferPointer<Element>) {
    start = buffer.baseAddress ?? UnsafeMutablePointer(bitPattern: MemoryLayout<Element>.alignment)!
    count = buffer.count
  }

  /// The element at `index`, unchecked in release builds.
  ///
  /// Inlined, because a generic call of another module costs more than what loops do with an element.
  @inlinable package subscript(index: Int) -> Element {
    get {
      assert(index >= 0 && index < count)
      return start[index]
    }
    nonmutating set {
      assert(index >= 0 && index < count)
      start[index] = newValue
    }
  }
}

/// A read-only buffer that several workers of one parallel loop read.
package struct SharedBuffer<Element>: @unchecked Sendable {
  // SAFETY: no other code writes the memory while the array's own closure, in which this value lives, runs.
  /// Start of the memory.
  package let start: UnsafePointer<Element>
  /// The number of elements.
  package let count: Int

  /// Shares `buffer`.
  package init(_ buffer: UnsafeBufferPointer<Element>) {
    start = buffer.baseAddress ?? UnsafePointer(bitPattern: MemoryLayout<Element>.alignment)!
    count = buffer.count
  }

  /// The element at `index`, unchecked in release builds.
  ///
  /// Inlined, because a generic call of another module costs more than what loops do with an element.
  @inlinable package subscript(index: Int) -> Element {
    assert(index >= 0 && index < count)
    return start[index]
  }
}
