import Foundation
import Segmentation
import Work

/// Finds models by bundled name or path.
enum ModelLibrary {
  /// The model that `--model` names: a bundled name, or a file.
  /// - Throws: ``InputError`` that lists the bundled names when there is no such model, or says what is wrong with
  ///   its file.
  static func model(_ name: String) throws(InputError) -> SegmentationModel {
    if name.contains("/") || name.hasSuffix(".safetensors") { return try SegmentationModel(path: name) }
    let models = try ShareFolder.find().models()
    guard let found = models.first(where: { $0.name == name }) else {
      throw InputError(
        "--model \(name)", "no such model",
        expected: models.map(\.name).joined(separator: ", ") + ", or the path of a model file")
    }
    return try SegmentationModel(path: found.path)
  }
}
