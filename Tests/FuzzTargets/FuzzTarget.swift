import Foundation
import Work

/// A parser of files that may come from anyone, and the file in which it is given bytes.
package struct FuzzTarget: Sendable {
  /// What reading an input came to.
  package enum Outcome: Equatable, Sendable {
    case read
    /// The line with which it was refused, without the path of the file.
    case refused(String)
    /// What must never happen: an error that is not one line for the user, or a file that is left behind.
    case fault(String)
  }

  /// Its name on the command line, which is also that of its folder in `Tests/Fuzzing/corpus`.
  package let name: String
  /// The name of the file; its suffix chooses the parser.
  let fileName: String
  /// Files beside it, to which its header may refer, by name.
  let neighbours: [String: [UInt8]]
  /// The folder and the suffix of those fixtures of `ImageFormatsTests` with which fuzzing begins; nil for none.
  let fixtures: (folder: String, suffix: String)?
  /// The content of the file: the input itself, or a whole file around it.
  let content: @Sendable ([UInt8]) -> [UInt8]
  /// Reads the file as the program does.
  let read: @Sendable (_ path: String) throws -> Void

  package init(
    name: String, fileName: String, neighbours: [String: [UInt8]] = [:],
    fixtures: (folder: String, suffix: String)? = nil,
    content: @escaping @Sendable ([UInt8]) -> [UInt8] = { $0 },
    read: @escaping @Sendable (_ path: String) throws -> Void
  ) {
    (self.name, self.fileName, self.neighbours) = (name, fileName, neighbours)
    (self.fixtures, self.content, self.read) = (fixtures, content, read)
  }

  /// Writes an input to a file of a folder and reads it.
  /// - Parameter folder: A folder with files of this target alone.
  package func outcome(of input: [UInt8], in folder: String) throws -> Outcome {
    for (name, bytes) in neighbours { try write(bytes, to: FilePath.joined(folder, name)) }
    let path = FilePath.joined(folder, fileName)
    try write(content(input), to: path)
    var outcome = Outcome.read
    do { try read(path) } catch let error as InputError {
      outcome = .refused(error.description.replacing(folder + "/", with: ""))
    } catch {
      outcome = .fault("throws \(error)")
    }
    let left = Set(try FileSystem.names(in: folder)).subtracting(neighbours.keys).subtracting([fileName])
    return left.isEmpty ? outcome : .fault("leaves \(left.sorted().joined(separator: ", "))")
  }

  private func write(_ bytes: [UInt8], to path: String) throws {
    try Data(bytes).write(to: URL(filePath: path))
  }

  /// The paths of the fixtures with which fuzzing begins.
  /// - Parameter checkout: The folder of `Package.swift`.
  package func seeds(of checkout: URL) -> [String] {
    guard let fixtures else { return [] }
    let root = checkout.appending(path: "Tests/ImageFormatsTests/Fixtures").appending(path: fixtures.folder)
    let names = (FileManager.default.enumerator(atPath: root.path)?.allObjects as? [String]) ?? []
    return names.filter { $0.hasSuffix(fixtures.suffix) }.sorted().map { root.appending(path: $0).path }
  }
}
