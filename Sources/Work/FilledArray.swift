extension Array where Element: BitwiseCopyable {
  /// An array of `count` elements.
  ///
  /// `fill`, a parallel loop, must write all of them.
  ///
  /// To fill large memory with a value first would take as long as some computations, on one thread and without a poll.
  /// - Throws: ``Cancelled`` when `fill` throws it, or when the array does not fit in memory (see
  ///   ``Cancellation/isShortOfMemory``); the memory is freed.
  package init(
    count: Int, filledBy fill: (DisjointBuffer<Element>) throws(Cancelled) -> Void
  ) throws(Cancelled) {
    try AvailableMemory.requireAllocation(count * MemoryLayout<Element>.stride)
    var cancelled: Cancelled?
    self.init(unsafeUninitializedCapacity: count) { buffer, written in
      do throws(Cancelled) {
        try fill(DisjointBuffer(UnsafeMutableBufferPointer(rebasing: buffer[..<count])))
        written = count
      } catch { cancelled = error }
    }
    if let cancelled { throw cancelled }
  }

  /// An array of `count` elements that are all `value`.
  /// - Throws: ``Cancelled`` when it does not fit in memory (see ``Cancellation/isShortOfMemory``).
  package init(checkedRepeating value: Element, count: Int) throws(Cancelled) {
    try AvailableMemory.requireAllocation(count * MemoryLayout<Element>.stride)
    self.init(repeating: value, count: count)
  }
}
