import Foundation
import Work

/// What a reader should know about a model before trusting it; part of the model file.
///
/// Every part may be missing. The trainer fills in what it knows; the rest comes from whoever trains.
package struct ModelCard: Hashable, Sendable, Codable {
  /// The name under which a model file's metadata holds the card.
  package static let metadataKey = "card"

  /// One case of the validation.
  package struct Figure: Hashable, Sendable, Codable {
    /// The case's name.
    package var name: String
    /// Dice of each structure, on the network's working grid.
    package var dice: [Double]

    /// A figure.
    package init(name: String, dice: [Double]) {
      self.name = name
      self.dice = dice
    }
  }

  /// What the model finds, and in what images.
  package var summary: String?
  /// Where the training data come from.
  package var data: String?
  /// The licence of the training data.
  package var licence: String?
  /// Names of the cases by what they served for: "training", "validation", and whatever else a card says.
  package var cases: [String: [String]]?
  /// Cases of the project's own generator that training used beside those.
  package var generatedCases: Int?
  /// Names of the structures, in the order of ``Figure/dice``.
  package var structures: [String]?
  /// The validation cases that chose the weights.
  package var validation: [Figure]?
  /// Further results, a line each, such as figures on cases kept out of everything.
  package var results: [String]?
  /// Where it fails, a line each.
  package var limits: [String]?
  /// The step whose weights these are.
  package var iteration: Int?
  /// Steps done in all.
  package var iterations: Int?
  /// The training loss at the end.
  package var loss: Double?
  /// When it was written, ISO 8601.
  package var date: String?
  /// The program and its version.
  package var program: String?
  /// The command that makes it again.
  package var command: String?
  /// What the trainer chose by itself, a line each with the reason.
  package var choices: [String]?

  /// A card without a word.
  package init() {}

  /// Reads a card.
  /// - Throws: ``InputError`` about `subject` that says what is no card.
  package init(json: String, subject: String) throws(InputError) {
    try JSONText.requireSingleKeys(json, subject: subject)
    do { self = try JSONDecoder().decode(ModelCard.self, from: Data(json.utf8)) } catch {
      throw InputError(
        subject, "model card cannot be read", found: "\(json.prefix(60))",
        expected:
          "a JSON object with texts such as \"summary\", \"data\", \"licence\", lists such as \"limits\"")
    }
  }

  /// The card as JSON, keys sorted.
  package var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(self) else {
      preconditionFailure("a card of finite numbers encodes")
    }
    return String(decoding: data, as: UTF8.self)
  }

  /// This card with every part that `newer` has replaced by `newer`'s.
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
