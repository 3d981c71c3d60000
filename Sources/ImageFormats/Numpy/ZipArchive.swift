import Foundation
import Work

/// The central directory of a ZIP archive (APPNOTE 6.3), also of ZIP64, with files that are stored or deflated.
///
/// Sizes that the archive states lead to no allocation, except for the directory itself, whose size is limited.
struct ZipArchive {
  /// A file of the archive.
  struct Entry: Equatable {
    var name: String
    /// Whether the content is deflated; otherwise it is stored.
    var isDeflated: Bool
    /// CRC-32 of the content.
    var checksum: UInt32
    var compressedByteCount, byteCount: Int
    /// The offset of its local header in bytes.
    var headerOffset: Int
  }

  let path: String
  /// The files in the archive, in the order of the directory.
  let entries: [Entry]
  private let bytes: FileBytes

  /// The maximum size of the directory in bytes, and the maximum number of files.
  private static let directoryLimit = 1 << 20
  private static let entryLimit = 1000

  /// Opens an archive and reads its directory.
  /// - Throws: ``InputError`` for a missing file, one that is not an archive, or one whose directory is damaged.
  init(_ path: String) throws(InputError) {
    self.path = path
    bytes = try FileBytes(path)
    let end = try Self.endOfDirectory(bytes)
    guard (0...Self.entryLimit).contains(end.count), end.byteCount <= Self.directoryLimit else {
      throw InputError(
        path, "holds too many files", found: "\(end.count)", expected: "\(Self.entryLimit) or fewer")
    }
    var reader = LittleEndianReader(try bytes.read(end.byteCount, at: end.offset, "directory"))
    var entries: [Entry] = []
    for _ in 0..<end.count { entries.append(try Self.entry(&reader, path)) }
    self.entries = entries
  }

  /// The number of files, and the size and offset of the directory in bytes.
  private struct End {
    var count, byteCount, offset: Int
  }

  /// Reads the position of the directory from the record at the end of the file, which a comment may follow.
  private static func endOfDirectory(_ bytes: FileBytes) throws(InputError) -> End {
    let tailCount = min(bytes.count, 22 + 65535)
    let tail = try bytes.read(tailCount, at: bytes.count - tailCount, "end")
    let start = tail.indices.dropLast(21).last { position in
      tail[position..<position + 4].elementsEqual([0x50, 0x4b, 5, 6])
        && position + 22 + Int(tail[position + 20]) + Int(tail[position + 21]) << 8 == tail.count
    }
    guard let start else { throw InputError(bytes.path, "is no ZIP archive, or is cut off") }
    var reader = LittleEndianReader(Array(tail[start...]))
    reader.skip(10)
    let end = End(count: reader.number(2), byteCount: reader.number(4), offset: reader.number(4))
    let position = bytes.count - tailCount + start
    guard end.count == 0xffff || end.byteCount == 0xffff_ffff || end.offset == 0xffff_ffff, position >= 20
    else { return end }
    var locator = LittleEndianReader(try bytes.read(20, at: position - 20, "ZIP64 locator"))
    guard locator.number(4) == 0x0706_4b50 else { return end }
    locator.skip(4)
    var large = LittleEndianReader(try bytes.read(56, at: locator.number(8), "ZIP64 end"))
    guard large.number(4) == 0x0606_4b50 else {
      throw InputError(bytes.path, "its ZIP64 directory is damaged")
    }
    large.skip(28)
    return End(count: large.number(8), byteCount: large.number(8), offset: large.number(8))
  }

  private static func entry(_ reader: inout LittleEndianReader, _ path: String) throws(InputError) -> Entry {
    let damaged = InputError(path, "its directory is damaged")
    guard reader.remainingByteCount >= 46, reader.number(4) == 0x0201_4b50 else { throw damaged }
    reader.skip(4)
    let (flags, method) = (reader.number(2), reader.number(2))
    reader.skip(4)
    let checksum = reader.number(4)
    var (compressed, whole) = (reader.number(4), reader.number(4))
    let (nameCount, extraCount, commentCount) = (reader.number(2), reader.number(2), reader.number(2))
    reader.skip(8)
    var offset = reader.number(4)
    guard reader.remainingByteCount >= nameCount + extraCount + commentCount else { throw damaged }
    let name = String(decoding: reader.bytes(nameCount), as: UTF8.self)
    var extra = LittleEndianReader(reader.bytes(extraCount))
    reader.skip(commentCount)
    while extra.remainingByteCount >= 4 {
      let (kind, count) = (extra.number(2), extra.number(2))
      var field = LittleEndianReader(extra.bytes(min(count, extra.remainingByteCount)))
      guard kind == 1 else { continue }
      // This ZIP64 field holds only the numbers that do not fit into 32 bits, in this order.
      if whole == 0xffff_ffff { whole = field.number(8) }
      if compressed == 0xffff_ffff { compressed = field.number(8) }
      if offset == 0xffff_ffff { offset = field.number(8) }
    }
    guard flags & 1 == 0, method == 0 || method == 8 else {
      throw InputError(
        path, "\(name.printableLine) cannot be unpacked",
        found: flags & 1 == 0 ? "compression method \(method)" : "encryption", expected: "deflate")
    }
    guard compressed >= 0, whole >= 0, offset >= 0 else { throw damaged }
    return Entry(
      name: name, isDeflated: method == 8, checksum: UInt32(checksum), compressedByteCount: compressed,
      byteCount: whole, headerOffset: offset)
  }

