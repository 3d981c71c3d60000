import Worklist

/// One label of a case: its measures in the first mask, and its comparison with the second.
struct LabelLine: Equatable {
  let name: String
  let measures: CaseMeasures.LabelMeasures?
  let comparison: ComparedStructure?
  /// How uncertain a network was about the label of this name, of several the most uncertain one.
  let uncertainty: LabelUncertainty?

  /// The value in the file of the first mask; nil where it does not have the label.
  var value: Int? { measures.flatMap { $0.millilitres > 0 ? $0.value : nil } }

  /// The only mask, "A" or "B", with the label; nil where both have it, nothing was compared, or another label of the
  /// second mask lies there.
  var onlySide: String? {
    guard measures?.contradiction == nil else { return nil }
    guard let comparison else { return measures?.onlySide }
    if comparison.millilitresB == 0, comparison.millilitresA > 0 { return "A" }
    return comparison.millilitresA == 0 && comparison.millilitresB > 0 ? "B" : nil
  }

  /// The name, "tumour (only B)" where only one mask has the label.
  var title: String { onlySide.map { "\(name) (only \($0))" } ?? name }

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
        : structures.firstIndex { $0.valuesA.isEmpty && label.isCalled($0.name) }
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
