import Foundation
import Networks
import Segmentation
import Work

/// Finds models by the name of a bundled model, by that of one in the user's folder, or by path.
enum ModelLibrary {
  /// The name and path of a model file.
  typealias Entry = (name: String, path: String)

  /// The user's folder of models: `segdeck/models` in `$XDG_DATA_HOME` or `~/.local/share`.
  static var ownFolder: String { FilePath.joined(UserFolder.data(), "models") }

  /// The models that have names: the bundled ones, and then those of the user's folder, but for names that bundled ones have.
  /// - Throws: ``InputError`` where there is none of either.
  static func models() throws(InputError) -> [Entry] {
    let own = models(in: ownFolder)
    guard !own.isEmpty else { return try ShareFolder.find().models() }
    let bundled = (try? ShareFolder.find())?.models() ?? []
    return bundled + own.filter { entry in !bundled.contains { $0.name == entry.name } }
  }

  /// The model files of a folder; none where it is no folder.
  static func models(in folder: String) -> [Entry] {
    let names = (try? FileSystem.names(in: folder)) ?? []
    return names.filter { ModelFile.isName($0) }.map {
      (String($0.dropLast(ModelFile.suffix.count)), FilePath.joined(folder, $0))
    }
  }

  /// Whether `name` is a model rather than an image: a model file, or the name of a model that is not a file.
  static func isModel(_ name: String) -> Bool {
    if ModelFile.isName(name) { return true }
    guard !FileSystem.exists(name), let models = try? models() else { return false }
    return models.contains { $0.name == name }
  }

  /// The model that `--model` names: the name of a model, or a file.
  /// - Throws: ``InputError`` that lists the names when there is no such model, or says what is wrong with
  ///   its file.
  static func model(_ name: String) throws(InputError) -> SegmentationModel {
    try SegmentationModel(path: path(name))
  }

  /// The path of the model file that `--model` names; the file is not read.
  /// - Throws: ``InputError`` that lists the names when there is no such model, or no such file.
  static func path(_ name: String) throws(InputError) -> String {
    if name.contains("/") || ModelFile.isName(name) {
      guard FileSystem.exists(name) else { throw InputError(name, "cannot be read", found: "no such file") }
      return name
    }
    let models = try models()
    guard let found = models.first(where: { $0.name == name }) else {
      let suggestion = NameSuggestion.nearest(to: name, among: models.map(\.name))
      throw InputError(
        "--model \(name)", "no such model" + (suggestion.map { "; did you mean \($0)?" } ?? ""),
        expected: models.map(\.name).joined(separator: ", ") + ", or the path of a model file")
    }
    return found.path
  }
}
