import Volumes
import Work

/// Training cases from the program's generator.
package enum GeneratedCases {
  /// The first seed of training cases.
  ///
  /// Training uses at most ``maximumCaseCount`` seeds from here on; others are used by tests and samples.
  package static let firstSeed: UInt64 = 1_000_000

  /// The maximum number of generated cases of a training run.
  package static let maximumCaseCount = 10_000

  /// Generated abdominal CT number `number`, with the structures of the selections' names.
  ///
  /// The field of view is random.
  /// - Throws: ``InputError`` when the generator makes no structure of that name, or the preprocessing has several
  ///   channels; ``Cancelled``.
  package static func abdomen(
    number: Int, selections: [LabelSelection], preprocessing: Preprocessing, work: WorkContext
  ) throws -> TrainingCase {
    let seed = firstSeed + UInt64(number)
    var random = SplitMix64(seed: seed)
    let size = GridSize(
      Int(random.uniform(100...140)), Int(random.uniform(90...128)), Int(random.uniform(70...140)))
    let phantom = try CTPhantom(seed: seed).generate(size: size, spacing: Spacing(3), work: work)
    let own = try selections.map { selection throws(InputError) in
      guard let label = phantom.table.labels.first(where: { $0.nameKey == selection.nameKey }) else {
        throw InputError(
          "--generated-cases", "the generator makes no \(selection.name)",
          expected: phantom.table.labels.map(\.name).joined(separator: ", "))
      }
      return LabelSelection(values: [Int(label.value)], name: selection.name)
    }
    return try TrainingCase(
      name: "generated-\(seed)", images: [phantom.image], labels: phantom.labels, selections: own,
      preprocessing: preprocessing, work: work)
  }
}
