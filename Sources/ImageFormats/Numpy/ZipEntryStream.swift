import CZlib
import Work

/// The content of one file of a ZIP archive, inflated as it is read.
final class ZipEntryStream {
  private let bytes: FileBytes
  private let entry: ZipArchive.Entry
  private let inflation: Inflation?
  /// The offset in the archive at which the next bytes are read, and the one at which the entry ends.
  private var offset: Int
  private let end: Int
  /// The number of content bytes that were read so far.
  private(set) var position = 0
  private var checksum: uLong = 0

  init(_ bytes: FileBytes, _ entry: ZipArchive.Entry, start: Int) {
    (self.bytes, self.entry) = (bytes, entry)
    inflation = entry.isDeflated ? Inflation(.raw) : nil
    offset = start
    end = start + entry.compressedByteCount
  }

  /// Fills `buffer` with the next bytes of the content.
  /// - Throws: ``InputError`` when fewer bytes are left, or the content is damaged.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws(InputError) {
    var done = 0
    while done < buffer.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
      let count: Int
      if let inflation {
        count = try inflate(inflation, into: rest)
      } else {
        count = try readStored(into: rest)
      }
      guard count > 0 else {
        throw InputError(
          bytes.path, "\(entry.name.printableLine) ends early", found: counted(position + done, "byte"),
          expected: "\(entry.byteCount)")
      }
      done += count
    }
    position += done
    checksum = crc32_z(checksum, buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), buffer.count)
    guard position == entry.byteCount, UInt32(truncatingIfNeeded: checksum) != entry.checksum else { return }
    throw InputError(bytes.path, "\(entry.name.printableLine) is damaged", found: "another checksum")
  }

  private func readStored(into buffer: UnsafeMutableRawBufferPointer) throws(InputError) -> Int {
    let count = min(buffer.count, end - offset)
    let done = try bytes.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]), at: offset)
    offset += done
    return done
  }

  private func inflate(
    _ inflation: Inflation, into buffer: UnsafeMutableRawBufferPointer
  ) throws(InputError) -> Int {
    while true {
      if inflation.pendingByteCount == 0, offset < end {
        var failure: InputError?
        let count = inflation.refill { input in
          let wanted = UnsafeMutableRawBufferPointer(rebasing: input[..<min(input.count, end - offset)])
          do throws(InputError) { return try bytes.read(into: wanted, at: offset) } catch { failure = error }
          return 0
        }
        if let failure { throw failure }
        guard count > 0 else { return 0 }
        offset += count
      }
      let (count, progress) = inflation.inflate(into: buffer)
      switch progress {
      case .advanced:
        // Without output, the next round reads more input, unless there is none.
        if count > 0 || offset >= end && inflation.pendingByteCount == 0 { return count }
      case .memberEnded: return count
      case .damaged(let reason):
        throw InputError(
          bytes.path, "\(entry.name.printableLine) is damaged after \(counted(position, "byte"))",
          found: reason)
      }
    }
  }
}
