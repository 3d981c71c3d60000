import Volumes

/// A case with everything that is known about it: a row of the worklist on the screen or in print.
package struct CaseRow: Equatable, Sendable {
  package var item: WorklistCase
  /// Readers' decisions; nil where no reader opened it.
  package var review: CaseReview?
  /// The measures of its masks; nil where there are none.
  package var measures: CaseMeasures?
  /// The pairings of its first two masks' labels that readers chose.
  package var pairings: CasePairings
  /// How uncertain networks were about its labels; empty where no probabilities are known.
  package var uncertainties: [LabelUncertainty]
  /// Its measures that are outliers in the cohort.
  package var flags: [CohortFlag]
  /// The reader who asks, whose own decision counts; nil for the decision of all readers.
  package var reader: String?
  /// The reason why the case cannot be opened; nil where it can, or was not tried.
  package var failure: String?

  package init(
    _ item: WorklistCase, review: CaseReview? = nil, measures: CaseMeasures? = nil,
    pairings: CasePairings = CasePairings(), uncertainties: [LabelUncertainty] = [], flags: [CohortFlag] = [],
    reader: String? = nil,
    failure: String? = nil
  ) {
    self.item = item
    self.review = review
    self.measures = measures
    self.pairings = pairings
    self.uncertainties = uncertainties
    self.flags = flags
    self.reader = reader
    self.failure = failure
  }

  /// Whether the reader who asks, or without one any reader, has not opened the case.
  package var isUnread: Bool { reader.map { review?.entries[$0] == nil } ?? (review == nil) }

  /// The decision that the list shows; nil for none.
  ///
  /// It is the reader's own decision if there is a reader who decided anything, else the decision of all readers. A
  /// verdict that is missing in the reader's own decision is taken from that of all readers.
  package var decision: CaseDecision? {
    guard var decision = ownDecision else { return review?.decision }
    if decision.verdict == nil, let other = review?.decision {
      (decision.verdict, decision.version) = (other.verdict, other.version)
    }
    return decision
  }

  /// The decision of the reader who asks; nil where that reader gave no verdict, flag or score, or none asks.
  package var ownDecision: CaseDecision? {
    reader.flatMap { review?.decisions[$0] }.flatMap { $0.isAssessed ? $0 : nil }
  }

  /// The state of a case in one word.
  package enum Status: String, Sendable, CaseIterable {
    case missing, unread, opened, accepted, rejected
    case needsWork = "needs work"
    case flagged, scored
    case cannotBeOpened = "cannot be opened"
    case maskChanged = "mask changed since it was accepted"
  }

  /// What is known of the case, in the order in which it is shown.
  ///
  /// `missing` where a file is missing, `cannotBeOpened` where opening failed; then the verdict, with or without `flagged`,
  /// or `flagged` or `scored` alone; `maskChanged` after an acceptance of a mask that was measured with other labels. With none of these, `opened` where a reader opened it, else `unread`.
  package var statuses: [Status] {
    let obstacle: [Status] =
      !item.missingFiles.isEmpty ? [.missing] : failure != nil ? [.cannotBeOpened] : []
    guard let decision else { return obstacle.isEmpty ? [isUnread ? .unread : .opened] : obstacle }
    let verdict: [Status] =
      switch decision.verdict {
      case .accepted: isAcceptedMaskReplaced ? [.accepted, .maskChanged] : [.accepted]
      case .rejected: [.rejected]
      case .needsWork: [.needsWork]
      case nil: decision.isFlagged ? [] : [.scored]
      }
    return obstacle + verdict + (decision.isFlagged ? [.flagged] : [])
  }

  /// Whether the mask that was accepted has other labels now; false where it was not measured, and for a version that is
  /// no mask of the case.
  package var isAcceptedMaskReplaced: Bool {
    guard let version = decision?.version, decision?.verdict == .accepted, let accepted = version.fingerprint,
      let position = item.position(ofMaskCalled: version.name), let measures,
      measures.fingerprints.indices.contains(position)
    else { return false }
    return measures.fingerprints[position] != accepted
  }

  /// The statuses as text: "accepted, flagged"; "rejected (bob)" where another reader than the one who asks decided.
  package var statusText: String {
    let words = statuses.map(\.rawValue)
    guard reader != nil, let record = review?.decidingEvent, record.reader != reader,
      ownDecision == nil || ownDecision?.verdict == nil && record.decision.isDecided
    else { return words.joined(separator: ", ") }
    let others = record.decision.verdict?.rawValue ?? words.last
    return words.map { $0 == others ? "\($0) (\(record.reader))" : $0 }.joined(separator: ", ")
  }

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
    case .verdict: return decision?.verdict.map { .text($0.rawValue) } ?? .missing
    case .score: return number(decision?.score.map(Double.init))
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
    if measure == .entropy { return uncertainties(of: label).compactMap(\.entropy.inside).max() }
    let labels = measures(of: label)
    guard !labels.isEmpty else { return nil }
    switch measure {
    case .volume: return labels.reduce(0) { $0 + $1.millilitres }
    case .components: return labels.map { Double($0.componentCount) }.max()
    case .holes: return labels.reduce(0) { $0 + Double($1.holeCount) }
    case .gaps: return labels.reduce(0) { $0 + Double($1.missingSliceCount) }
    case .dice: return labels.compactMap(\.dice).min()
    case .entropy: return nil
    }
  }
}

extension CaseRow {
  /// The measures of the label with this name or value; without one, of all labels.
  fileprivate func measures(of label: String?) -> [CaseMeasures.LabelMeasures] {
    let labels = measures?.labels ?? []
    return label.map { name in labels.filter { $0.isCalled(name) } } ?? labels
  }

  /// The uncertainties about the label with this name, or with this value in a mask; without one, about all labels.
  fileprivate func uncertainties(of label: String?) -> [LabelUncertainty] {
    guard let label else { return uncertainties }
    let names = [label] + measures(of: label).map(\.name) + (Int(label).map { ["label \($0)"] } ?? [])
    return uncertainties.filter { own in names.contains { own.isCalled($0) } }
  }

  /// Whether a measure is known of a label of this name or value.
  fileprivate func hasLabel(_ label: String, _ measure: CaseColumn.LabelMeasure) -> Bool {
    measure == .entropy ? !uncertainties(of: label).isEmpty : !measures(of: label).isEmpty
  }

  /// The names of the labels of which a measure is known.
  fileprivate func labelNames(_ measure: CaseColumn.LabelMeasure) -> [String] {
    measure == .entropy ? uncertainties.map(\.label) : (measures?.labels ?? []).map(\.name)
  }
}

extension [CaseRow] {
  /// The maximum number of names in a message.
  private static var nameCount: Int { 8 }

  /// Says that no case has a label, and which labels there are: "no label livr; there are liver, spleen".
  ///
  /// nil where a case has it, or the measure is known of no label.
  package func problem(ofLabel label: String, _ measure: CaseColumn.LabelMeasure) -> String? {
    guard !contains(where: { $0.hasLabel(label, measure) }) else { return nil }
    var (names, keys): ([String], Set<String>) = ([], [])
    for name in flatMap({ $0.labelNames(measure) }) where keys.insert(name.nameKey).inserted {
      names.append(name)
    }
    guard !names.isEmpty else { return nil }
    let more = names.count > Self.nameCount ? " and \(names.count - Self.nameCount) more" : ""
    return "no label \(label); there are \(names.prefix(Self.nameCount).joined(separator: ", "))\(more)"
  }
}

/// The value of a case in a column.
package enum CaseValue: Equatable, Sendable {
  case missing
  case number(Double)
  case text(String)
  case list([String])
}
