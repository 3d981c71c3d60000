import Foundation
import Networks
import Segmentation
import Volumes
import Work

extension ElementFormat {
  /// "f32", "f16" or "bf16".
  /// - Throws: ``InputError`` for anything else.
  init(option: String) throws(InputError) {
    guard let format = ElementFormat(rawValue: option.uppercased()) else {
      throw InputError("--weights", "unknown", found: option, expected: "f32, f16 or bf16")
    }
    self = format
  }
}

/// Converts models: another element format of the weights, no training state of a checkpoint, another card or CRF.
enum ModelConversion {
  /// Metadata that only a resumed training needs.
  private static let checkpointKeys = ["checkpoint", "progress"]

  /// Converts `input` to a plain model at `output`.
  /// - Throws: ``InputError`` when a file cannot be read or written, or a weight is out of the format's range.
  static func run(
    _ input: String, to output: String, format: ElementFormat, card: ModelCardArguments
  ) throws(InputError) {
    var file = try ModelFile(path: input)
    for key in checkpointKeys { file.metadata[key] = nil }
    let before = try file.metadata[ModelCard.metadataKey].map { text throws(InputError) in
      try ModelCard(json: text, subject: input)
    }
    let after = try card.card(over: before ?? ModelCard())
    if after != ModelCard() { file.metadata[ModelCard.metadataKey] = after.json }
    try file.write(to: output, format: format)
  }

  /// Writes `input` to `output` with other CRF settings and no other change.
  /// - Throws: ``InputError`` when a file cannot be read or written.
  static func write(_ input: String, with settings: RefinementSettings, to output: String) throws(InputError)
  {
    var model = try SegmentationModel(path: input)
    model.refinement = settings
    var file = try ModelFile(path: input)
    for (key, text) in model.metadata where !text.isEmpty { file.metadata[key] = text }
    try file.write(to: output)
  }
}
