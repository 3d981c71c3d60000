import Worklist

/// One label of a case: its measures in the first mask, and its comparison with the second.
struct LabelLine: Equatable {
  let name: String
  let measures: CaseMeasures.LabelMeasures?
  let comparison: ComparedStructure?

  /// The labels of a case by value, those of one name in one line, then structures that are no label of their own.
  static func lines(of reported: ReportedCase) -> [LabelLine] {
    var structures = reported.comparison
    var lines = (reported.row.measures?.labels ?? []).map { label in
      let position = structures.firstIndex { label.isCalled($0.name) }
      return LabelLine(
        name: label.name, measures: label, comparison: position.map { structures.remove(at: $0) })
    }
    lines += structures.map { LabelLine(name: $0.name, measures: nil, comparison: $0) }
    return lines
  }
}