  /// A stream of the content of a file, at its beginning.
  /// - Throws: ``InputError`` when its local header is damaged, or the archive ends before the content.
  func stream(_ entry: Entry) throws(InputError) -> ZipEntryStream {
    var header = LittleEndianReader(try bytes.read(30, at: entry.headerOffset, entry.name))
    guard header.number(4) == 0x0403_4b50 else {
      throw InputError(path, "\(entry.name.printableLine) is not where the directory says")
    }
    header.skip(22)
    let start = entry.headerOffset + 30 + header.number(2) + header.number(2)
    guard start <= bytes.count, entry.compressedByteCount <= bytes.count - start else {
      throw InputError(path, "\(entry.name.printableLine) is cut off")
    }
    return ZipEntryStream(bytes, entry, start: start)
  }
}

/// An open file that is read at any offset.
final class FileBytes {
  let path: String
  /// The size of the file in bytes.
  let count: Int
  private let descriptor: Int32

  /// Opens a file.
  /// - Throws: ``InputError`` for a missing or unreadable file, a folder or a device.
  init(_ path: String) throws(InputError) {
    try ReadFiles.register(path)
    // Without O_NONBLOCK, opening a named pipe would wait for a writer.
    let descriptor = FileSystem.open(path, O_RDONLY | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw InputError(path, "cannot be opened", found: String(cString: strerror(errno)))
    }
    self.path = path
    self.descriptor = descriptor
    var status = stat()
    fstat(descriptor, &status)
    count = Int(status.st_size)
    _ = try FileSystem.statusOfOrdinaryFile(descriptor, path: path)
  }

  deinit { close(descriptor) }

  /// Reads `count` bytes at an offset; `part` names them in errors.
  /// - Throws: ``InputError`` where the file has no such bytes, or the disk fails.
  func read(_ count: Int, at offset: Int, _ part: String) throws(InputError) -> [UInt8] {
    guard offset >= 0, count >= 0, offset <= self.count, count <= self.count - offset else {
      throw InputError(path, "is cut off in its \(part.printableLine)")
    }
    let bytes = try [UInt8](count: count) { buffer throws(InputError) in try read(into: buffer, at: offset) }
    guard bytes.count == count else { throw InputError(path, "is cut off in its \(part.printableLine)") }
    return bytes
  }

  /// Fills a buffer from an offset on, up to the end of the file.
  /// - Returns: The number of bytes that were read.
  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(InputError) -> Int {
    var done = 0
    while done < buffer.count {
      let count = pread(descriptor, buffer.baseAddress! + done, buffer.count - done, off_t(offset + done))
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else {
        throw InputError(path, "cannot be read", found: String(cString: strerror(errno)))
      }
      if count == 0 { break }
      done += count
    }
    return done
  }
}

extension [UInt8] {
  /// An array of at most `count` bytes, which `fill` writes; it returns their number.
  init(
    count: Int, _ fill: (UnsafeMutableRawBufferPointer) throws(InputError) -> Int
  ) throws(InputError) {
    var failure: InputError?
    self.init(unsafeUninitializedCapacity: count) { buffer, initialisedCount in
      do throws(InputError) {
        initialisedCount = try fill(UnsafeMutableRawBufferPointer(buffer))
      } catch { failure = error }
    }
    if let failure { throw failure }
  }
}

/// Reads little-endian numbers from bytes; bytes after the end count as zeros.
struct LittleEndianReader {
  private let content: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { content = bytes }

  /// The number of bytes that were not read yet.
  var remainingByteCount: Int { content.count - position }

  /// Reads an unsigned number of `byteCount` bytes; -1 where it exceeds `Int`.
  mutating func number(_ byteCount: Int) -> Int {
    let number = bytes(byteCount).enumerated().reduce(UInt64(0)) {
      $0 | UInt64($1.element) << (8 * $1.offset)
    }
    return Int(exactly: number) ?? -1
  }

  mutating func skip(_ count: Int) { position = min(content.count, position + max(0, count)) }

  mutating func bytes(_ count: Int) -> [UInt8] {
    let end = min(content.count, position + max(0, count))
    defer { position = end }
    return Array(content[position..<end])
  }
}
