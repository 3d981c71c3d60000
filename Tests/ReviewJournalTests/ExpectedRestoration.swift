import Foundation
import Journal
import Review
import ReviewFixtures
import TestSupport
import Testing
import Volumes
import Work
import segdeck

/// A damage of the journal.
enum Damage: Hashable {
  /// Both texts of the record at this index.
  case text(Int)
  case voxels(Int)
  /// The header, so that nothing after it can be read either.
  case header(Int)
}

/// All records that were written, nil for the first line of each session, and a simple reference for what a damaged
/// journal must restore: it replays every record and looks up what depends on a lost one.
struct WrittenRecords {
  var records: [JournalEntry?] = []

  private func hasVoxels(_ index: Int) -> Bool {
    switch records[index] {
    case .version: true
    case .step(let step): !step.edits.isEmpty
    default: false
    }
  }

  private func isDecision(_ index: Int) -> Bool {
    switch records[index] {
    case .step, .position: true
    default: false
    }
  }

  /// Decisions, labels of all versions after each record, and labels after each step by its number.
  private func replayed() -> (after: [After], atStep: [Int: After]) {
    var (now, atStep) = (After(), [Int: After]())
    var first: [VersionID: ChunkedLabels] = [:]
    let after = records.map { record in
      switch record {
      case .version(let version):
        first[version.id] = version.labels
        now.labels[version.id] = version.labels
      case .step(let step):
        for edit in step.edits { now.labels[edit.version] = edit.labels }
        (now.decisions, now.number) = (step.decisions, step.number)
        atStep[step.number] = now
      case .position(let number, let decisions):
        now.labels = first.merging(atStep[number]?.labels ?? [:]) { $1 }
        (now.decisions, now.number) = (decisions, number)
      default: break
      }
      return now
    }
    return (after, atStep)
  }

  struct After {
    var labels: [VersionID: ChunkedLabels] = [:]
    var decisions: Decisions?
    var number = -1
  }

  /// The state that a restored review must have.
  struct Expectation {
    /// Versions that are there.
    var present: Set<VersionID> = []
    /// Versions among these that lack an edit, or may lack one.
    var incomplete: Set<VersionID> = []
    var labels: [VersionID: ChunkedLabels] = [:]
    /// Their labels as they were made.
    var first: [VersionID: ChunkedLabels] = [:]
    var tables: [VersionID: LabelTable] = [:]
    var verdicts = Verdicts()
    var exported: [VersionID: String] = [:]
    /// The state after each step.
    var atStep: [Int: After] = [:]
    /// The steps after which a version's voxels are unknown.
    var unknownSteps: [VersionID: Set<Int>] = [:]
  }

