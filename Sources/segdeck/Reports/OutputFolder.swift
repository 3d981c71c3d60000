import Work

/// A folder that gets the outputs of a command.
enum OutputFolder {
  /// Makes the folder if need be and calls `body`, which fills it; if that fails before anything is there, a new folder is
  /// removed.
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
