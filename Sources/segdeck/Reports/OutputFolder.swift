import Work

/// The folder into which a command writes its outputs.
enum OutputFolder {
  /// Creates the folder where it does not exist and calls `body`, which writes files into it.
  ///
  /// If `body` fails and a new folder is still empty, it is removed.
  /// - Throws: ``InputError`` when the folder cannot be made; the errors of `body`.
  static func filled<Result>(_ path: String, by body: () throws -> Result) throws -> Result {
    let isNew = !FileSystem.exists(path)
    try FileSystem.makeFolder(path)
    do {
      return try body()
    } catch {
      if isNew { FileSystem.removeEmptyFolder(path) }
      throw error
    }
  }
}
