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

/// Writes a model again: with weights of another width, without a checkpoint's memory, with another card.
enum ModelConversion {
  /// Texts that only a run needs that goes on.
  private static let checkpointKeys = ["checkpoint", "progress"]

  /// Reads `input` and writes it to `output`.
  /// - Throws: ``InputError`` when a file cannot be read or written, or a weight does not fit the format.
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

  /// Writes `input` with another CRF and everything else as it is.
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
