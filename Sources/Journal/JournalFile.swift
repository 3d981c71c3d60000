import Foundation
import Synchronization
import Work

/// An append-only file: a first line with the format's name and version, then records with checksums.
///
/// A record is a header of 24 bytes, the text, the voxels, and a second copy of the text. The header is little-endian:
/// length of the text (32 bits, the highest set), CRC-32 of the text, length of the voxels (64 bits), CRC-32 of the
/// voxels, CRC-32 of these 20 bytes. Where the highest bit is not set, as in older journals, there is no second copy.
/// A text is lost when both of its copies are damaged; damaged texts and voxels affect their record only. A damaged
/// header ends the file, because the position of the next record is unknown.
///
/// One process at a time writes a file. It holds a lock that the operating system releases when the process ends.
package final class JournalFile: Sendable {
  /// The text of a record and the position of its voxels.
  package struct Entry: Equatable, Sendable {
    /// The JSON; nil where both of its copies are damaged.
    package var text: Data?
    /// Whether voxels belong to it.
    package var hasVoxels: Bool { voxelCount > 0 }
    fileprivate var voxelOffset: Int
    fileprivate var voxelCount: Int
    fileprivate var voxelChecksum: UInt32
  }

  package struct Contents: Equatable, Sendable {
    /// Every record, oldest first.
    package var entries: [Entry] = []
    /// Bytes after the last readable record that are not merely an unfinished record.
    package var unreadableByteCount = 0
    /// Bytes of an unfinished or truncated record at the end.
    package var unfinishedByteCount = 0
    /// Whether the file existed and was empty.
    package var isEmpty = false
    /// Whether the first line was damaged although records follow it.
    package var hadDamagedFirstLine = false
    /// The name of the copy beside the journal from before the unreadable bytes were truncated; nil where none were.
    package var copyName: String?
    /// The offset of the end of the last readable record.
    fileprivate var end = 0
    /// Whether the first line must be written anew.
    fileprivate var needsFirstLine = false
  }

  package let path: String
  private let descriptor: Int32
  /// The size of the file after this process's last write.
  private let size = Atomic<Int>(0)

  private static let headerSize = 24
  /// Set in the length of a text where a second copy follows the voxels.
  private static let copyFlag: UInt32 = 1 << 31
  private static let version = 1

  /// Opens a journal for writing, or creates it.
  ///
  /// An unfinished record at the end is truncated. Where more cannot be read, the whole file is first copied beside it
  /// as `.damaged`, and ``Contents/copyName`` is set.
  /// - Returns: nil when another program writes it.
  /// - Throws: ``InputError`` when the file cannot be written or belongs to a newer program.
  package static func openForWriting(
    _ path: String
  ) throws(InputError) -> (file: JournalFile, contents: Contents)? {
    while true {
      let flags = O_RDWR | O_NOFOLLOW
      var descriptor = FileSystem.open(path, flags)
      let isNew = descriptor < 0 && errno == ENOENT
      if isNew { descriptor = FileSystem.open(path, flags | O_CREAT, mode: 0o600) }
      guard descriptor >= 0 else { throw failure(path) }
      let file = JournalFile(path: path, descriptor: descriptor)
      try ReadFiles.register(path)
      guard acquireLock(descriptor) else { return nil }
      var status = stat()
      guard fstat(descriptor, &status) == 0 else { throw failure(path) }
      // The file was removed between opening and locking.
      if status.st_nlink == 0 { continue }
      var contents = try file.contents()
      if isNew { contents.isEmpty = false }
      do {
        try file.repair(&contents, size: Int(status.st_size))
      } catch {
        // No empty file is left where nothing could be written.
        if isNew { FileSystem.remove(path) }
        throw error
      }
      return (file, contents)
    }
  }

  /// Opens a journal for reading.
  /// - Throws: ``InputError`` when the file cannot be read or belongs to a newer program.
  package static func openForReading(_ path: String) throws(InputError) -> (
    file: JournalFile, contents: Contents
  ) {
    let descriptor = FileSystem.open(path, O_RDONLY | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw InputError(path, "cannot be read", found: String(cString: strerror(errno)))
    }
    let file = JournalFile(path: path, descriptor: descriptor)
    _ = try FileSystem.statusOfOrdinaryFile(descriptor, path: path)
    try ReadFiles.register(path)
    var contents = try file.contents()
    // Another process may be writing a record now.
    if isInUse(path) { (contents.unfinishedByteCount, contents.isEmpty) = (0, false) }
    return (file, contents)
  }

  /// Acquires the lock of an open file.
  ///
  /// True also on a file system without locks, where the file is not protected.
  ///
  /// An ending process, or a forked process before `exec`, may hold the lock for a short time, so it is tried for 0.2
  /// s.
  private static func acquireLock(_ descriptor: Int32) -> Bool {
    for _ in 0..<20 {
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK { return true }
      usleep(10_000)
    }
    return false
  }

  /// Whether a program writes it now.
  package static func isInUse(_ path: String) -> Bool {
    let descriptor = FileSystem.open(path, O_RDONLY | O_NONBLOCK)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
  }

  private init(path: String, descriptor: Int32) {
    self.path = path
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// Appends records, all of them or none; they are synced to the disk when the function returns.
  /// - Throws: ``InputError`` when the disk is full or fails.
  package func append(_ records: [JournalRecord]) throws(InputError) {
    try checkFileOnDisk()
    let end = lseek(descriptor, 0, SEEK_END)
    guard end >= 0 else { throw JournalFile.failure(path) }
    defer { size.store(Int(lseek(descriptor, 0, SEEK_END)), ordering: .relaxed) }
    for record in records {
      for piece in [JournalFile.header(record), record.text, record.voxels, record.text] where !write(piece) {
        let error = JournalFile.failure(path)
        ftruncate(descriptor, end)
        throw error
      }
    }
    guard fdatasync(descriptor) == 0 else {
      let error = JournalFile.failure(path)
      ftruncate(descriptor, end)
      throw error
    }
  }

  /// Checks that the path is still this file.
  ///
  /// A file that was removed or moved is written again at its path, with its folder, from the open descriptor.
  /// - Throws: ``InputError`` when another program truncated or replaced the file, or the disk fails.
  private func checkFileOnDisk() throws(InputError) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw JournalFile.failure(path) }
    let known = size.load(ordering: .relaxed)
    guard status.st_size >= known else {
      throw InputError(
        path, "was cut off by another program", found: "\(status.st_size) bytes",
        expected: "at least \(known)")
    }
    if let there = FileSystem.status(path) {
      guard (there.st_dev, there.st_ino) == (status.st_dev, status.st_ino) else {
        throw InputError(path, "cannot be written", found: "another file in its place")
      }
      return
    }
    guard let bytes = read(0, Int(status.st_size)) else { throw JournalFile.failure(path) }
    try FileSystem.makeFolder(FilePath.folder(of: path), mode: 0o700)
    let other = FileSystem.open(path, O_RDWR | O_CREAT | O_EXCL, mode: 0o600)
    guard other >= 0 else { throw JournalFile.failure(path) }
    defer { close(other) }
    let isWritten = bytes.withUnsafeBytes { JournalFile.write($0, to: other) } && fsync(other) == 0
    // From here on the lock is the one of the new file.
    guard isWritten, flock(other, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK,
      dup2(other, descriptor) >= 0, fcntl(descriptor, F_SETFD, FD_CLOEXEC) >= 0
    else {
      let error = JournalFile.failure(path)
      FileSystem.remove(path)
      throw error
    }
  }

  /// The voxels of a record; nil when they are damaged.
  package func voxels(of entry: Entry) -> Data? {
    guard let voxels = read(entry.voxelOffset, entry.voxelCount),
      CRC32.checksum(of: voxels) == entry.voxelChecksum
    else { return nil }
    return voxels
  }

  // MARK: Reading

  private func contents() throws(InputError) -> Contents {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw JournalFile.failure(path) }
    let size = Int(status.st_size)
    var contents = Contents()
    let first = JournalFile.firstLine(JournalFile.version)
    let found = read(0, min(first.count, size)) ?? Data()
    if found != first {
      for newer in JournalFile.version + 1...99 where found == JournalFile.firstLine(newer) {
        throw InputError(path, "was written by a newer segdeck", expected: "journals of version 1")
      }
      contents.needsFirstLine = true
      if size < first.count {
        // Nothing follows an unfinished first line.
        contents.isEmpty = size == 0
        if first.starts(with: found) {
          contents.unfinishedByteCount = size
        } else {
          contents.unreadableByteCount = size
        }
        return contents
      }
    }
    contents.end = first.count
    while let header = header(at: contents.end, size: size) {
      let start = contents.end + JournalFile.headerSize
      let voxelStart = start + header.textCount
      // Each count is compared with the remaining bytes, because a sum of damaged counts may overflow.
      guard header.textCount <= size - start, header.voxelCount <= size - voxelStart,
        header.copyCount <= size - voxelStart - header.voxelCount
      else { break }
      let copy = header.copyCount > 0 ? [voxelStart + header.voxelCount] : []
      let texts = ([start] + copy).lazy.compactMap { self.read($0, header.textCount) }
      contents.entries.append(
        Entry(
          text: texts.first { CRC32.checksum(of: $0) == header.textChecksum }, voxelOffset: voxelStart,
          voxelCount: header.voxelCount, voxelChecksum: header.voxelChecksum))
      contents.end = voxelStart + header.voxelCount + header.copyCount
    }
    let rest = size - contents.end
    if contents.needsFirstLine, contents.end == first.count {
      // Nothing proves that this was a journal.
      contents.unreadableByteCount = size
    } else if rest >= JournalFile.headerSize, header(at: contents.end, size: size) == nil {
      contents.unreadableByteCount = rest
    } else {
      contents.unfinishedByteCount = rest
    }
    contents.hadDamagedFirstLine = contents.needsFirstLine && contents.end > first.count
    return contents
  }

  private struct Header {
    var textCount: Int
    /// Bytes of the second copy of the text.
    var copyCount: Int
    var textChecksum: UInt32
    var voxelCount: Int
    var voxelChecksum: UInt32
  }

  private func header(at offset: Int, size: Int) -> Header? {
    guard size - offset >= JournalFile.headerSize, let bytes = read(offset, JournalFile.headerSize),
      CRC32.checksum(of: bytes.prefix(20)) == JournalFile.number(bytes, at: 20, of: UInt32.self)
    else { return nil }
    let number = JournalFile.number(bytes, at: 0, of: UInt32.self)
    let textCount = Int(number & ~JournalFile.copyFlag)
    return Header(
      textCount: textCount, copyCount: number & JournalFile.copyFlag == 0 ? 0 : textCount,
      textChecksum: JournalFile.number(bytes, at: 4, of: UInt32.self),
      voxelCount: Int(clamping: JournalFile.number(bytes, at: 8, of: UInt64.self)),
      voxelChecksum: JournalFile.number(bytes, at: 16, of: UInt32.self))
  }

  private static func header(_ record: JournalRecord) -> Data {
    var bytes = Data()
    func put(_ number: some FixedWidthInteger) {
      withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }
    put(UInt32(record.text.count) | copyFlag)
    put(CRC32.checksum(of: record.text))
    put(UInt64(record.voxels.count))
    put(CRC32.checksum(of: record.voxels))
    put(CRC32.checksum(of: bytes))
    return bytes
  }

  /// "segdeck journal 1 CRC".
  ///
  /// The checksum distinguishes a newer version from a flipped bit.
  private static func firstLine(_ version: Int) -> Data {
    let text = "segdeck journal \(version)"
    return Data("\(text) \(String(format: "%08x", CRC32.checksum(of: Data(text.utf8))))\n".utf8)
  }

  private static func number<Number: FixedWidthInteger>(
    _ bytes: Data, at offset: Int, of type: Number.Type
  ) -> Number {
    (0..<MemoryLayout<Number>.size).reduce(0) { number, position in
      number | Number(bytes[bytes.startIndex + offset + position]) << Number(8 * position)
    }
  }

  private func read(_ offset: Int, _ count: Int) -> Data? {
    var bytes = Data(count: count)
    let isWhole = bytes.withUnsafeMutableBytes { buffer in
      var done = 0
      while done < count {
        let got = pread(descriptor, buffer.baseAddress! + done, count - done, off_t(offset + done))
        if got < 0, errno == EINTR { continue }
        if got <= 0 { return false }
        done += got
      }
      return true
    }
    return isWhole ? bytes : nil
  }

  // MARK: Writing

  /// Repairs the first line and truncates the file after its last readable record, so that records can be appended.
  private func repair(_ contents: inout Contents, size: Int) throws(InputError) {
    if contents.unreadableByteCount > 0 { contents.copyName = try copyDamaged(size: size) }
    let first = JournalFile.firstLine(JournalFile.version)
    if contents.needsFirstLine {
      let isWritten = first.withUnsafeBytes { pwrite(descriptor, $0.baseAddress!, $0.count, 0) == $0.count }
      guard isWritten else { throw JournalFile.failure(path) }
    }
    let end = max(contents.end, first.count)
    if size != end, ftruncate(descriptor, off_t(end)) != 0 { throw JournalFile.failure(path) }
    self.size.store(end, ordering: .relaxed)
    guard fsync(descriptor) == 0 else { throw JournalFile.failure(path) }
  }

  /// The suffix of a copy's name.
  static let damagedSuffix = ".damaged"

  /// Copies the file to a new name beside it.
  /// - Returns: The name of the copy.
  private func copyDamaged(size: Int) throws(InputError) -> String {
    guard let bytes = read(0, size) else { throw JournalFile.failure(path) }
    var number = 1
    while true {
      let copy = path + JournalFile.damagedSuffix + (number == 1 ? "" : "-\(number)")
      number += 1
      if FileSystem.exists(copy) { continue }
      try AtomicFile.write(bytes, to: copy)
      return FilePath.name(of: copy)
    }
  }

  private func write(_ data: Data) -> Bool {
    data.withUnsafeBytes { JournalFile.write($0, to: descriptor) }
  }

  private static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Bool {
    var done = 0
    while done < bytes.count {
      let count = Glibc.write(descriptor, bytes.baseAddress! + done, bytes.count - done)
      if count < 0, errno == EINTR { continue }
      if count <= 0 { return false }
      done += count
    }
    return true
  }

  private static func failure(_ path: String) -> InputError {
    InputError(path, "cannot be written", found: String(cString: strerror(errno)))
  }
}
