import Synchronization

/// A folder for files that nobody keeps: it is removed with this object, or by a signal that ends the program at once.
package final class TemporaryFolder: Sendable {
  /// The folder.
  package let path: String
  private let registrations: Mutex<[Int?]>

  /// Makes a folder that only the user can see, where temporary files go.
  /// - Throws: ``InputError`` when no folder can be made there.
  package init() throws(InputError) {
    path = try FileSystem.makeTemporaryFolder(in: FileSystem.temporaryFolder)
    registrations = Mutex([UnfinishedFiles.register(path)])
  }

  /// The path of a file that is to be written in the folder.
  @discardableResult
  package func file(_ name: String) -> String {
    let file = FilePath.joined(path, name)
    registrations.withLock { $0.append(UnfinishedFiles.register(file)) }
    return file
  }

  deinit {
    FileSystem.removeFolder(path)
    for registration in registrations.withLock(\.self) { UnfinishedFiles.unregister(registration) }
  }
}
