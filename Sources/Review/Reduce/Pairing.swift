import Metrics
import Volumes
import Work
import Worklist

/// The dialog of a pairing of two versions' labels.
package struct PairingDialog: Equatable, Sendable {
  /// A label of A and its partner.
  package struct Row: Equatable, Sendable {
    package var valueA: UInt16
    /// The value in B; nil for none.
    package var valueB: UInt16?
  }

  package var a, b: VersionID
  /// The labels of A, the uncertain ones first.
  package var rows: [Row]
  /// The selected row.
  package var selected = 0
  /// Whether the program opened the dialog; otherwise the reviewer did.
  package var isOpenedByProgram: Bool

  /// The value in B by the value in A.
  package var partners: [UInt16: UInt16] {
    Dictionary(
      rows.compactMap { row in row.valueB.map { (row.valueA, $0) } }, uniquingKeysWith: { first, _ in first })
  }
}

extension ReviewState {
  /// All pairings: those that the program found without a question, then the reviewer's.
  var knownPairings: [LabelPairing] { automaticPairings + decisions.pairings }

  /// Starts the comparison of A and B, unless it is computed or running for these labels.
  mutating func compareIfNeeded() -> [ReviewEffect] {
    guard let a = decisions.a.flatMap({ version($0) }), let b = decisions.b.flatMap({ version($0) }),
      a.id != b.id
    else {
      comparison = nil
      comparedPairs = []
      view.comparison = .off
      return cancel(.comparison) + compareSpatiallyIfNeeded()
    }
    comparedPairs = LabelPair.pairs(a, b)
    if let comparison, comparison.a == a.id, comparison.b == b.id {
      if comparison.partners == comparedPairs.partners { return compareSpatiallyIfNeeded() }
    }
    comparison = nil
    spatialComparison = nil
    let stopped = cancel(.spatialComparison)
    let isSettled =
      a.family == b.family || askedPairings.contains([a.family, b.family])
      || knownPairings.last(of: a.family, b.family) != nil
    let request = ComparisonRequest(
      a: a, b: b, pairs: comparedPairs, memory: isSettled ? nil : pairingMemory(a, b))
    return stopped + [start(ComparisonJob(request: request))]
  }

  /// The key under which the pairing of two versions is remembered: the sources of their labels.
  func pairingMemory(_ a: Version, _ b: Version) -> PairingMemory {
    func source(_ version: Version) -> PairingMemory.Source {
      let name: String
      var content: [LabelStatistics] = []
      let origin = self.version(version.family)
      var (versionName, labels) = (origin?.name ?? version.name, version.ownTable.labels)
      switch origin?.origin {
      case .mask(let path):
        name = path
        versionName = self.content.masks.first { $0.path == path }?.worklistName ?? versionName
        // The reviewer may have renamed labels, and records name them as the file does.
        labels = origin?.tableAsRead.labels ?? labels
        content = origin?.statistics ?? []
      case .network(let modelID, _): name = modelID
      case .refinement, .edit, nil: name = version.name
      }
      return PairingMemory.Source(
        name: name, versionName: versionName, labels: labels, coding: version.labels.coding, content: content)
    }
    return PairingMemory(a: source(a), b: source(b))
  }

  /// Stores the comparison of A and B.
  ///
  /// Where the pairing is uncertain, the reviewer is asked.
  mutating func receiveComparison(_ found: Comparison) -> [ReviewEffect] {
    guard found.a == decisions.a, found.b == decisions.b, let a = version(found.a), let b = version(found.b)
    else { return [] }
    comparison = found
    switch found.pairing {
    case .given: break
    case .found(let partners, let isRemembered):
      automaticPairings.append(LabelPairing(a.family, b.family, partners: partners))
      identifyStructures()
      if isRemembered {
        appendMessage("labels are paired as chosen before; p in the label table changes it")
      }
    case .doubtful(let proposed):
      askedPairings.insert([a.family, b.family])
      let question = pairingDialog(a, b, found, partners: proposed, isOpenedByProgram: true)
      if dialog == nil { dialog = question } else { pendingPairing = question }
    }
    return compareIfNeeded()
  }

