import Foundation
import Networks
import Segmentation
import Work

/// Finds models by the name of a bundled model or by path.
enum ModelLibrary {
  /// Whether `name` is a model rather than an image: a model file, or the name of a bundled model that is no file.
  static func isModel(_ name: String) -> Bool {
    if ModelFile.isName(name) { return true }
    guard !FileSystem.exists(name), let folder = try? ShareFolder.find() else {
      return false
    }
    return folder.models().contains { $0.name == name }
  }

  /// The model that `--model` names: a bundled name, or a file.
  /// - Throws: ``InputError`` that lists the bundled names when there is no such model, or says what is wrong with
  ///   its file.
  static func model(_ name: String) throws(InputError) -> SegmentationModel {
    try SegmentationModel(path: path(name))
  }

  /// The path of the model file that `--model` names; the file is not read.
  /// - Throws: ``InputError`` that lists the bundled names when there is no such model, or no such file.
  static func path(_ name: String) throws(InputError) -> String {
    if name.contains("/") || ModelFile.isName(name) {
      guard FileSystem.exists(name) else { throw InputError(name, "cannot be read", found: "no such file") }
      return name
    }
    let models = try ShareFolder.find().models()
    guard let found = models.first(where: { $0.name == name }) else {
      let suggestion = NameSuggestion.nearest(to: name, among: models.map(\.name))
      throw InputError(
        "--model \(name)", "no such model" + (suggestion.map { "; did you mean \($0)?" } ?? ""),
        expected: models.map(\.name).joined(separator: ", ") + ", or the path of a model file")
    }
    return found.path
  }
}
