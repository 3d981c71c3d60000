import Synchronization

/// A folder for temporary files.
///
/// It is removed with this object, or by a signal that ends the program.
package final class TemporaryFolder: Sendable {
  /// The path of the folder.
  package let path: String
  private let registrations: Mutex<[Int?]>

  /// Creates a folder that only the user can read in ``FileSystem/temporaryFolder``.
  /// - Throws: ``InputError`` when it cannot be created.
  package init() throws(InputError) {
    path = try FileSystem.makeTemporaryFolder(in: FileSystem.temporaryFolder)
    registrations = Mutex([UnfinishedFiles.register(path)])
  }

  /// The path of a file in the folder, which will be removed with it.
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