  /// Compares A and B again where the reviewer is being asked about their labels: pairs may have been chosen in another
  /// case since the question was opened.
  mutating func askAgain() -> [ReviewEffect] {
    guard case .pairing(let pairing)? = dialog ?? pendingPairing, pairing.isOpenedByProgram,
      let a = version(pairing.a), let b = version(pairing.b)
    else { return [] }
    (dialog, pendingPairing) = (nil, nil)
    askedPairings.remove([a.family, b.family])
    comparison = nil
    return compareIfNeeded()
  }

  /// Opens the pairing dialog that was postponed while another dialog was open.
  mutating func openPendingPairing() {
    guard dialog == nil, let due = pendingPairing else { return }
    pendingPairing = nil
    if case .pairing(let pairing) = due, pairing.a == decisions.a, pairing.b == decisions.b { dialog = due }
  }

  /// Adopts a decision of the worklist's records, and compares A and B again where it pairs their labels.
  mutating func adopting(_ decision: CaseDecision, keepingEarlyVerdicts: Bool) -> [ReviewEffect] {
    let before = decisions.pairings
    adopt(decision, keepingEarlyVerdicts: keepingEarlyVerdicts)
    guard decisions.pairings != before else { return [] }
    func isAnswered(_ dialog: Dialog?) -> Bool {
      guard case .pairing(let pairing) = dialog, pairing.isOpenedByProgram, let a = version(pairing.a),
        let b = version(pairing.b)
      else { return false }
      return decisions.pairings.last(of: a.family, b.family) != nil
    }
    if isAnswered(dialog) { dialog = nil }
    if isAnswered(pendingPairing) { pendingPairing = nil }
    return compareIfNeeded()
  }

  /// Opens the pairing of A and B at the selected label.
  mutating func choosePartner() {
    guard let comparison, let a = version(comparison.a), let b = version(comparison.b) else {
      message = Message("nothing to pair: there is no other version to compare with", .warning)
      return
    }
    guard a.family != b.family else {
      message = Message("A and B come from one mask or network: their labels are paired by value", .warning)
      return
    }
    guard
      case .pairing(var opened) = pairingDialog(
        a, b, comparison, partners: comparedPairs.partners, isOpenedByProgram: false)
    else { return }
    let pointed = a.position(selectedLabel).map { a.table.labels[$0].value }
    opened.selected = opened.rows.firstIndex { $0.valueA == pointed } ?? 0
    dialog = .pairing(opened)
  }

  /// The dialog, the uncertain pairs first: paired labels with different names, then labels that overlap another one
  /// and have no partner.
  private func pairingDialog(
    _ a: Version, _ b: Version, _ comparison: Comparison, partners: [UInt16: UInt16], isOpenedByProgram: Bool
  ) -> Dialog {
    var greatest: [UInt16: Double] = [:]
    for overlap in comparison.overlaps?.pairs ?? [] where greatest[overlap.reference] == nil {
      greatest[overlap.reference] = overlap.dice
    }
    func rank(_ label: Label) -> Int {
      guard let partner = partners[label.value].flatMap({ b.table[$0] }) else {
        return greatest[label.value] == nil ? 3 : 1
      }
      return partner.nameKey == label.nameKey ? 2 : 0
    }
    let ranked = a.table.labels.map { (label: $0, rank: rank($0), dice: greatest[$0.value] ?? 0) }.sorted {
      ($0.rank, -$0.dice, $0.label.value) < ($1.rank, -$1.dice, $1.label.value)
    }
    return .pairing(
      PairingDialog(
        a: a.id, b: b.id,
        rows: ranked.map { PairingDialog.Row(valueA: $0.label.value, valueB: partners[$0.label.value]) },
        isOpenedByProgram: isOpenedByProgram))
  }

