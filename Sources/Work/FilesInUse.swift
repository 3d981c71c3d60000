import Foundation
import Synchronization

/// The files that the process has read or will read.
///
/// None of them is ever written, under any name.
///
/// All code that opens a file for reading registers it here. ``AtomicFile`` and ``OutputClaim`` refuse to write it, so
/// no command has to list the files that must not be its output.
package enum ReadFiles {
  /// Whether the running task reads files that it writes itself.
  @TaskLocal private static var isSuspended = false

  /// Registers that `path` is read: the file there (with all symbolic and hard links to it) and the name itself.
  /// - Throws: ``InputError`` when the file is an output of the running command.
  package static func register(_ path: String) throws(InputError) {
    if isSuspended { return }
    try FilesInUse.shared.registerReading(path)
  }

  /// Runs `body`, which registers nothing.
  ///
  /// For files that the program reads and then writes again, such as a journal, a log or a checkpoint.
  package static func withoutRegistering<Result>(
    _ body: () throws(InputError) -> Result
  ) throws(InputError) -> Result {
    try $isSuspended.withValue(true) {
      Swift.Result { () throws(InputError) in try body() }
    }.get()
  }

  /// Refuses a destination that is a registered file.
  /// - Throws: ``InputError`` naming the file that is read.
  static func requireUnread(_ destination: FileDestination) throws(InputError) {
    if let reader = FilesInUse.shared.reader(of: destination) {
      throw FilesInUse.refusal(destination.path, reader: reader)
    }
  }
}

/// A claim of the running command to write a file; it ends with this object.
///
/// No file that is read, earlier or later, and no other output may be the same file.
package final class OutputClaim: Sendable {
  private let number: Int

  /// Claims `destination`.
  /// - Throws: ``InputError`` when the file is read, or is another output already.
  package init(_ destination: FileDestination) throws(InputError) {
    try ReadFiles.requireUnread(destination)
    number = try FilesInUse.shared.claim(destination)
  }

  deinit { FilesInUse.shared.release(number) }
}

/// The files that the process reads and is going to write.
private final class FilesInUse: Sendable {
  static let shared = FilesInUse()

  /// A file as it was when it was read.
  private struct ReadFile {
    var path: String
    var byteCount: Int
    var modified: [Int]

    init(_ path: String, _ status: stat) {
      self.path = path
      byteCount = Int(status.st_size)
      modified = [status.st_mtim.tv_sec, status.st_mtim.tv_nsec]
    }
  }

  private struct Output {
    var path: String
    var file: FileIdentity?
    var entries: Set<FileEntry>
  }

  private struct State {
    var readFiles: [FileIdentity: ReadFile] = [:]
    var readEntries: [FileEntry: String] = [:]
    var outputs: [Int: Output] = [:]
    var claimCount = 0
  }

  private let state = Mutex(State())

  func registerReading(_ path: String) throws(InputError) {
    var status = stat()
    guard FileSystem.getStatus(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return }
    let identity = FileIdentity(status)
    let entry = FileEntry(path: path)
    let output: String? = state.withLock { state in
      let output = state.outputs.values.first {
        $0.file == identity || entry.map($0.entries.contains) == true
      }
      if let output { return output.path }
      state.readFiles[identity] = ReadFile(path, status)
      if let entry { state.readEntries[entry] = path }
      return nil
    }
    if let output { throw Self.refusal(output, reader: path) }
  }

  /// The path under which the file of `destination` was read; nil when it was not.
  func reader(of destination: FileDestination) -> String? {
    let entries = Self.entries(of: destination)
    return state.withLock { state in
      for entry in entries {
        // The file system may have given the number of a deleted folder to another one.
        if let path = state.readEntries[entry], FileEntry(path: path) == entry { return path }
      }
      guard let status = destination.status, let file = state.readFiles[FileIdentity(status)] else {
        return nil
      }
      // The file system may have given the number of a deleted file to another one.
      let same = ReadFile(file.path, status)
      let isSame = same.byteCount == file.byteCount && same.modified == file.modified
      return isSame || FileIdentity(path: file.path) == FileIdentity(status) ? file.path : nil
    }
  }

  func claim(_ destination: FileDestination) throws(InputError) -> Int {
    let output = Output(
      path: destination.path, file: destination.status.map(FileIdentity.init),
      entries: Self.entries(of: destination))
    let (number, other): (Int, String?) = state.withLock { state in
      let other = state.outputs.values.first {
        !$0.entries.isDisjoint(with: output.entries) || ($0.file != nil && $0.file == output.file)
      }
      guard other == nil else { return (0, other?.path) }
      state.claimCount += 1
      state.outputs[state.claimCount] = output
      return (state.claimCount, nil)
    }
    if let other {
      throw InputError(
        destination.path, "is also the path of another output (\(other))", expected: "another name")
    }
    return number
  }

  func release(_ number: Int) { state.withLock { $0.outputs[number] = nil } }

  static func refusal(_ path: String, reader: String) -> InputError {
    InputError(path, "is the file that is read (\(reader)) and is never replaced")
  }

  private static func entries(of destination: FileDestination) -> Set<FileEntry> {
    Set([FileEntry(path: destination.path), FileEntry(path: destination.target)].compactMap(\.self))
  }
}
