import CZlib
import Synchronization
import Work

/// The compression of one gzip member on all threads.
///
/// Content is cut into blocks of a fixed size. Each is deflated by itself, with the 32 KB before it as its dictionary, and
/// ends at a byte (as in pigz), so that the bytes do not depend on the number of threads. The header has no name and no
/// time.
final class ParallelDeflation {
  /// Content of a block.
  static let blockByteCount = 1 << 18
  private static let dictionaryByteCount = 1 << 15
  /// Blocks that are collected before they are deflated together: more than there are threads.
  private static let blocksAtOnce = 32

  private let level: Int32
  private let work: WorkContext
  /// The dictionary of the next block, then content that is not deflated yet.
  private var pending: [UInt8] = []
  private var dictionaryCount = 0
  private var checksum: uLong
  private var contentByteCount = 0
  private var hasHeader = false

  /// - Parameter level: zlib's, 1 (fast) to 9.
  init(level: Int32, work: WorkContext) {
    self.level = level
    self.work = work
    checksum = crc32(0, nil, 0)
    pending.reserveCapacity(Self.dictionaryByteCount + Self.blocksAtOnce * Self.blockByteCount)
  }

  /// Appends content; compressed bytes go to `write` when there are enough of them.
  /// - Throws: ``Cancelled``, and the errors of `write`.
  func append(
    _ bytes: UnsafeRawBufferPointer, write: (UnsafeRawBufferPointer) throws(InputError) -> Void
  ) throws {
    let capacity = Self.blocksAtOnce * Self.blockByteCount
    var rest = bytes[...]
    while !rest.isEmpty {
      let piece = rest.prefix(capacity - (pending.count - dictionaryCount))
      pending.append(contentsOf: piece)
      rest = rest.dropFirst(piece.count)
      // A full buffer waits for more, so that the last block is never empty.
      if !rest.isEmpty { try deflatePending(isLast: false, write) }
    }
  }

  /// Deflates what is left and ends the member.
  /// - Throws: ``Cancelled``, and the errors of `write`.
  func finish(write: (UnsafeRawBufferPointer) throws(InputError) -> Void) throws {
    try deflatePending(isLast: true, write)
    var trailer = [
      UInt32(truncatingIfNeeded: checksum).littleEndian,
      UInt32(truncatingIfNeeded: contentByteCount).littleEndian,
    ]
    try trailer.withUnsafeMutableBytes { try write(UnsafeRawBufferPointer($0)) }
  }

  private func deflatePending(
    isLast: Bool, _ write: (UnsafeRawBufferPointer) throws(InputError) -> Void
  ) throws {
    if !hasHeader {
      let effort: UInt8 = level == 1 ? 4 : level == 9 ? 2 : 0
      let header: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, effort, 3]
      try header.withUnsafeBytes { try write($0) }
      hasHeader = true
    }
    let (start, end) = (dictionaryCount, pending.count)
    let blockCount = max(1, (end - start + Self.blockByteCount - 1) / Self.blockByteCount)
    let results = Mutex<[DeflatedBlock?]>(Array(repeating: nil, count: blockCount))
    try pending.withUnsafeBytes { content in
      // SAFETY: threads only read the content, which outlives the loop.
      nonisolated(unsafe) let content = content
      let level = level
      try work.withoutProgress.forEach(count: blockCount) { index, _ in
        let first = start + index * Self.blockByteCount
        let block = DeflatedBlock(
          content[first..<min(first + Self.blockByteCount, end)],
          dictionary: content[max(0, first - Self.dictionaryByteCount)..<first], level: level,
          isLast: isLast && index == blockCount - 1)
        results.withLock { $0[index] = block }
      }
    }
    for block in results.withLock({ $0 }) {
      guard let block else { preconditionFailure("a block that was not deflated") }
      try block.bytes.withUnsafeBytes { try write($0) }
      checksum = crc32_combine(checksum, block.checksum, block.contentByteCount)
    }
    contentByteCount += end - start
    pending.removeFirst(max(0, end - Self.dictionaryByteCount))
    dictionaryCount = pending.count
  }
}

/// A block of content, deflated up to a byte of its own.
private struct DeflatedBlock: Sendable {
  let bytes: [UInt8]
  let checksum: uLong
  let contentByteCount: Int

  init(
    _ content: Slice<UnsafeRawBufferPointer>, dictionary: Slice<UnsafeRawBufferPointer>, level: Int32,
    isLast: Bool
  ) {
    let content = UnsafeRawBufferPointer(rebasing: content)
    let dictionary = UnsafeRawBufferPointer(rebasing: dictionary)
    contentByteCount = content.count
    checksum = crc32_z(
      crc32(0, nil, 0), content.baseAddress?.assumingMemoryBound(to: UInt8.self), content.count)
    // zlib keeps the address of the structure, so it must not move.
    let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    stream.initialize(to: z_stream())
    defer {
      deflateEnd(stream)
      stream.deallocate()
    }
    let status = deflateInit2_(
      stream, level, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY, zlibVersion(), Int32(MemoryLayout<z_stream>.size)
    )
    precondition(status == Z_OK, "zlib cannot start: \(status)")
    if !dictionary.isEmpty {
      deflateSetDictionary(
        stream, dictionary.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt32(dictionary.count))
    }
    // The bound is that of a whole stream; an end at a byte takes five bytes more.
    let capacity = Int(deflateBound(stream, uLong(content.count))) + 16
    bytes = [UInt8](unsafeUninitializedCapacity: capacity) { output, count in
      // SAFETY: zlib only reads next_in; its type lacks const.
      stream.pointee.next_in = UnsafeMutablePointer(
        mutating: content.baseAddress?.assumingMemoryBound(to: UInt8.self))
      stream.pointee.avail_in = UInt32(content.count)
      stream.pointee.next_out = output.baseAddress
      stream.pointee.avail_out = UInt32(capacity)
      let status = deflate(stream, isLast ? Z_FINISH : Z_SYNC_FLUSH)
      precondition(status == (isLast ? Z_STREAM_END : Z_OK), "zlib did not deflate a block: \(status)")
      count = capacity - Int(stream.pointee.avail_out)
    }
  }
}
