import Worklist

extension SessionState {
  /// Enters into the worklist how uncertain networks were in the cases in memory, and tells each case what is unusual about
  /// it there.
  mutating func noteUncertainties() -> [SessionEffect] {
    var effects: [SessionEffect] = []
    for id in cases.keys.sorted() {
      guard let state = cases[id], let known = state.uncertainty, !known.labels.isEmpty else { continue }
      let labels = state.named(known.labels)
      guard !worklist.holds(labels, of: id) else { continue }
      worklist.update([id: labels])
      if !worklist.isAbsent, case .run = known.source { effects.append(.keep(id, labels)) }
    }
    for id in cases.keys { cases[id]?.note(worklist.uncertaintyFlags[id] ?? []) }
    return effects
  }
}

extension ReviewState {
  /// These uncertainties with the names that the masks give to labels that probabilities only number.
  fileprivate func named(_ uncertainties: [LabelUncertainty]) -> [LabelUncertainty] {
    let labels = decisions.versions.flatMap { version in
      version.tableAsRead.labels.map { (version.labels.coding.value(of: $0.value), $0.name) }
    }
    return uncertainties.named(labels)
  }

  /// Stores the flags about the uncertainty of networks, and shows a message about a new one.
  fileprivate mutating func note(_ flags: [CohortFlag]) {
    let texts = flags.map(\.text)
    guard texts != uncertaintyFlags, phase == .reviewing else { return }
    let (new, isMore) = (
      texts.filter { !uncertaintyFlags.contains($0) }, texts.count > uncertaintyFlags.count
    )
    uncertaintyFlags = texts
    // Cases that join the cohort later change the numbers in earlier flags.
    guard isMore, let first = new.first else { return }
    for text in new { messageLog.add(Message(text, .warning)) }
    appendMessage(new.count == 1 ? first : "\(first) (M: all \(new.count))")
  }
}
