extension Array where Element: BitwiseCopyable {
  /// An array of `count` elements that `fill`, a parallel loop, writes completely.
  ///
  /// Filling large memory with a value first would take as long as many a computation, on one thread and without a
  /// chance to stop.
  /// - Throws: ``Cancelled`` when `fill` does, or where memory does not hold the array, as
  ///   ``Cancellation/isShortOfMemory`` says then; nothing is left.
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

  /// An array of `count` times `value`.
  /// - Throws: ``Cancelled`` where memory does not hold it, as ``Cancellation/isShortOfMemory`` says then.
  package init(checkedRepeating value: Element, count: Int) throws(Cancelled) {
    try AvailableMemory.requireAllocation(count * MemoryLayout<Element>.stride)
    self.init(repeating: value, count: count)
  }
}
