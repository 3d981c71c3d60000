import Foundation
import Work

extension ExternalData {
  /// Reads the bytes.
  ///
  /// The file must lie in the folder of the model or below it: a path that begins with a slash or has "..", and one that
  /// leads through a symbolic link, are refused.
  /// - Parameters:
  ///   - model: The path of the model's file.
  ///   - tensor: The tensor's name, for errors.
  /// - Throws: ``InputError`` where the path leads elsewhere, or the file cannot be read or is too short.
  func read(beside model: String, tensor: String) throws(InputError) -> Data {
    let subject = "\(model): tensor \(tensor)"
    let path = try safePath(beside: model, subject: subject)
    let descriptor = FileSystem.open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW)
    guard descriptor >= 0 else {
      throw InputError(
        subject, "its external data cannot be read",
        found: "\(location): \(String(cString: strerror(errno)))")
    }
    let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    let byteCount = Int(try FileSystem.statusOfOrdinaryFile(descriptor, path: path).st_size)
    guard offset <= byteCount, length ?? 0 <= byteCount - offset else {
      throw InputError(
        subject, "its external data is cut", found: "\(byteCount) bytes in \(location)",
        expected: "\(length.map { "\($0) " } ?? "")bytes from byte \(offset)")
    }
    try ReadFiles.register(path)
    do {
      try file.seek(toOffset: UInt64(offset))
      let count = length ?? byteCount - offset
      let data = count > 0 ? try file.read(upToCount: count) ?? Data() : Data()
      guard data.count == count else { throw InputError(path, "became shorter while it was read") }
      return data
    } catch let error as InputError { throw error } catch {
      throw InputError(subject, "its external data cannot be read", found: location)
    }
  }

  private func safePath(beside model: String, subject: String) throws(InputError) -> String {
    let parts = location.split(separator: "/", omittingEmptySubsequences: false)
    guard !location.isEmpty, !location.contains("\0"), parts.allSatisfy({ !$0.isEmpty && $0 != ".." }) else {
      throw InputError(
        subject, "its external data lies elsewhere", found: "\"\(location.prefix(80))\"",
        expected: "a file beside the model")
    }
    var path = FilePath.folder(of: model)
    for part in parts {
      path = FilePath.joined(path, String(part))
      guard FileSystem.target(ofLink: path) == nil else {
        throw InputError(
          subject, "its external data is behind a symbolic link", found: "\"\(location.prefix(80))\"",
          expected: "a file beside the model")
      }
    }
    return path
  }
}
