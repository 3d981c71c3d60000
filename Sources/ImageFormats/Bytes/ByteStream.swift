import Foundation
import Work

/// The content of a file from its beginning on, inflated where the file is gzip, independent of its name.
///
/// Memory is a fixed window: what a header claims never decides how much is read.
final class ByteStream {
  /// The end of the content.
  enum End {
    /// The file, or its last gzip member, is complete.
    case complete
    /// The file ends inside a gzip member.
    case truncated
  }

  let path: String
  /// Bytes of the file as it lies on the disk.
  let fileByteCount: Int
  /// Bytes of content delivered or skipped.
  private(set) var position = 0
  /// Set once everything was delivered.
  private(set) var end: End?
  private let descriptor: Int32
  private let inflation: Inflation?
  /// The blocks of a file that is read on all threads; nil for other files, and once a block is damaged.
  private var blocks: BlockedGzip?
  private var isBetweenMembers = false
  private var isFirstMember = true
  /// Content of the current gzip member so far.
  private var memberByteCount = 0
  /// Set when the gzip data is followed by bytes that are not gzip.
  private(set) var hasTrailingBytes = false

  /// Opens a file.
  ///
  /// - Parameters:
  ///   - library: What inflates it, where that is installed.
  ///   - work: Its threads inflate blocked gzip.
  /// - Throws: ``InputError`` for a missing or unreadable file, a folder, a device, an empty file.
  init(
    path: String, library: Inflation.Library = .igzip, work: WorkContext = WorkContext(threadCount: 1)
  ) throws(InputError) {
    try ReadFiles.register(path)
    // Without O_NONBLOCK, opening a named pipe would wait for a writer.
    let descriptor = FileSystem.open(path, O_RDONLY | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw InputError(path, "cannot be opened", found: String(cString: strerror(errno)))
    }
    var status = stat()
    fstat(descriptor, &status)
    var magic: (UInt8, UInt8) = (0, 0)
    let magicCount = withUnsafeMutableBytes(of: &magic) { pread(descriptor, $0.baseAddress!, 2, 0) }
    self.path = path
    self.descriptor = descriptor
    fileByteCount = Int(status.st_size)
    inflation = magicCount == 2 && magic == (0x1f, 0x8b) ? Inflation(library: library) : nil
    blocks = inflation == nil ? nil : BlockedGzip(descriptor: descriptor, library: library, work: work)
    let kind = status.st_mode & S_IFMT
    if kind == S_IFDIR { throw InputError(path, "cannot be read", found: "a folder", expected: "a file") }
    guard kind == S_IFREG else {
      throw InputError(path, "cannot be read", found: "a device or pipe", expected: "a file")
    }
    guard fileByteCount > 0 else { throw InputError(path, "is empty", found: "0 bytes") }
  }

  deinit { close(descriptor) }

  /// Whether the file holds gzip.
  var isCompressed: Bool { inflation != nil }

  /// The most content the file can hold: deflate never expands more than 1032 times.
  var largestContentByteCount: Int { isCompressed ? fileByteCount * 1032 : fileByteCount }

  /// Fills `buffer` until it is full or the content ends; returns the bytes delivered.
  /// - Throws: ``InputError`` when the disk fails or the gzip data are damaged.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws(InputError) -> Int {
    var count = 0
    while count < buffer.count, end == nil {
      let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
      if let inflation {
        count += try inflate(inflation, into: rest)
      } else {
        count += try readStored(into: rest)
      }
    }
    position += count
    return count
  }

  /// Passes over `byteCount` bytes of content, or fewer when it ends; returns those passed.
  func skip(_ byteCount: Int) throws(InputError) -> Int {
    if !isCompressed {
      let passed = max(0, min(byteCount, fileByteCount - position))
      lseek(descriptor, off_t(passed), SEEK_CUR)
      position += passed
      return passed
    }
    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: min(byteCount, 1 << 18), alignment: 16)
    defer { scratch.deallocate() }
    var passed = 0
    while passed < byteCount, end == nil {
      passed += try read(
        into: UnsafeMutableRawBufferPointer(rebasing: scratch[..<min(scratch.count, byteCount - passed)]))
    }
    return passed
  }

  private func readStored(into buffer: UnsafeMutableRawBufferPointer) throws(InputError) -> Int {
    let count = try readFile(into: buffer)
    if count == 0 { end = .complete }
    return count
  }

  private func inflate(
    _ inflation: Inflation, into buffer: UnsafeMutableRawBufferPointer
  ) throws(InputError) -> Int {
    if let count = readBlocks(into: buffer) { return count }
    var isAtEndOfFile = false
    if inflation.pendingByteCount == 0 { isAtEndOfFile = try refill(inflation) == 0 }
    if isBetweenMembers {
      if isAtEndOfFile {
        end = .complete
        return 0
      }
      // What follows the last member is not content; gzip itself ignores it.
      guard inflation.nextByte == 0x1f else {
        endBeforeTrailingBytes()
        return 0
      }
      inflation.beginMember()
      (isBetweenMembers, isFirstMember, memberByteCount) = (false, false, 0)
    }
    // At the end of the file too: the library may hold its last bytes, with content that had no room.
    let (count, progress) = inflation.inflate(into: buffer)
    memberByteCount += count
    switch progress {
    case .advanced where isAtEndOfFile && count == 0:
      if isFirstMember || memberByteCount > 0 { end = .truncated } else { endBeforeTrailingBytes() }
    case .advanced: break
    case .memberEnded: isBetweenMembers = true
    // Bytes that only begin like a member are not gzip.
    case .damaged where !isFirstMember && memberByteCount == 0: endBeforeTrailingBytes()
    case .damaged(let reason):
      throw InputError(
        path, "gzip data are damaged after \(counted(position + count, "byte")) of content", found: reason)
    }
    return count
  }

  /// Delivers content of blocks; nil where the file is to be read member by member from here on.
  private func readBlocks(into buffer: UnsafeMutableRawBufferPointer) -> Int? {
    while let blocks {
      if !blocks.isEmpty { return blocks.read(into: buffer) }
      let offset = Int(lseek(descriptor, 0, SEEK_CUR))
      guard let count = blocks.inflateBlocks(of: descriptor, at: offset) else {
        self.blocks = nil
        return nil
      }
      lseek(descriptor, off_t(offset + count), SEEK_SET)
      isBetweenMembers = true
    }
    return nil
  }

  /// Gives the next bytes of the file to `inflation`; returns how many there are.
  private func refill(_ inflation: Inflation) throws(InputError) -> Int {
    var failure: InputError?
    let count = inflation.refill { input in
      do throws(InputError) { return try readFile(into: input) } catch { failure = error }
      return 0
    }
    if let failure { throw failure }
    return count
  }

  private func endBeforeTrailingBytes() {
    end = .complete
    hasTrailingBytes = true
  }

  private func readFile(into buffer: UnsafeMutableRawBufferPointer) throws(InputError) -> Int {
    while true {
      let count = Glibc.read(descriptor, buffer.baseAddress!, buffer.count)
      if count >= 0 { return count }
      if errno != EINTR {
        throw InputError(path, "cannot be read", found: String(cString: strerror(errno)))
      }
    }
  }
}
