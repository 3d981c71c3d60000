import ArgumentParser
import Foundation
import Segmentation
import Work

/// Options for the model card.
struct ModelCardArguments: ParsableArguments {
  @Option(name: .long, help: "Where the training data come from, for the model card.")
  var dataDescription: String?

  @Option(name: .long, help: "The licence of the training data, for the model card.")
  var dataLicence: String?

  @Option(
    name: .long,
    help: "JSON with further parts of the model card: summary, data, licence, results, limits, cases.",
    completion: .file())
  var card: String?

  /// Whether no option was given.
  var isEmpty: Bool { dataDescription == nil && dataLicence == nil && card == nil }

  /// `base` changed by the options.
  /// - Throws: ``InputError`` when the file is not a card.
  func card(over base: ModelCard) throws(InputError) -> ModelCard {
    var result = base
    if let card {
      let data = try FileSystem.read(card)
      result = result.updated(with: try ModelCard(json: String(decoding: data, as: UTF8.self), subject: card))
    }
    result.data = dataDescription ?? result.data
    result.licence = dataLicence ?? result.licence
    return result
  }
}
