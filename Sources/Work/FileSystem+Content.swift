import Foundation

/// Reads whole small files: settings, cards, logs, records.
extension FileSystem {
  /// The maximum size of such a file in bytes.
  package static let contentLimit = 256 << 20

  /// Reads a file and registers it in ``ReadFiles``.
  /// - Throws: ``InputError`` when it is missing, cannot be read, is not a file, or is larger than `limit` bytes.
  package static func read(_ path: String, limit: Int = contentLimit) throws(InputError) -> Data {
    guard let data = try readIfPresent(path, limit: limit) else {
      throw InputError(path, "cannot be read", found: "no such file")
    }
    return data
  }

  /// Reads a file as ``read(_:limit:)``; nil when it does not exist.
  package static func readIfPresent(_ path: String, limit: Int = contentLimit) throws(InputError) -> Data? {
    func refusal() -> InputError {
      InputError(path, "cannot be read", found: String(cString: strerror(errno)))
    }
    // Without O_NONBLOCK, opening a named pipe would wait for a writer.
    let descriptor = open(path, O_RDONLY | O_NONBLOCK)
    guard descriptor >= 0 else {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      throw refusal()
    }
    let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    let status = try statusOfOrdinaryFile(descriptor, path: path)
    guard status.st_size <= limit else {
      throw InputError(
        path, "is too long", found: "\(status.st_size) bytes", expected: "\(limit) or fewer")
    }
    try ReadFiles.register(path)
    do { return try file.readToEnd() ?? Data() } catch { throw refusal() }
  }
}
