import Foundation
import Work

/// The content of a file from a given byte on, decompressed where it is compressed.
///
/// Memory is a window of fixed size: sizes that a header claims do not determine it.
final class ByteStream: ContentStream {
  /// How the content is stored.
  enum Compression {
    /// gzip where the bytes begin with its magic number, whatever the file's name; otherwise uncompressed.
    case detected
    case none, gzip, zlib, bzip2
  }

  let path: String
  /// Bytes of the file as it lies on the disk.
  let fileByteCount: Int
  private(set) var position = 0
  private(set) var end: ContentEnd?
  private let descriptor: Int32
  /// The byte of the file where the content begins.
  private let fileOffset: Int
  private let decompression: (any Decompression)?
  /// The blocks of a file that is read on all threads; nil for other files, and once a block is damaged.
  private var blocks: BlockedGzip?
  private var isBetweenMembers = false
  private var isFirstMember = true
  /// Content of the current member so far.
  private var memberByteCount = 0
  private(set) var hasTrailingBytes = false

  /// Opens a file.
  /// - Parameters:
  ///   - fileOffset: The byte of the file where the content begins; beyond the end of the file, the content is empty.
  ///   - work: Its threads inflate blocked gzip.
  /// - Throws: ``InputError`` for a missing or unreadable file, a folder, a device, an empty file.
  init(
    path: String, from fileOffset: Int = 0, _ compression: Compression = .detected,
    work: WorkContext = WorkContext(threadCount: 1)
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
    let magicCount = withUnsafeMutableBytes(of: &magic) {
      pread(descriptor, $0.baseAddress!, 2, off_t(fileOffset))
    }
    self.path = path
    self.descriptor = descriptor
    fileByteCount = Int(status.st_size)
    self.fileOffset = min(fileOffset, fileByteCount)
    switch compression {
    case .detected: decompression = magicCount == 2 && magic == (0x1f, 0x8b) ? Inflation(.gzip) : nil
    case .none: decompression = nil
    case .gzip: decompression = Inflation(.gzip)
    case .zlib: decompression = Inflation(.zlib)
    case .bzip2: decompression = Bzip2Decompression()
    }
    let isGzip = decompression?.memberMagic == 0x1f
    blocks = isGzip ? BlockedGzip(descriptor: descriptor, from: self.fileOffset, work: work) : nil
    let kind = status.st_mode & S_IFMT
    if kind == S_IFDIR { throw InputError(path, "cannot be read", found: "a folder", expected: "a file") }
    guard kind == S_IFREG else {
      throw InputError(path, "cannot be read", found: "a device or pipe", expected: "a file")
    }
    guard fileByteCount > 0 else { throw InputError(path, "is empty", found: "0 bytes") }
    lseek(descriptor, off_t(self.fileOffset), SEEK_SET)
  }

  deinit { close(descriptor) }

  var compressionName: String? { decompression?.name }

  // libbz2 takes up to 0.1 s for a megabyte.
  var pieceByteCount: Int { decompression is Bzip2Decompression ? 1 << 18 : 1 << 20 }

  var storedByteCount: Int { fileByteCount - fileOffset }

  var largestExpansion: Int { decompression?.largestExpansion ?? 1 }

  var largestContentByteCount: Int {
    let (count, overflow) = storedByteCount.multipliedReportingOverflow(by: largestExpansion)
    return overflow ? .max : count
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(InputError) -> Int {
    var count = 0
    while count < buffer.count, end == nil {
      let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
      if let decompression {
        count += try inflate(decompression, into: rest)
      } else {
        count += try readStored(into: rest)
      }
    }
    position += count
    return count
  }

  func skip(_ byteCount: Int) throws(InputError) -> Int {
    if !isCompressed {
      let passed = max(0, min(byteCount, storedByteCount - position))
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
    _ decompression: any Decompression, into buffer: UnsafeMutableRawBufferPointer
  ) throws(InputError) -> Int {
    if let count = readBlocks(into: buffer) { return count }
    var isAtEndOfFile = false
    if decompression.pendingByteCount == 0 { isAtEndOfFile = try refill(decompression) == 0 }
    if isBetweenMembers {
      if isAtEndOfFile {
        end = .complete
        return 0
      }
      // What follows the last member is not content; gzip itself ignores it.
      guard let magic = decompression.memberMagic, decompression.nextByte == magic else {
        endBeforeTrailingBytes()
        return 0
      }
      decompression.beginMember()
      (isBetweenMembers, isFirstMember, memberByteCount) = (false, false, 0)
    }
    // This is also done at the end of the file, because the library may hold content that did not fit before.
    let (count, progress) = decompression.inflate(into: buffer)
    memberByteCount += count
    switch progress {
    case .advanced where isAtEndOfFile && count == 0:
      if isFirstMember || memberByteCount > 0 { end = .truncated } else { endBeforeTrailingBytes() }
    case .advanced: break
    case .memberEnded: isBetweenMembers = true
    // Trailing bytes may begin like a member without being one.
    case .damaged where !isFirstMember && memberByteCount == 0: endBeforeTrailingBytes()
    case .damaged(let reason):
      throw InputError(
        path, "\(decompression.name) data are damaged after \(counted(position + count, "byte")) of content",
        found: reason)
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

  /// Gives the next bytes of the file to `decompression`; returns how many there are.
  private func refill(_ decompression: any Decompression) throws(InputError) -> Int {
    var failure: InputError?
    let count = decompression.refill { input in
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
