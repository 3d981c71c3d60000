import Foundation
import Synchronization
import Work

/// Blocks of a blocked gzip file (BGZF, as bgzip of htslib writes it), inflated on all threads.
///
/// Each block is a gzip member of at most 64 KB of content that says its own size in a field of its header.
/// Source: section 4.1 of the SAM specification.
final class BlockedGzip {
  /// A block within the bytes that were read.
  private struct Block {
    var compressed: Range<Int>
    var content: Range<Int>
  }

  private static let windowByteCount = 1 << 20
  private static let contentLimit = 1 << 23
  private let work: WorkContext
  /// One for each thread.
  private var inflations: [Inflation] = []
  private var window = [UInt8](repeating: 0, count: BlockedGzip.windowByteCount)
  private var content: [UInt8] = []
  private var position = 0

  /// nil where no block begins at `offset`, or where `work` has only one thread.
  init?(descriptor: Int32, from offset: Int, work: WorkContext) {
    guard work.threadCount > 1 else { return nil }
    self.work = work
    let count = read(from: descriptor, at: offset, limit: 1 << 16)
    guard Self.blockByteCount(window[..<count]) != nil else { return nil }
    inflations = (0..<work.threadCount).map { _ in Inflation(.gzip) }
  }

  /// Whether all content that was inflated is delivered.
  var isEmpty: Bool { position == content.count }

  /// Copies inflated content; returns how much.
  func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    let count = min(buffer.count, content.count - position)
    content.withUnsafeBytes {
      buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[position..<position + count]))
    }
    position += count
    return count
  }

  /// Inflates the blocks from a byte of the file on.
  /// - Returns: The number of their bytes in the file; nil where no block is complete or one is damaged. Reading the
  ///   file member by member then reports the damage.
  func inflateBlocks(of descriptor: Int32, at offset: Int) -> Int? {
    let count = read(from: descriptor, at: offset, limit: window.count)
    let blocks = blocks(inFirst: count)
    guard let last = blocks.last else { return nil }
    position = 0
    let isDamaged = Mutex(false)
    content = [UInt8](unsafeUninitializedCapacity: last.content.upperBound) { content, initialisedCount in
      window.withUnsafeBytes { window in
        // SAFETY: every block has bytes of its own in both, and both outlive the loop; each thread has its inflation.
        nonisolated(unsafe) let (window, content) = (window, UnsafeMutableRawBufferPointer(content))
        nonisolated(unsafe) let inflations = inflations
        // Only a cancellation ends the loop early; then the content is not used.
        let isComplete =
          (try? work.withoutProgress.forEach(count: blocks.count, grain: 8) { index, worker in
            let block = blocks[index]
            let isWhole = inflations[worker].isMember(
              UnsafeRawBufferPointer(rebasing: window[block.compressed]),
              inflating: UnsafeMutableRawBufferPointer(rebasing: content[block.content]))
            if !isWhole { isDamaged.withLock { $0 = true } }
          }) != nil
        if !isComplete { isDamaged.withLock { $0 = true } }
      }
      initialisedCount = isDamaged.withLock { $0 } ? 0 : last.content.upperBound
    }
    return isDamaged.withLock { $0 } ? nil : last.compressed.upperBound
  }

  private func read(from descriptor: Int32, at offset: Int, limit: Int) -> Int {
    var count = 0
    window.withUnsafeMutableBytes { window in
      while count < limit {
        let step = pread(descriptor, window.baseAddress! + count, limit - count, off_t(offset + count))
        if step < 0, errno == EINTR { continue }
        guard step > 0 else { return }
        count += step
      }
    }
    return count
  }

  /// The complete blocks in the first bytes of the window, until they hold enough content.
  private func blocks(inFirst count: Int) -> [Block] {
    var blocks: [Block] = []
    var (start, contentStart) = (0, 0)
    while contentStart < Self.contentLimit, let size = Self.blockByteCount(window[start..<count]),
      start + size <= count
    {
      let length = window[start + size - 4..<start + size].reversed().reduce(0) { $0 << 8 | Int($1) }
      guard length <= 1 << 16 else { break }
      blocks.append(
        Block(compressed: start..<start + size, content: contentStart..<contentStart + length))
      start += size
      contentStart += length
    }
    return blocks
  }

  /// The size that a block's header states; nil where the bytes do not begin with such a header.
  private static func blockByteCount(_ bytes: ArraySlice<UInt8>) -> Int? {
    let header = 18
    let start = bytes.startIndex
    guard bytes.count >= header, bytes.starts(with: [0x1f, 0x8b, 8, 4]) else { return nil }
    func number(at offset: Int) -> Int { Int(bytes[start + offset]) | Int(bytes[start + offset + 1]) << 8 }
    // The only extra field, as bgzip writes it: "BC", two bytes long.
    guard number(at: 10) == 6, bytes[(start + 12)...].starts(with: Array("BC".utf8)), number(at: 14) == 2
    else {
      return nil
    }
    let size = number(at: 16) + 1
    return size >= header + 8 ? size : nil
  }
}

extension Inflation {
  /// Whether `bytes` are one gzip member with exactly the content that fills `content`; inflates it.
  fileprivate func isMember(
    _ bytes: UnsafeRawBufferPointer, inflating content: UnsafeMutableRawBufferPointer
  ) -> Bool {
    guard bytes.count <= 1 << 16 else { return false }
    beginMember()
    _ = refill { input in
      input.copyMemory(from: bytes)
      return bytes.count
    }
    var done = 0
    // Inflating needs room for output even for an empty block, as at the end of a file.
    var spare: UInt8 = 0
    while true {
      let step = withUnsafeMutableBytes(of: &spare) { spare in
        inflate(
          into: done < content.count ? UnsafeMutableRawBufferPointer(rebasing: content[done...]) : spare)
      }
      guard done + step.count <= content.count else { return false }
      done += step.count
      switch step.progress {
      case .memberEnded: return done == content.count && pendingByteCount == 0
      case .advanced where step.count > 0: continue
      case .advanced, .damaged: return false
      }
    }
  }
}
