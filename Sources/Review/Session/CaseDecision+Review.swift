import Volumes
import Worklist

extension ReviewState {
  /// The reviewer's decision about this case, as a worklist records it.
  ///
  /// - Parameter seconds: Seconds that the reviewer spent on the case.
  package func decision(seconds: Double) -> CaseDecision {
    let accepted = decisions.verdicts.accepted.flatMap { version($0) }.map {
      CaseDecision.Version(
        name: recordedNames[$0.id] ?? $0.name, exportedPath: exported[$0.id],
        fingerprint: hasJoinedLabels($0) ? nil : $0.fingerprint)
    }
    var decision = CaseDecision(
      decisions.verdicts, accepted: accepted, seconds: seconds, pairings: recordedPairings)
    if let elsewhere = standingAcceptanceElsewhere {
      (decision.verdict, decision.version) = (.accepted, elsewhere)
    }
    return decision
  }

  /// Whether it is a mask of whose labels several were joined on reading, so that its file has another fingerprint.
  private func hasJoinedLabels(_ version: Version) -> Bool {
    guard case .mask(let path) = version.origin else { return false }
    return content.masks.contains { $0.path == path && !$0.merged.isEmpty }
  }

  /// The accepted version that is not among those of this case, unless something else was decided here since.
  var standingAcceptanceElsewhere: CaseDecision.Version? {
    decisions.verdicts.hasVerdict ? nil : acceptedElsewhere
  }

  /// The value of ``recordedPairings``, computed from ``PairingSources``.
  package var computedRecordedPairings: [MaskPairing] {
    let own = decisions.pairings.compactMap { pairing -> MaskPairing? in
      guard let older = mask(pairing.older), let newer = mask(pairing.newer) else { return nil }
      return pairingMemory(older, newer).recordedPairing(
        pairing.partners(from: older.id), isConfirmed: pairing.isConfirmed)
    }
    return own
      + pairingsElsewhere.filter { other in !own.contains { $0.isOf(other.first.mask, other.second.mask) } }
  }

  /// Whether the records or this case have a version under this name.
  func isCalled(_ version: Version, _ name: String) -> Bool {
    recordedNames[version.id] == name || version.isCalled(name)
  }

  /// The version, where it is a mask that was read.
  private func mask(_ id: VersionID) -> Version? {
    guard let version = version(id), case .mask = version.origin else { return nil }
    return version
  }

  /// The reviewer's pairings, those of masks replaced by those of the worklist's records.
  ///
  /// A recorded pairing that applies to no versions of this case becomes one of ``pairingsElsewhere``.
  private mutating func adoptedPairings(_ recorded: [MaskPairing]) -> [LabelPairing] {
    guard recorded.map(\.withoutTime) != recordedPairings.map(\.withoutTime) else {
      return decisions.pairings
    }
    let masks = decisions.versions.filter { mask($0.id) != nil }
    var pairings = decisions.pairings.filter { mask($0.older) == nil || mask($0.newer) == nil }
    pairingsElsewhere = recorded.filter { pairing in
      for one in masks {
        for other in masks where other.id > one.id {
          guard let partners = pairingMemory(one, other).partners(pairing) else { continue }
          pairings.append(
            LabelPairing(one.id, other.id, partners: partners, isConfirmed: pairing.isConfirmed))
          return false
        }
      }
      return true
    }
    return pairings
  }

  /// Applies the decision of this reader in the worklist, which has priority over the journal of the case.
  ///
  /// It becomes one step of the history, which can be undone. Nothing happens where both are the same decision.
  /// - Parameter keepingEarlyVerdicts: Whether what was decided here before the journal was read remains.
  mutating func adopt(_ recorded: CaseDecision, keepingEarlyVerdicts: Bool) {
    let early = keepingEarlyVerdicts ? earlyVerdicts : nil
    let decision = early.map { recorded.joined(with: self.decision(seconds: 0), decidedAs: $0) } ?? recorded
    earlyVerdicts = nil
    guard !self.decision(seconds: 0).isSame(as: decision) else { return }
    let versions =
      decision.version.map { wanted in presentVersions.filter { isCalled($0, wanted.name) } } ?? []
    let named = versions.last { version in
      decision.version?.fingerprint.map { $0 == version.fingerprint } ?? true
    }
    let shown = shownVersion?.id
    var verdicts = decisions.verdicts
    verdicts.isFlagged = decision.isFlagged
    verdicts.score = decision.score
    verdicts.comment = cleaned(decision.comment)
    verdicts.tags = decision.tags.map { cleaned($0) }
    verdicts.needsWork = decision.verdict == .needsWork
    verdicts.accepted = decision.verdict == .accepted ? named?.id : nil
    if let accepted = verdicts.accepted { verdicts.rejected.remove(accepted) }
    verdicts.isCaseRejected = decision.verdict == .rejected && shown == nil && verdicts.rejected.isEmpty
    switch decision.verdict {
    case .rejected: if verdicts.rejected.isEmpty, let shown { verdicts.rejected = [shown] }
    case nil: verdicts.rejected = []
    case .accepted, .needsWork: break
    }
    // The same version under another name is no other decision.
    if let accepted = named, let name = decision.version?.name, name != accepted.name {
      recordedNames[accepted.id] = name
    }
    let adopted = verdicts
    let pairings = adoptedPairings(decision.pairings)
    decide("verdict of the worklist") {
      $0.verdicts = adopted
      $0.pairings = pairings
    }
    acceptedElsewhere = nil
    if decision.verdict == .accepted, named == nil {
      // The acceptance remains until something else is decided here.
      acceptedElsewhere = decision.version ?? CaseDecision.Version(name: "")
      let name = decision.version?.name ?? "a version"
      appendMessage(
        "the worklist says accepted: \(name), which "
          + (versions.isEmpty ? "is not here" : "has other labels now: it is not the mask that was accepted"))
    }
  }
}

