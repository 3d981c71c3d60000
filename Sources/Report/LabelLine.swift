import Worklist

/// One label of a case: its measures in the first mask, and its comparison with the second.
struct LabelLine: Equatable {
  let name: String
  let measures: CaseMeasures.LabelMeasures?
  let comparison: ComparedStructure?

  /// The labels of a case by value, each with the structure that has its value in the first mask; then the structures of
  /// the second mask alone.
  ///
  /// Where only the second mask names a structure, its name is the label's.
  static func lines(of reported: ReportedCase) -> [LabelLine] {
    var structures = reported.comparison
    var lines = (reported.row.measures?.labels ?? []).map { label in
      let position = structures.firstIndex { $0.valuesA.contains(label.value) }
      let structure = position.map { structures.remove(at: $0) }
      return LabelLine(name: structure?.name ?? label.name, measures: label, comparison: structure)
    }
    lines += structures.map { LabelLine(name: $0.name, measures: nil, comparison: $0) }
    return lines
  }
}
