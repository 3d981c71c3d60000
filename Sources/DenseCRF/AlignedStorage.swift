import CMemory
import Work

/// Zero-initialised memory aligned to 64 bytes, for the workers of parallel loops.
///
/// Large memory is mapped in huge pages where the system has them: arrays of a volume's size are written once or twice,
/// and page faults of small pages would cost as much as the writing.
final class AlignedStorage<Element: BitwiseCopyable>: @unchecked Sendable {
  // SAFETY: every loop that writes it splits the elements between workers, and loops follow each other.
  let start: UnsafeMutablePointer<Element>
  let count: Int
  private let mapping: UnsafeMutableRawBufferPointer?

  /// Elements after the end that loops in steps of 16 may read or write.
  static var spare: Int { 64 }

  /// - Throws: `Cancelled` where memory does not hold it.
  convenience init(count: Int) throws(Cancelled) {
    try AvailableMemory.requireAllocation(count * MemoryLayout<Element>.stride)
    self.init(unheld: count)
  }

  private init(unheld count: Int) {
    self.count = count
    let bytes = (count + Self.spare) * MemoryLayout<Element>.stride
    mapping = deservesHugePages(byteCount: bytes) ? mapHugePages(bytes) : nil
    if let mapping {
      start = mapping.baseAddress!.alignedUp(toMultipleOf: hugePageByteCount)
        .assumingMemoryBound(to: Element.self)
    } else {
      let raw = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
      raw.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
      start = raw.assumingMemoryBound(to: Element.self)
    }
  }

  /// A table, which takes little.
  convenience init(_ values: [Element]) {
    self.init(unheld: values.count)
    for (index, value) in values.enumerated() { start[index] = value }
  }

  deinit {
    if let mapping {
      memory_unmap(mapping.baseAddress!, mapping.count)
    } else {
      UnsafeMutableRawPointer(start).deallocate()
    }
  }
}

/// Zeroed pages with at least `bytes` bytes from the first boundary of a huge page on; nil where mapping fails.
private func mapHugePages(_ bytes: Int) -> UnsafeMutableRawBufferPointer? {
  let length = (bytes + hugePageByteCount).roundedUp(toMultipleOf: hugePageByteCount)
  guard let address = memory_map(length) else { return nil }
  let mapping = UnsafeMutableRawBufferPointer(start: address, count: length)
  adviseHugePages(mapping)
  return mapping
}

extension Int {
  /// This number rounded up to a multiple of `unit`.
  func roundedUp(toMultipleOf unit: Int) -> Int { (self + unit - 1) / unit * unit }
}
