import Work

/// Random access to the bytes of a DICOM file, or of its inflated content.
///
/// A file is read through a window of 32 KiB, so that lengths in a header do not determine how much memory is used.
final class DicomBytes {
  let path: String
  /// The number of bytes of the file, or of the inflated content.
  let count: Int
  /// nil where ``window`` holds the whole content.
  private let file: FileBytes?
  private var window: [UInt8]
  private var windowStart = 0

  private static let windowByteCount = 1 << 15

  /// Opens a file.
  /// - Throws: ``InputError`` for a missing or unreadable file, a folder, a device.
  init(path: String) throws(InputError) {
    let file = try FileBytes(path)
    (self.path, self.file, window, count) = (path, file, [], file.count)
  }

  /// Wraps the inflated content of a deflated file; `path` names the file in errors.
  init(inflated: [UInt8], path: String) {
    (self.path, file, window, count) = (path, nil, inflated, inflated.count)
  }

  /// A 16-bit number; `position` + 2 must not exceed ``count``.
  func uint16(at position: Int, isBigEndian: Bool = false) throws(InputError) -> UInt16 {
    let start = try load(position, 2)
    let (first, second) = (UInt16(window[start]), UInt16(window[start + 1]))
    return isBigEndian ? first << 8 | second : second << 8 | first
  }

  /// A 32-bit number; `position` + 4 must not exceed ``count``.
  func uint32(at position: Int, isBigEndian: Bool = false) throws(InputError) -> UInt32 {
    let first = UInt32(try uint16(at: position, isBigEndian: isBigEndian))
    let second = UInt32(try uint16(at: position + 2, isBigEndian: isBigEndian))
    return isBigEndian ? first << 16 | second : second << 16 | first
  }

  /// A copy of `count` bytes; `position` + `count` must not exceed ``count``.
  func bytes(at position: Int, count: Int) throws(InputError) -> [UInt8] {
    if count <= Self.windowByteCount || file == nil {
      let start = try load(position, count)
      return Array(window[start..<start + count])
    }
    return try [UInt8](count: count) { buffer throws(InputError) in
      try read(at: position, into: buffer)
      return count
    }
  }

  /// Fills `buffer` with the bytes from `position` on; they must not go beyond ``count``.
  func read(at position: Int, into buffer: UnsafeMutableRawBufferPointer) throws(InputError) {
    guard let file else {
      window.withUnsafeBytes { bytes in
        buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[position..<position + buffer.count]))
      }
      return
    }
    let read = try file.read(into: buffer, at: position)
    guard read == buffer.count else {
      throw InputError(
        path, "became shorter while it was read", found: "\(position + read) bytes", expected: "\(count)")
    }
  }

  /// Moves the window so that it contains `count` bytes; returns the index of the first of them in the window.
  private func load(_ position: Int, _ count: Int) throws(InputError) -> Int {
    precondition(position >= 0 && count <= self.count - position, "bytes beyond the end")
    if position >= windowStart, position + count <= windowStart + window.count {
      return position - windowStart
    }
    let wanted = min(max(Self.windowByteCount, count), self.count - position)
    window = try [UInt8](count: wanted) { buffer throws(InputError) in
      try read(at: position, into: buffer)
      return wanted
    }
    windowStart = position
    return 0
  }
}
