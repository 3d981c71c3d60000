import Foundation
import Synchronization
import Work

/// A file of JSON lines that one process appends to and any number of processes read.
///
/// A line is `{"crc32":"XXXXXXXX","record":RECORD}` with the CRC-32 of the record's bytes, so that a damaged line is
/// recognised and does not affect other lines.
package final class LineFile: Sendable {
  package let path: String
  /// The open descriptor; -1 before the first line.
  private let descriptor: Mutex<Int32>

  /// A file that is created with its first line; nothing is written yet.
  package init(path: String) {
    self.path = path
    descriptor = Mutex(-1)
  }

  deinit {
    descriptor.withLock { if $0 >= 0 { close($0) } }
  }

  /// Appends a record with one write; it is synced to the disk when the function returns.
  ///
  /// A file that was removed in the meantime is created again with all of its lines.
  /// - Parameter record: JSON without line breaks.
  /// - Throws: ``InputError`` when the file cannot be made, or the disk is full or fails; then no part of the line
  ///   stays.
  package func append(_ record: Data) throws(InputError) {
    let line = LineCoding.line(record)
    let failure: InputError? = descriptor.withLock { descriptor in
      do throws(InputError) {
        guard descriptor < 0 else {
          try restoreIfRemoved(&descriptor)
          try write(line, to: descriptor)
          return nil
        }
        descriptor = try make(holding: line)
        return nil
      } catch { return error }
    }
    if let failure { throw failure }
  }

  /// Creates the file with its first content; no file is left where that cannot be written.
  private func make(holding data: Data) throws(InputError) -> Int32 {
    let descriptor = FileSystem.open(path, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW)
    guard descriptor >= 0 else { throw failure() }
    do throws(InputError) { try write(data, to: descriptor) } catch {
      close(descriptor)
      FileSystem.remove(path)
      throw error
    }
    return descriptor
  }

  private func restoreIfRemoved(_ descriptor: inout Int32) throws(InputError) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw failure() }
    guard status.st_nlink == 0 else { return }
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
    guard pread(descriptor, &bytes, bytes.count, 0) == bytes.count else { throw failure() }
    try FileSystem.makeFolder(FilePath.folder(of: path))
    let other = try make(holding: Data(bytes))
    close(descriptor)
    descriptor = other
  }

  private func write(_ data: Data, to descriptor: Int32) throws(InputError) {
    let end = lseek(descriptor, 0, SEEK_END)
    let count = data.withUnsafeBytes { bytes in
      var count = Glibc.write(descriptor, bytes.baseAddress, bytes.count)
      while count < 0, errno == EINTR { count = Glibc.write(descriptor, bytes.baseAddress, bytes.count) }
      return count
    }
    guard end >= 0, count == data.count else {
      // A partly written line means that the disk is full.
      if count >= 0 { errno = ENOSPC }
      let error = failure()
      if end >= 0 { ftruncate(descriptor, end) }
      throw error
    }
    guard fdatasync(descriptor) == 0 else { throw failure() }
  }

  private func failure() -> InputError {
    InputError(path, "cannot be written", found: String(cString: strerror(errno)))
  }
}

/// Reads the lines of a ``LineFile`` that were appended since the last read.
package struct LineTail: Sendable {
  /// The lines that were appended since the last read.
  package struct Found: Equatable, Sendable {
    /// The new records, oldest first.
    package var records: [Data] = []
    /// New lines that are damaged.
    package var damagedCount = 0
    /// Whether the file became shorter or is another one, so that ``records`` are all of it.
    package var isRestarted = false
    /// Whether there is no file any more.
    package var isMissing = false
  }

  package let path: String
  /// Bytes after the last whole line: of a line that is being written, or that was cut off.
  package private(set) var unfinishedByteCount = 0
  /// When the file was last written, in seconds since 1970; 0 before the first look.
  package private(set) var modifiedSeconds = 0
  private var offset = 0
  private var file: (device: UInt, inode: UInt)?

  /// The maximum number of bytes that are read at once; a longer line is not a record.
  private static let pieceSize = 64 << 20

  /// A reader of a file, whose first read returns the whole file.
  package init(path: String) { self.path = path }

  /// Reads the appended lines; where the size is the same, only one `stat` is needed.
  /// - Throws: ``InputError`` when the file cannot be read.
  /// - Complexity: O(new bytes).
  package mutating func read() throws(InputError) -> Found {
    var found = Found()
    guard let status = FileSystem.status(path) else {
      found.isMissing = file != nil
      return found
    }
    let identity = (device: UInt(status.st_dev), inode: UInt(status.st_ino))
    if let file, file != identity || status.st_size < offset + unfinishedByteCount {
      found.isRestarted = true
      (offset, unfinishedByteCount) = (0, 0)
    }
    file = identity
    modifiedSeconds = status.st_mtim.tv_sec
    let size = Int(status.st_size)
    while size > offset + unfinishedByteCount {
      let bytes = try bytes(upTo: size)
      guard let end = bytes.lastIndex(of: 0x0a) else {
        unfinishedByteCount = bytes.count
        guard bytes.count == Self.pieceSize else { break }
        // A longer line is not a record.
        (offset, unfinishedByteCount) = (offset + bytes.count, 0)
        found.damagedCount += 1
        continue
      }
      for line in bytes[...end].split(separator: 0x0a) {
        if let record = LineCoding.record(line) {
          found.records.append(record)
        } else {
          found.damagedCount += 1
        }
      }
      offset += end + 1
      unfinishedByteCount = bytes.count - end - 1
      if bytes.count < Self.pieceSize { break }
    }
    return found
  }

  private func bytes(upTo size: Int) throws(InputError) -> [UInt8] {
    let descriptor = FileSystem.open(path, O_RDONLY | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw InputError(path, "cannot be read", found: String(cString: strerror(errno)))
    }
    defer { close(descriptor) }
    _ = try FileSystem.statusOfOrdinaryFile(descriptor, path: path)
    try ReadFiles.register(path)
    var bytes = [UInt8](repeating: 0, count: min(size - offset, Self.pieceSize))
    let count = pread(descriptor, &bytes, bytes.count, off_t(offset))
    guard count >= 0 else {
      throw InputError(path, "cannot be read", found: String(cString: strerror(errno)))
    }
    bytes.removeSubrange(count...)
    return bytes
  }
}

/// The form of a line.
private enum LineCoding {
  private static let start = Array("{\"crc32\":\"".utf8)
  private static let middle = Array("\",\"record\":".utf8)

  static func line(_ record: Data) -> Data {
    let checksum = String(format: "%08x", CRC32.checksum(of: record))
    return Data(start) + Data(checksum.utf8) + Data(middle) + record + Data("}\n".utf8)
  }

  /// The record of a line without its line break; nil where it is damaged.
  static func record(_ line: ArraySlice<UInt8>) -> Data? {
    let headCount = start.count + 8 + middle.count
    guard line.count > headCount, line.starts(with: start), line.last == UInt8(ascii: "}") else { return nil }
    let digits = line.dropFirst(start.count).prefix(8)
    guard line.dropFirst(start.count + 8).starts(with: middle) else { return nil }
    let record = Data(line.dropFirst(headCount).dropLast())
    return UInt32(String(decoding: digits, as: UTF8.self), radix: 16) == CRC32.checksum(of: record)
      ? record : nil
  }
}