  func expectation(after damage: [Damage]) -> Expectation {
    var (lost, unreadable, end) = (Set<Int>(), Set<Int>(), records.count)
    for case .header(let index) in damage { end = min(end, index) }
    for case .text(let index) in damage where index < end { lost.insert(index) }
    for case .voxels(let index) in damage where index < end && !lost.contains(index) {
      unreadable.insert(index)
    }
    let (after, atStep) = replayed()
    var expected = Expectation(atStep: atStep)
    let reached = (0..<end).last { !lost.contains($0) && isDecision($0) }.map { after[$0].number } ?? .max
    // The last step up to it with a readable record.
    let lastReached = (0..<end).compactMap { index -> Int? in
      guard !lost.contains(index), case .step(let step) = records[index] else { return nil }
      return step.number <= reached ? step.number : nil
    }.max()
    var lastKnown: Int?
    for index in 0..<end {
      guard !lost.contains(index) else {
        expected.exported = [:]
        continue
      }
      switch records[index] {
      case .version(let version):
        // The mask is opened again, which brings its voxels back.
        let base: VersionID? =
          switch version.origin {
          case .mask, .network: nil
          case .refinement(let base, _, _), .edit(let base): base
          }
        let isMask = version.origin == .mask(path: "/cases/manual.nii.gz")
        guard isMask || !unreadable.contains(index), base.map(expected.present.contains) ?? true else {
          continue
        }
        expected.present.insert(version.id)
        (expected.labels[version.id], expected.first[version.id]) = (version.labels, version.labels)
        expected.tables[version.id] = version.ownTable
        guard case .edit = version.origin else { continue }
        // After a change that cannot be read its voxels are unknown, up to a step back to where they were known.
        var (isKnown, knownSteps, isIncomplete) = (true, Set<Int>(), false)
        for later in 0..<end {
          if lost.contains(later) { isIncomplete = isIncomplete || later > index && hasVoxels(later) }
          guard !lost.contains(later), case .step(let step) = records[later] else { continue }
          if step.edits.contains(where: { $0.version == version.id }) {
            isKnown =
              step.returnsTo.map(knownSteps.contains) == true || isKnown && !unreadable.contains(later)
          }
          if isKnown { knownSteps.insert(step.number) }
          expected.unknownSteps[version.id, default: []].formUnion(isKnown ? [] : [step.number])
          if step.number == lastReached { isIncomplete = isIncomplete || !isKnown }
        }
        if isIncomplete { expected.incomplete.insert(version.id) }
      case .labels(let id, let tables): expected.tables[id] = tables.own
      case .step, .position: lastKnown = index
      case .exported(let id, let path): expected.exported[id] = path
      case .view, nil: break
      }
    }
    expected.tables = expected.tables.filter { expected.present.contains($0.key) }
    let isLastLost = lost.contains { $0 > lastKnown ?? -1 }
    if let lastKnown, let decisions = after[lastKnown].decisions {
      for (id, labels) in after[lastKnown].labels where expected.present.contains(id) {
        expected.labels[id] = labels
      }
      expected.verdicts = decisions.verdicts
    }
    expected.verdicts.rejected.formIntersection(expected.present)
    if isLastLost { expected.verdicts.accepted = nil }
    expected.verdicts.accepted = expected.accepted(expected.verdicts.accepted)
    expected.exported = expected.exported.filter { expected.accepted($0.key) != nil }
    return expected
  }
}

extension WrittenRecords.Expectation {
  /// The version where it may be accepted in the restored state; else nil.
  func accepted(_ version: VersionID?) -> VersionID? {
    version.flatMap { present.contains($0) && !incomplete.contains($0) ? $0 : nil }
  }

  /// The differences of a restored session from it.
  func complaints(about session: Session) -> [String] {
    var complaints: [String] = []
    func check(_ isRight: Bool, _ text: @autoclosure () -> String) {
      if !isRight { complaints.append(text()) }
    }
    let state = session.state
    check(
      Set(session.opened.versions.map(\.id)) == present,
      "versions \(session.opened.versions.map(\.id.number)), not \(present.map(\.number))")
    check(
      session.opened.incompleteVersions == incomplete,
      "incomplete \(session.opened.incompleteVersions.map(\.number)), not \(incomplete.map(\.number))")
    for version in state.decisions.versions where present.contains(version.id) {
      check(
        incomplete.contains(version.id) || version.labels == labels[version.id], "labels of \(version.name)")
      check(version.ownTable == tables[version.id], "names of \(version.name)")
    }
    check(state.decisions.verdicts == verdicts, "\(state.decisions.verdicts), not \(verdicts)")
    check(state.exported == exported, "exported \(state.exported), not \(exported)")
    for version in incomplete {
      let name = state.version(version)?.name ?? "-"
      check(
        session.opened.warning?.contains("\(name) lacks an edit") == true, "\(name) is not named")
      check(
        !session.opened.steps.contains { $0.edits.contains { $0.version == version } }, "a step of \(name)")
    }
    for (number, snapshot) in session.walked() {
      // A step that is lost is named by nothing that is left.
      let then = atStep[number]
      check(
        [nil, accepted(then?.decisions?.verdicts.accepted)].contains(snapshot.verdicts.accepted),
        "accepted at step \(number): \(String(describing: snapshot.verdicts.accepted))")
      let isAcceptedUnknown = snapshot.verdicts.accepted.map { unknownSteps[$0]?.contains(number) == true }
      check(isAcceptedUnknown != true, "accepted what is unknown at step \(number)")
      for (id, now) in snapshot.labels
      where present.contains(id) && !incomplete.contains(id) && unknownSteps[id]?.contains(number) != true {
        check(now == then?.labels[id] ?? first[id], "labels of \(id.number) at step \(number)")
      }
    }
    return complaints
  }
}
