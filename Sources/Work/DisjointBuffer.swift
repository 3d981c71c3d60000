// Loops of other targets read and write single elements: an unspecialised call for each costs more than what they do with it. So
// these types are inlined there, for which everything that they use must be marked.

/// A mutable buffer that several workers of one parallel loop write at the same time, each its own elements.
///
/// It is valid only inside `withUnsafeMutableBufferPointer`. No other type passes a pointer between threads.
@usableFromInline package struct DisjointBuffer<Element>: @unchecked Sendable {
  // SAFETY: the loops that use it split the index range, so no element is written by two workers or read by
  // one while another writes it; the loop ends before the array's own closure does.
  /// Start of the memory.
  @usableFromInline package let start: UnsafeMutablePointer<Element>
  /// The number of elements.
  @usableFromInline package let count: Int

  /// Shares `buffer`, which must not be empty unless no element is ever touched.
  @inlinable package init(_ buffer: UnsafeMutableBufferPointer<Element>) {
    start = buffer.baseAddress ?? UnsafeMutablePointer(bitPattern: MemoryLayout<Element>.alignment)!
    count = buffer.count
  }

  /// The element at `index`, unchecked in release builds.
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
@usableFromInline package struct SharedBuffer<Element>: @unchecked Sendable {
  // SAFETY: no other code writes the memory while the array's own closure, in which this value lives, runs.
  /// Start of the memory.
  @usableFromInline package let start: UnsafePointer<Element>
  /// The number of elements.
  @usableFromInline package let count: Int

  /// Shares `buffer`.
  @inlinable package init(_ buffer: UnsafeBufferPointer<Element>) {
    start = buffer.baseAddress ?? UnsafePointer(bitPattern: MemoryLayout<Element>.alignment)!
    count = buffer.count
  }

  /// The element at `index`, unchecked in release builds.
  @inlinable package subscript(index: Int) -> Element {
    assert(index >= 0 && index < count)
    return start[index]
  }
}
