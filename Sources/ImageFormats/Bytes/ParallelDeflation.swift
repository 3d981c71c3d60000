import CZlib
import Synchronization
import Work

/// The compression of one gzip member, or one zlib stream, on all threads.
///
/// Content is cut into blocks of a fixed size. Each is deflated by itself, with the 32 KB before it as its dictionary, and
/// ends at a byte (as in pigz), so that the bytes do not depend on the number of threads. The header has no name and no
/// time.
final class ParallelDeflation {
  /// The size of a block's content in bytes.
  static let blockByteCount = 1 << 18
  private static let dictionaryByteCount = 1 << 15
  /// Blocks that are collected before they are deflated together: more than there are threads.
  private static let blocksAtOnce = 32

  private let compression: OutputStream.Compression
  private let work: WorkContext
  /// The dictionary of the next block, then content that is not deflated yet.
  private var pending: [UInt8] = []
  private var dictionaryCount = 0
  private var checksum: uLong
  private var contentByteCount = 0
  private var hasHeader = false
  private var isFinished = false

  init(_ compression: OutputStream.Compression, work: WorkContext) {
    self.compression = compression
    self.work = work
    checksum = compression.wrapping.checksum(UnsafeRawBufferPointer(start: nil, count: 0))
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

  /// Deflates what is left and ends the member; does nothing where it has ended.
  /// - Throws: ``Cancelled``, and the errors of `write`.
  func finish(write: (UnsafeRawBufferPointer) throws(InputError) -> Void) throws {
    if isFinished { return }
    isFinished = true
    try deflatePending(isLast: true, write)
    let trailer = compression.wrapping.trailer(checksum: checksum, contentByteCount: contentByteCount)
    try trailer.withUnsafeBytes { try write($0) }
  }

  private func deflatePending(
    isLast: Bool, _ write: (UnsafeRawBufferPointer) throws(InputError) -> Void
  ) throws {
    if !hasHeader {
      let header = compression.wrapping.header(level: compression.level)
      try header.withUnsafeBytes { try write($0) }
      hasHeader = true
    }
    let (start, end) = (dictionaryCount, pending.count)
    let blockCount = max(1, (end - start + Self.blockByteCount - 1) / Self.blockByteCount)
    let results = Mutex<[DeflatedBlock?]>(Array(repeating: nil, count: blockCount))
    try pending.withUnsafeBytes { content in
      // SAFETY: threads only read the content, which outlives the loop.
      nonisolated(unsafe) let content = content
      let compression = compression
      try work.withoutProgress.forEach(count: blockCount) { index, _ in
        let first = start + index * Self.blockByteCount
        let block = DeflatedBlock(
          content[first..<min(first + Self.blockByteCount, end)],
          dictionary: content[max(0, first - Self.dictionaryByteCount)..<first], compression: compression,
          isLast: isLast && index == blockCount - 1)
        results.withLock { $0[index] = block }
      }
    }
    for block in results.withLock({ $0 }) {
      guard let block else { preconditionFailure("a block that was not deflated") }
      try block.bytes.withUnsafeBytes { try write($0) }
      checksum = compression.wrapping.combined(checksum, block.checksum, block.contentByteCount)
    }
    contentByteCount += end - start
    pending.removeFirst(max(0, end - Self.dictionaryByteCount))
    dictionaryCount = pending.count
  }
}

/// A block of content, deflated so that it ends at a byte boundary.
private struct DeflatedBlock: Sendable {
  let bytes: [UInt8]
  let checksum: uLong
  let contentByteCount: Int

  init(
    _ content: Slice<UnsafeRawBufferPointer>, dictionary: Slice<UnsafeRawBufferPointer>,
    compression: OutputStream.Compression, isLast: Bool
  ) {
    let content = UnsafeRawBufferPointer(rebasing: content)
    let dictionary = UnsafeRawBufferPointer(rebasing: dictionary)
    contentByteCount = content.count
    checksum = compression.wrapping.checksum(content)
    // zlib keeps the address of the structure, so it must not move.
    let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    stream.initialize(to: z_stream())
    defer {
      deflateEnd(stream)
      stream.deallocate()
    }
    let status = deflateInit2_(
      stream, compression.level, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY, zlibVersion(),
      Int32(MemoryLayout<z_stream>.size)
    )
    precondition(status == Z_OK, "zlib cannot start: \(status)")
    if !dictionary.isEmpty {
      deflateSetDictionary(
        stream, dictionary.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt32(dictionary.count))
    }
    // The bound is for a whole stream; ending at a byte boundary (Z_SYNC_FLUSH) takes five bytes more.
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

extension OutputStream.Wrapping {
  /// The bytes before the deflated ones, without name and time.
  fileprivate func header(level: Int32) -> [UInt8] {
    switch self {
    case .gzip: [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, level == 1 ? 4 : level == 9 ? 2 : 0, 3]
    // A window of 32 KB, the effort, and the check bits that make both bytes a multiple of 31.
    case .zlib: [0x78, level == 1 ? 0x01 : level == 9 ? 0xda : level < 6 ? 0x5e : 0x9c]
    }
  }

  fileprivate func checksum(_ content: UnsafeRawBufferPointer) -> uLong {
    let bytes = content.baseAddress?.assumingMemoryBound(to: UInt8.self)
    return switch self {
    case .gzip: crc32_z(0, bytes, content.count)
    case .zlib: bytes == nil ? 1 : adler32_z(1, bytes, content.count)
    }
  }

  /// The checksum of content whose parts have these checksums.
  fileprivate func combined(_ first: uLong, _ second: uLong, _ secondByteCount: Int) -> uLong {
    switch self {
    case .gzip: crc32_combine(first, second, secondByteCount)
    case .zlib: adler32_combine(first, second, secondByteCount)
    }
  }

  /// The bytes after the deflated ones.
  fileprivate func trailer(checksum: uLong, contentByteCount: Int) -> [UInt8] {
    func bytes(_ number: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }
    let checksum = bytes(UInt32(truncatingIfNeeded: checksum))
    return switch self {
    case .gzip: checksum + bytes(UInt32(truncatingIfNeeded: contentByteCount))
    case .zlib: checksum.reversed()
    }
  }
}
