import Foundation
import Work

/// The model card: what a reader should know before trusting a model; part of the model file.
///
/// It follows Mitchell et al. (2019). Every field may be absent. The trainer fills in what it knows, the user the rest.
package struct ModelCard: Hashable, Sendable, Codable {
  /// The name under which a model file's metadata holds the card.
  package static let metadataKey = "card"

  /// The result of one validation case.
  package struct ValidationResult: Hashable, Sendable, Codable {
    package var name: String
    /// Dice of each structure, on the network's working grid.
    package var dice: [Double]

    /// The result of the case `name`.
    package init(name: String, dice: [Double]) {
      self.name = name
      self.dice = dice
    }
  }

  /// The structures that the model finds, and the kind of images.
  package var summary: String?
  /// The origin of the training data.
  package var data: String?
  /// The licence of the training data.
  package var licence: String?
  /// Names of the cases by what they served for: "training", "validation", and whatever else a card says.
  package var cases: [String: [String]]?
  /// Cases of the project's own generator that training used beside those.
  package var generatedCases: Int?
  /// Names of the structures, in the order of ``ValidationResult/dice``.
  package var structures: [String]?
  /// The validation cases that chose the weights.
  package var validation: [ValidationResult]?
  /// Further results, a line each, for example metrics of a test set.
  package var results: [String]?
  /// Known failures, a line each.
  package var limits: [String]?
  /// The iteration of the weights.
  package var iteration: Int?
  /// Iterations of the whole run.
  package var iterations: Int?
  /// The training loss at the end.
  package var loss: Double?
  /// The date of the training, ISO 8601.
  package var date: String?
  /// The program and its version.
  package var program: String?
  /// The command that reproduces it.
  package var command: String?
  /// Defaults that the trainer chose, a line each with the reason.
  package var choices: [String]?

  package init() {}

  /// Reads a card.
  /// - Throws: ``InputError`` about `subject` when the text is no card.
  package init(json: String, subject: String) throws(InputError) {
    try JSONValue.requireSingleKeys(json, subject: subject)
    do { self = try JSONDecoder().decode(ModelCard.self, from: Data(json.utf8)) } catch {
      throw InputError(
        subject, "model card cannot be read", found: "\(json.prefix(60))",
        expected:
          "a JSON object with texts such as \"summary\", \"data\", \"licence\", lists such as \"limits\"")
    }
  }

  /// The card as JSON, keys sorted.
  package var json: String { String(decoding: finiteJSON(self), as: UTF8.self) }

  /// This card with every field that `newer` has replaced by `newer`'s.
  package func updated(with newer: ModelCard) -> ModelCard {
    var card = self
    func take<Part>(_ part: WritableKeyPath<ModelCard, Part?>) {
      if let value = newer[keyPath: part] { card[keyPath: part] = value }
    }
    take(\.summary)
    take(\.data)
    take(\.licence)
    if let newer = newer.cases { card.cases = (cases ?? [:]).merging(newer) { $1 } }
    take(\.generatedCases)
    take(\.structures)
    take(\.validation)
    take(\.results)
    take(\.limits)
    take(\.iteration)
    take(\.iterations)
    take(\.loss)
    take(\.date)
    take(\.program)
    take(\.command)
    take(\.choices)
    return card
  }
}