  /// Steps through the possible partners of a label: none, then the labels of B by descending overlap.
  ///
  /// Partners of other labels are omitted, so that no other label loses its partner.
  mutating func changePartner(by count: Int, _ pairing: PairingDialog) {
    guard let b = version(pairing.b), pairing.rows.indices.contains(pairing.selected) else { return }
    var pairing = pairing
    let row = pairing.rows[pairing.selected]
    let overlapping = (comparison?.overlaps?.pairs ?? []).filter { $0.reference == row.valueA }.map(\.other)
    let others = b.table.labels.map(\.value).filter { !overlapping.contains($0) }
    let used = Set(pairing.rows.compactMap(\.valueB)).subtracting([row.valueB].compactMap(\.self))
    let free = (overlapping.filter { b.table[$0] != nil } + others).filter { !used.contains($0) }
    let choices: [UInt16?] = [nil] + free
    let position = choices.firstIndex(of: row.valueB) ?? 0
    pairing.rows[pairing.selected].valueB = choices[(position + count + choices.count) % choices.count]
    dialog = .pairing(pairing)
  }

  /// Accepts or dismisses the pairing dialog.
  mutating func answer(_ answer: Action.Answer, _ pairing: PairingDialog) -> [ReviewEffect] {
    switch answer {
    case .changePartner(let count): changePartner(by: count, pairing)
    case .accept:
      dialog = nil
      let count = pairing.partners.count
      let effects = pair(pairing, pairing.partners, isConfirmed: true, "pair labels")
      message = Message(
        "\(counted(count, "pair")) of labels; d shows the difference, z undoes, p in the table changes them"
      )
      return effects
    case .dismiss, .typeColour:
      dialog = nil
      guard pairing.isOpenedByProgram else { return [] }
      let effects = pair(
        pairing, partnersByNameAndValue(pairing), isConfirmed: false, "keep names and values")
      message = Message("labels are paired by name, else by value; p in the label table changes it")
      return effects
    }
    return []
  }

  /// The pairs by name, or by value where a version has no name for it.
  private func partnersByNameAndValue(_ pairing: PairingDialog) -> [UInt16: UInt16] {
    guard let a = version(pairing.a), let b = version(pairing.b) else { return [:] }
    var partners = LabelPair.pairs(a, b).partners
    var used = Set(partners.values)
    for label in a.table.labels where partners[label.value] == nil && !used.contains(label.value) {
      guard let other = b.table[label.value], label.isUnnamed || other.isUnnamed else { continue }
      partners[label.value] = label.value
      used.insert(label.value)
    }
    return partners
  }

  private mutating func pair(
    _ pairing: PairingDialog, _ partners: [UInt16: UInt16], isConfirmed: Bool, _ name: String
  ) -> [ReviewEffect] {
    guard let a = version(pairing.a), let b = version(pairing.b) else { return [] }
    let memory = pairingMemory(a, b)
    decide(name) {
      $0.pairings.removeAll { $0.isOf(a.family, b.family) }
      $0.pairings.append(LabelPairing(a.family, b.family, partners: partners, isConfirmed: isConfirmed))
    }
    return compareIfNeeded()
      + [start(PairingMemoryJob(partners: partners, isConfirmed: isConfirmed, memory: memory))]
  }

  /// Stores the pairings after an undo or redo in place of those before it.
  mutating func rememberPairings(since before: [LabelPairing]) -> [ReviewEffect] {
    let changed = (before + decisions.pairings).filter { pairing in
      before.last(of: pairing.older, pairing.newer)
        != decisions.pairings.last(of: pairing.older, pairing.newer)
    }
    var seen: Set<Set<VersionID>> = []
    return changed.compactMap { pairing in
      guard seen.insert([pairing.older, pairing.newer]).inserted, let older = version(pairing.older),
        let newer = version(pairing.newer)
      else { return nil }
      let chosen = decisions.pairings.last(of: pairing.older, pairing.newer)
      return start(
        PairingMemoryJob(
          partners: chosen?.partners(from: pairing.older), isConfirmed: chosen?.isConfirmed ?? true,
          memory: pairingMemory(older, newer)))
    }
  }
}
