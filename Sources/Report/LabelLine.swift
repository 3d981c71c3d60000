import Worklist

/// One label of a case: its measures in the first mask, and its comparison with the second.
struct LabelLine: Equatable {
  let name: String
  let measures: CaseMeasures.LabelMeasures?
  let comparison: ComparedStructure?
  /// How uncertain a network was about the label of this name, of several the most uncertain one.
  let uncertainty: LabelUncertainty?

  private init(
    name: String, measures: CaseMeasures.LabelMeasures?, comparison: ComparedStructure?,
    in uncertainties: [LabelUncertainty]
  ) {
    (self.name, self.measures, self.comparison) = (name, measures, comparison)
    uncertainty = uncertainties.filter { $0.isCalled(name) }
      .max { ($0.entropy.inside ?? 0) < ($1.entropy.inside ?? 0) }
  }

  /// The labels of a case by value, each with the compared structure that has its value in the first mask, or, for a
  /// label that only the second mask has, its name; then structures that were not measured.
  ///
  /// A label has the name of its structure, which is that of the second mask where only it has names.
  static func lines(of reported: ReportedCase) -> [LabelLine] {
    var structures = reported.comparison
    let uncertainties = reported.row.uncertainties
    var lines = (reported.row.measures?.labels ?? []).map { label in
      let position =
        label.millilitres > 0
        ? structures.firstIndex { $0.valuesA.contains(label.value) }
        : structures.firstIndex { $0.valuesA.isEmpty && $0.name == label.name }
      let structure = position.map { structures.remove(at: $0) }
      return LabelLine(
        name: structure?.name ?? label.name, measures: label, comparison: structure, in: uncertainties)
    }
    lines += structures.map {
      LabelLine(name: $0.name, measures: nil, comparison: $0, in: uncertainties)
    }
    return lines
  }
}
