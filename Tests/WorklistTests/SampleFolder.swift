import Foundation
import Work
import Worklist

/// A folder of its own for one test, which is deleted with this object.
final class SampleFolder {
  let path: String

  init(_ files: String...) throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "segdeck-worklist-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.resolvingSymlinksInPath().path
    try make(files)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// The path of `name` in this folder.
  func callAsFunction(_ name: String) -> String { path + "/" + name }

  /// Makes empty files and their folders.
  func make(_ files: [String]) throws {
    for file in files { try write("", to: file) }
  }

  /// Writes a file, and makes its folder.
  func write(_ text: String, to name: String) throws {
    try FileSystem.makeFolder(FilePath.folder(of: self(name)))
    try AtomicFile.write(Data(text.utf8), to: self(name))
  }

  /// The cases that are found, a line each: "case1: images/case1.nii; labels=labels/case1.nii".
  func found(_ folder: String = "", labels: [String] = []) throws -> [String] {
    lines(try Worklist.discover(folder.isEmpty ? path : self(folder), labelFolders: labels.map { self($0) }))
  }

  /// The notes of a search, with paths below this folder.
  func notes(labels: [String] = []) throws -> [String] {
    try Worklist.discover(path, labelFolders: labels.map { self($0) }).notes.map(relative)
  }

  /// The cases of a worklist, a line each.
  func lines(_ worklist: Worklist) -> [String] {
    worklist.cases.map { item in
      let masks = item.masks.map { "\($0.name)=\(relative($0.path))" }
      let probabilities = item.probabilities.map { "p=\(relative($0))" }
      return "\(item.name): "
        + ([item.images.map(relative).joined(separator: " ")] + masks + probabilities).joined(separator: "; ")
    }
  }

  /// A text without this folder's path.
  func relative(_ text: String) -> String { text.replacingOccurrences(of: path + "/", with: "") }
}