/// What the recorded pairings of a review follow from.
///
/// Comparing it is cheap: values that did not change share their storage, and without pairings there is nothing to
/// compare.
struct PairingSources: Equatable {
  /// What a mask contributes: its labels as its file has them, and its name.
  private struct Mask: Equatable {
    var id, family: VersionID
    var name: String
    var worklistName: String?
    var labels: [Label]
    var coding: LabelCoding
  }

  private var pairings: [LabelPairing] = []
  private var elsewhere: [MaskPairing] = []
  private var renumbered: [VersionID: VersionID] = [:]
  private var masks: [Mask] = []

  /// The sources without pairings of this case.
  init(elsewhere: [MaskPairing] = []) { self.elsewhere = elsewhere }

  /// Adds the pairings of this case, with what the names of their labels follow from.
  mutating func add(
    _ decisions: Decisions, _ renumbered: [VersionID: VersionID], _ opened: [LoadedMask]
  ) {
    (pairings, self.renumbered) = (decisions.pairings, renumbered)
    masks = decisions.versions.compactMap { version -> Mask? in
      guard case .mask(let path) = version.origin else { return nil }
      return Mask(
        id: version.id, family: version.family, name: version.name,
        worklistName: opened.first { $0.path == path }?.worklistName,
        labels: version.tableAsRead.labels, coding: version.labels.coding)
    }
  }
}

extension Version {
  /// Whether the version has this name, or is the mask of a file of this name: earlier programs recorded file names.
  fileprivate func isCalled(_ wanted: String) -> Bool {
    if name == wanted { return true }
    guard case .mask(let path) = origin, !wanted.isEmpty else { return false }
    return path == wanted || path.hasSuffix("/" + wanted)
  }
}

extension CaseDecision {
  /// What was decided about a case and its versions.
  /// - Parameter accepted: The accepted version; nil for none, or for one that is not there.
  package init(_ verdicts: Verdicts, accepted: Version?, seconds: Double, pairings: [MaskPairing]) {
    self.init(
      isFlagged: verdicts.isFlagged, score: verdicts.score, comment: verdicts.comment, tags: verdicts.tags,
      seconds: seconds, pairings: pairings)
    if let accepted {
      (verdict, version) = (.accepted, accepted)
    } else if verdicts.needsWork {
      verdict = .needsWork
    } else if verdicts.isCaseRejected || !verdicts.rejected.isEmpty {
      verdict = .rejected
    }
  }

  /// This decision with those parts of a later one that `verdicts` has: they were decided before this one was known.
  func joined(with later: CaseDecision, decidedAs verdicts: Verdicts) -> CaseDecision {
    var joined = self
    joined.seconds = max(seconds, later.seconds)
    if verdicts.hasVerdict { (joined.verdict, joined.version) = (later.verdict, later.version) }
    if verdicts.isFlagged { joined.isFlagged = true }
    if let score = verdicts.score { joined.score = score }
    if !verdicts.comment.isEmpty { joined.comment = verdicts.comment }
    joined.pairings =
      later.pairings
      + pairings.filter { own in
        !later.pairings.contains { $0.isOf(own.first.mask, own.second.mask) }
      }
    joined.tags += verdicts.tags.filter { !tags.contains($0) }
    return joined
  }

  /// Whether both are the same decision, apart from times, exported files and fingerprints.
  package func isSame(as other: CaseDecision) -> Bool {
    func withoutDetails(_ decision: CaseDecision) -> CaseDecision {
      var decision = decision
      decision.seconds = 0
      decision.version?.exportedPath = nil
      decision.version?.fingerprint = nil
      decision.pairings = decision.pairings.map(\.withoutTime)
      return decision
    }
    return withoutDetails(self) == withoutDetails(other)
  }
}
