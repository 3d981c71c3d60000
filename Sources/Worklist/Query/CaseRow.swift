/// A case with all that is known of it: a row of the worklist on the screen or in print.
package struct CaseRow: Equatable, Sendable {
  /// The case.
  package var item: WorklistCase
  /// Readers' decisions; nil where no reader opened it.
  package var review: CaseReview?
  /// The measures of its masks; nil where there are none.
  package var measures: CaseMeasures?
  /// Its measures that are outliers in the cohort.
  package var flags: [CohortFlag]

  package init(
    _ item: WorklistCase, review: CaseReview? = nil, measures: CaseMeasures? = nil, flags: [CohortFlag] = []
  ) {
    self.item = item
    self.review = review
    self.measures = measures
    self.flags = flags
  }

  /// The state of a case in one word.
  package enum Status: String, Sendable, CaseIterable {
    case missing, unread, opened, accepted, rejected
    case needsWork = "needs work"
    case flagged, scored
  }

  /// The status: `missing` where a file is missing; else the verdict, with `flagged` beside it or alone, or `scored`;
  /// else `opened` where a reader looked at it; else `unread`.
  package var statuses: [Status] {
    if !item.missingFiles.isEmpty { return [.missing] }
    guard let decision = review?.decision else { return [review == nil ? .unread : .opened] }
    let verdict: [Status] =
      switch decision.verdict {
      case .accepted: [.accepted]
      case .rejected: [.rejected]
      case .needsWork: [.needsWork]
      case nil: decision.isFlagged ? [] : [.scored]
      }
    return verdict + (decision.isFlagged ? [.flagged] : [])
  }

  /// The statuses as text: "accepted, flagged".
  package var statusText: String { statuses.map(\.rawValue).joined(separator: ", ") }

  /// The comments of all readers, by reader in alphabetical order.
  package var comments: [String] {
    guard let review else { return [] }
    return review.readers.compactMap { review.decisions[$0]?.comment }.filter { !$0.isEmpty }
  }

  /// The tags of all readers, each once.
  package var tags: [String] {
    guard let review else { return [] }
    return review.readers.flatMap { review.decisions[$0]?.tags ?? [] }
      .reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }

  /// The value in a column.
  package func value(of column: CaseColumn) -> CaseValue {
    func number(_ value: Double?) -> CaseValue { value.map { .number($0) } ?? .missing }
    func list(_ texts: [String]) -> CaseValue { texts.isEmpty ? .missing : .list(texts) }
    switch column {
    case .name: return .text(item.name)
    case .image: return item.images.first.map { .text($0) } ?? .missing
    case .mask: return list(item.masks.map(\.name))
    case .maskCount: return .number(Double(item.masks.count))
    case .status: return .list(statuses.map(\.rawValue))
    case .verdict: return review?.decision?.verdict.map { .text($0.rawValue) } ?? .missing
    case .score: return number(review?.decision?.score.map(Double.init))
    case .reader: return list(review?.readers ?? [])
    case .tag: return list(tags)
    case .comment: return list(comments)
    case .seconds: return number(review?.seconds)
    case .decided: return review?.decidingEvent.map { .text($0.time) } ?? .missing
    case .open: return list(review?.openBy ?? [])
    case .flag: return list(flags.map(\.text))
    case .flagCount: return .number(Double(flags.count))
    case .labelMeasure(let measure, let label): return number(value(measure, of: label))
    case .other(let name): return item.values[name].map { .text($0) } ?? .missing
    }
  }

  /// A measure of a label; without one, of all labels together.
  private func value(_ measure: CaseColumn.LabelMeasure, of label: String?) -> Double? {
    guard let labels = measures?.labels.filter({ own in label.map { own.isCalled($0) } ?? true }) else {
      return nil
    }
    guard !labels.isEmpty else { return nil }
    switch measure {
    case .volume: return labels.reduce(0) { $0 + $1.millilitres }
    case .components: return labels.map { Double($0.componentCount) }.max()
    case .holes: return labels.reduce(0) { $0 + Double($1.holeCount) }
    case .gaps: return labels.reduce(0) { $0 + Double($1.missingSliceCount) }
    case .dice: return labels.compactMap(\.dice).min()
    }
  }
}

/// The value of a case in a column.
package enum CaseValue: Equatable, Sendable {
  case missing
  case number(Double)
  case text(String)
  case list([String])
}
