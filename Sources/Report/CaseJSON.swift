import Worklist

/// A case as JSON in `segdeck worklist --json` and in reports; the properties have the names of the keys.
package struct CaseJSON: Encodable {
  private struct Mask: Encodable {
    var name, path: String
  }

  private struct Decision: Encodable {
    var reader: String
    var time: String
    var verdict: String?
    var flagged: Bool
    var score: Int?
    var comment: String
    var tags: [String]
    var seconds: Double
    var version, exported: String?

    init(_ event: CaseRecord) {
      (reader, time) = (event.reader, event.time)
      verdict = event.decision.verdict?.rawValue
      flagged = event.decision.isFlagged
      score = event.decision.score
      (comment, tags, seconds) = (event.decision.comment, event.decision.tags, event.decision.seconds)
      version = event.decision.version?.name
      exported = event.decision.version?.exportedPath
    }
  }

  private struct LabelRow: Encodable {
    var value: Int
    var name: String
    var ml: Double
    var components, holes, missingSlices: Int
    var touches: [String]
    var dice: Double?
    /// "A" or "B" where only that mask has the label.
    var onlyIn: String?
    var contradiction: Contradiction?

    init(_ label: CaseMeasures.LabelMeasures) {
      (value, name, ml) = (label.value, label.name, label.millilitres)
      (components, holes, missingSlices) = (label.componentCount, label.holeCount, label.missingSliceCount)
      touches = label.touchedSides.map(\.rawValue)
      (dice, onlyIn) = (label.dice, label.onlySide)
      contradiction = label.contradiction.map { Contradiction(name: $0.name, dice: $0.dice) }
    }
  }

  /// The label of the other mask that lies where a label lies, and is not compared with it.
  private struct Contradiction: Encodable {
    var name: String
    var dice: Double
  }

  private struct Uncertainty: Encodable {
    var label, network: String
    var entropyInside, entropyNearBorder: Double?

    init(_ uncertainty: LabelUncertainty) {
      (label, network) = (uncertainty.label, uncertainty.network)
      (entropyInside, entropyNearBorder) = (uncertainty.entropy.inside, uncertainty.entropy.nearBorder)
    }
  }

  /// A cell of a further column.
  ///
  /// Column names are values instead of keys, because snake case would change keys.
  private struct Column: Encodable {
    var name, value: String
  }

  private let name: String
  private let images: [String]
  private let masks: [Mask]
  private let probabilities: [String]
  private let columns: [Column]
  private let missingFiles: [String]
  private let status: [String]
  private let disputed: Bool
  private let decisions: [Decision]
  private let labels: [LabelRow]?
  private let uncertainties: [Uncertainty]
  private let flags: [String]

  /// The JSON of a row, for an encoder that writes keys in snake case.
  package init(_ row: CaseRow) {
    name = row.item.name
    images = row.item.images
    masks = row.item.masks.map { Mask(name: $0.name, path: $0.path) }
    probabilities = row.item.probabilities
    columns = row.item.values.sorted { $0.key < $1.key }.map { Column(name: $0.key, value: $0.value) }
    missingFiles = row.item.missingFiles
    status = row.statuses.map(\.rawValue)
    disputed = row.review?.isDisputed == true
    let review = row.review
    decisions = (review?.readers ?? []).compactMap { review?.entries[$0] }.map { Decision($0.decided) }
    labels = row.measures?.labels.map(LabelRow.init)
    uncertainties = row.uncertainties.map(Uncertainty.init)
    flags = row.flags.map(\.text)
  }
}
