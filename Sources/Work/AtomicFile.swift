import Foundation

/// Writes a file so that its place holds the old content or the new one, never a part of it.
///
/// The content goes to a temporary file in the same folder, is synced, and is then renamed; on any failure the
/// temporary file is removed and what stood there before is untouched.
package struct AtomicFile: ~Copyable {
  private let path: String
  private let temporaryPath: String
  private var descriptor: Int32
  private var isFinished = false

  /// Opens a temporary file beside `path`.
  /// - Throws: ``InputError`` when the folder is missing, is not a folder, or cannot be written.
  package init(path: String) throws(InputError) {
    self.path = path
    let name = FilePath.name(of: path)
    let folder = FilePath.folder(of: path)
    let unique = "\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
    temporaryPath = FilePath.joined(folder, ".\(name).\(unique).part")
    descriptor = open(temporaryPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw InputError(path, "cannot be written", found: String(cString: strerror(errno)))
    }
  }

  /// Appends `bytes`.
  /// - Throws: ``InputError`` when the disk is full or fails.
  package mutating func write(_ bytes: UnsafeRawBufferPointer) throws(InputError) {
    var written = 0
    while written < bytes.count {
      let count = Glibc.write(descriptor, bytes.baseAddress! + written, bytes.count - written)
      if count < 0 {
        if errno == EINTR { continue }
        throw InputError(path, "cannot be written", found: String(cString: strerror(errno)))
      }
      written += count
    }
  }

  /// Appends `data`.
  package mutating func write(_ data: Data) throws(InputError) {
    var failure: InputError?
    data.withUnsafeBytes { bytes in
      do throws(InputError) { try write(bytes) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  /// Syncs the content and puts it in its place.
  package consuming func commit() throws(InputError) {
    guard fsync(descriptor) == 0, rename(temporaryPath, path) == 0 else {
      throw InputError(path, "cannot be written", found: String(cString: strerror(errno)))
    }
    isFinished = true
  }

  deinit {
    close(descriptor)
    if !isFinished { unlink(temporaryPath) }
  }

  /// Writes `data` as the whole content of `path`.
  package static func write(_ data: Data, to path: String) throws(InputError) {
    var file = try AtomicFile(path: path)
    try file.write(data)
    try file.commit()
  }
}
