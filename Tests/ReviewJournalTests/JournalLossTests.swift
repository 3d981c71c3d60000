import Foundation
import Journal
import Review
import ReviewFixtures
import TestSupport
import Testing
import Volumes
import Work
import segdeck

/// What a reviewer does.
private enum Deed: Sendable {
  /// Gives a voxel of the shown version a label.
  case paint(VoxelIndex, String)
  /// Presses keys of the picture.
  case keys(String)
  /// Shows the version at this place of the list.
  case show(Int)
  /// Names the first label of the table.
  case name(String)
  /// Gives the first label of the table the next colour.
  case recolour
  case network
  /// The CRF on the shown version.
  case refine
  /// Writes what is accepted.
  case export
}

/// A folder with the journal of one case, which goes with it.
private final class Place {
  let path = NSTemporaryDirectory() + "segdeck-loss-\(UUID().uuidString)"
  var journals: JournalFolder { JournalFolder(environment: ["XDG_STATE_HOME": path]) }
  deinit { try? FileManager.default.removeItem(atPath: path) }
}

private let runs = NetworkRunCache()

/// A review that keeps a journal on the disk.
private struct Session {
  var state: ReviewState
  let opened: OpenedJournal
  /// What it wrote.
  private(set) var written: [JournalEntry] = []
  private let journal: CaseJournal

  /// Opens the case the `number`th time, and does something before its journal is read.
  init(_ number: Int, in place: Place, early: [Deed] = []) throws {
    journal = CaseJournal(runs: runs, folder: place.journals)
    opened = try Session.open(journal)
    state = try laterSession(firstVersionNumber: 1000 * number)
    for deed in early { try perform(deed) }
    let read = try state.read(opened)
    try write(read)
  }

  static func open(_ journal: CaseJournal) throws -> OpenedJournal {
    try journal.open(
      phantomCase(), WorkContext(), readFile: { _ throws(Cancelled) in nil },
      readFrame: { _ in throw Cancelled() })
  }

  private mutating func write(_ effects: [ReviewEffect]) throws {
    guard !effects.notes.isEmpty else { return }
    try journal.append(effects.notes)
    written += effects.notes
  }

  mutating func perform(_ deed: Deed) throws {
    var effects: [ReviewEffect] = []
    switch deed {
    case .paint(let voxel, let label): effects = state.paint(voxel, label)
    case .keys(let keys): effects = state.type(keys)
    case .show(let place):
      effects = state.type("v")
      state.selectedVersion = state.decisions.versions[place % state.decisions.versions.count].id
      effects += state.press(.enter, .escape)
    case .name(let name):
      effects = state.type("br")
      for _ in 0..<12 { effects += state.press(.backspace) }
      effects += state.type(name) + state.press(.enter, .escape)
    case .recolour: effects = state.type("bc") + state.press(.down, .enter, .escape)
    case .network: effects = try state.runNetwork()
    case .refine:
      effects = state.type("t")
      effects += try state.finishRefining(PreviewJob.self) + state.finishRefining(FollowingJob.self)
      effects += state.press(.enter, .escape)
    case .export:
      effects = state.type("E")
      guard let id = state.jobs[.export]?.id else { break }
      effects += reduce(&state, .jobEnded(id, .finished(ExportJob.self, with: .written(path: "/out.nii.gz"))))
    }
    try write(effects)
  }

  /// What undoing everything, and then redoing everything, shows at each step, by its number.
  func walked() -> [Int: Moment] {
    var state = state
    var moments: [Int: Moment] = [:]
    for key in ["z", "Z"] {
      for _ in 0..<state.history.steps.count {
        state.type(key)
        moments[state.history.number] = Moment(state)
      }
    }
    return moments
  }
}

/// What is to be seen at one moment of a review.
private struct Moment: Equatable {
  var labels: [VersionID: ChunkedLabels]
  var verdicts: Verdicts

  init(_ state: ReviewState) {
    labels = Dictionary(uniqueKeysWithValues: state.decisions.versions.map { ($0.id, $0.labels) })
    verdicts = state.decisions.verdicts
  }
}

/// How the journal is damaged.
private enum Damage: Hashable {
  /// Both texts of the record at this place.
  case text(Int)
  case voxels(Int)
  /// The header, so that nothing behind it can be read either.
  case header(Int)
}

/// All that was written, record by record, nil for the first line of each session; and the plainest way to say what must
/// be left of it: everything is replayed, and what depends on a lost record is looked up.
private struct Truth {
  var records: [JournalEntry?] = []

  private func hasVoxels(_ place: Int) -> Bool {
    switch records[place] {
    case .version: true
    case .step(let step): !step.edits.isEmpty
    default: false
    }
  }

  private func isDecision(_ place: Int) -> Bool {
    switch records[place] {
    case .step, .stands: true
    default: false
    }
  }

  /// Decisions, labels of all versions behind each record, and labels behind each step by its number.
  private func replayed() -> (behind: [Behind], atStep: [Int: Behind]) {
    var (now, atStep) = (Behind(), [Int: Behind]())
    var first: [VersionID: ChunkedLabels] = [:]
    let behind = records.map { record in
      switch record {
      case .version(let version):
        first[version.id] = version.labels
        now.labels[version.id] = version.labels
      case .step(let step):
        for edit in step.edits { now.labels[edit.version] = edit.labels }
        (now.decisions, now.number) = (step.decisions, step.number)
        atStep[step.number] = now
      case .stands(let number, let decisions):
        now.labels = first.merging(atStep[number]?.labels ?? [:]) { $1 }
        (now.decisions, now.number) = (decisions, number)
      default: break
      }
      return now
    }
    return (behind, atStep)
  }

  struct Behind {
    var labels: [VersionID: ChunkedLabels] = [:]
    var decisions: Decisions?
    var number = -1
  }

  /// What a restored review must be.
  struct Expectation {
    /// Versions that are there.
    var present: Set<VersionID> = []
    /// Of those, the ones that lack a change by hand, or may.
    var incomplete: Set<VersionID> = []
    var labels: [VersionID: ChunkedLabels] = [:]
    /// Their labels as they were made.
    var first: [VersionID: ChunkedLabels] = [:]
    var tables: [VersionID: LabelTable] = [:]
    var verdicts = Verdicts()
    var exported: [VersionID: String] = [:]
    /// What was behind each step.
    var atStep: [Int: Behind] = [:]
    /// The steps behind which a version's voxels are unknown.
    var unknownSteps: [VersionID: Set<Int>] = [:]
  }

  func expectation(after damage: [Damage]) -> Expectation {
    var (lost, unreadable, end) = (Set<Int>(), Set<Int>(), records.count)
    for case .header(let place) in damage { end = min(end, place) }
    for case .text(let place) in damage where place < end { lost.insert(place) }
    for case .voxels(let place) in damage where place < end && !lost.contains(place) {
      unreadable.insert(place)
    }
    let (behind, atStep) = replayed()
    var expected = Expectation(atStep: atStep)
    let reached = (0..<end).last { !lost.contains($0) && isDecision($0) }.map { behind[$0].number } ?? .max
    // The last step up to it of which something is left.
    let lastReached = (0..<end).compactMap { place -> Int? in
      guard !lost.contains(place), case .step(let step) = records[place] else { return nil }
      return step.number <= reached ? step.number : nil
    }.max()
    var lastKnown: Int?
    for place in 0..<end {
      guard !lost.contains(place) else {
        expected.exported = [:]
        continue
      }
      switch records[place] {
      case .version(let version):
        // The mask is opened again, which brings its voxels back.
        let base: VersionID? =
          switch version.origin {
          case .mask, .network: nil
          case .refinement(let base, _, _), .edit(let base): base
          }
        let isMask = version.origin == .mask(path: "/cases/manual.nii.gz")
        guard isMask || !unreadable.contains(place), base.map(expected.present.contains) ?? true else {
          continue
        }
        expected.present.insert(version.id)
        (expected.labels[version.id], expected.first[version.id]) = (version.labels, version.labels)
        expected.tables[version.id] = version.ownTable
        guard case .edit = version.origin else { continue }
        // Behind a change that cannot be read its voxels are unknown, up to a step back to where they were known.
        var (isKnown, knownSteps, isIncomplete) = (true, Set<Int>(), false)
        for later in 0..<end {
          if lost.contains(later) { isIncomplete = isIncomplete || later > place && hasVoxels(later) }
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
      case .step, .stands: lastKnown = place
      case .exported(let id, let path): expected.exported[id] = path
      case .looked, nil: break
      }
    }
    expected.tables = expected.tables.filter { expected.present.contains($0.key) }
    let isLastLost = lost.contains { $0 > lastKnown ?? -1 }
    if let lastKnown, let decisions = behind[lastKnown].decisions {
      for (id, labels) in behind[lastKnown].labels where expected.present.contains(id) {
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

extension Truth.Expectation {
  /// A version where it may be accepted.
  fileprivate func accepted(_ version: VersionID?) -> VersionID? {
    version.flatMap { present.contains($0) && !incomplete.contains($0) ? $0 : nil }
  }

  /// What of a restored session is otherwise.
  fileprivate func complaints(about session: Session) -> [String] {
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
        session.opened.warning?.contains("\(name) lacks a change by hand") == true, "\(name) is not named")
      check(
        !session.opened.steps.contains { $0.edits.contains { $0.version == version } }, "a step of \(name)")
    }
    for (number, moment) in session.walked() {
      // A step that is lost is named by nothing that is left.
      let then = atStep[number]
      check(
        [nil, accepted(then?.decisions?.verdicts.accepted)].contains(moment.verdicts.accepted),
        "accepted at step \(number): \(String(describing: moment.verdicts.accepted))")
      let isAcceptedUnknown = moment.verdicts.accepted.map { unknownSteps[$0]?.contains(number) == true }
      check(isAcceptedUnknown != true, "accepted what is unknown at step \(number)")
      for (id, now) in moment.labels
      where present.contains(id) && !incomplete.contains(id) && unknownSteps[id]?.contains(number) != true {
        check(now == then?.labels[id] ?? first[id], "labels of \(id.number) at step \(number)")
      }
    }
    return complaints
  }
}

/// A case that was reviewed in sessions, whole.
private func reviewed(_ sessions: [[Deed]], in place: Place) throws -> Truth {
  var truth = Truth()
  for (number, deeds) in sessions.enumerated() {
    var session = try Session(number + 1, in: place)
    for deed in deeds { try session.perform(deed) }
    truth.records += [nil] + session.written
  }
  return truth
}

/// Damages a journal, opens its case again and again, and says what is otherwise than it must be.
private func complaints(
  _ truth: Truth, _ journal: StoredJournal, _ place: Place, _ damage: [Damage], later: [Deed]
) throws -> [String] {
  // A copy of what cannot be read is not of interest here.
  for item in place.journals.items() {
    for copy in item.copies { try FileManager.default.removeItem(atPath: copy) }
  }
  try journal.damage(
    at: damage.flatMap { damage in
      switch damage {
      case .text(let place): [journal.records[place].textStart + 20, journal.records[place].copyStart + 20]
      case .voxels(let place): [journal.records[place].voxelStart]
      case .header(let place): [journal.records[place].start]
      }
    })
  let expected = truth.expectation(after: damage)
  var complaints: [String] = []
  func accepts() throws -> Bool {
    guard let item = place.journals.items().first else { return false }
    return try JournalInspection(item).verdictText(checksVoxels: false).hasPrefix("accepted")
  }
  // What was decided about a version that is lost stays in the journal.
  let isWhole =
    expected.present.count == truth.records.count { if case .version = $0 { true } else { false } }
  // A mask whose voxels are damaged comes back when it is opened again.
  let mayComeBack = damage.contains { if case .voxels = $0 { true } else { false } }
  let (isListed, isExpected) = (try accepts(), expected.verdicts.accepted != nil)
  if isWhole, expected.incomplete.isEmpty, isListed != isExpected, isListed || !mayComeBack {
    complaints.append("listed otherwise before")
  }
  let second = try Session(11, in: place)
  complaints += expected.complaints(about: second).map { "second session: \($0)" }
  // Told once, and nothing else changes.
  let (secondMoment, secondWalk) = (Moment(second.state), second.walked())
  let exported = second.state.exported
  let lastNumber = second.opened.steps.last?.number ?? 0
  _ = consume second
  var third = try Session(12, in: place)
  if Moment(third.state) != secondMoment { complaints.append("the third session is another") }
  if third.state.exported != exported { complaints.append("the third session has other exports") }
  if !third.opened.incompleteVersions.isEmpty {
    complaints.append("told twice: \(third.opened.warning ?? "")")
  }
  for (number, moment) in third.walked() where secondWalk[number].map({ $0 != moment }) ?? false {
    complaints.append("the third session is another at step \(number)")
  }
  if isWhole, try accepts() != (third.state.decisions.verdicts.accepted != nil) {
    complaints.append("listed otherwise")
  }
  // What is decided and changed now counts.
  for deed in later { try third.perform(deed) }
  let (moment, walked) = (Moment(third.state), third.walked())
  let table = third.state.decisions.versions.map(\.ownTable)
  _ = consume third
  let fourth = try Session(13, in: place)
  if Moment(fourth.state) != moment { complaints.append("the fourth session is another") }
  if fourth.state.decisions.versions.map(\.ownTable) != table {
    complaints.append("other names in the fourth")
  }
  for (number, moment) in fourth.walked() {
    // What was accepted at earlier steps is in doubt behind a lost decision until something is decided anew.
    let earlier = walked[number]
    let isSame =
      number > lastNumber ? earlier == moment : earlier == nil || earlier?.labels == moment.labels
    if !isSame { complaints.append("the fourth session is another at step \(number)") }
  }
  return complaints
}

private let deeds: [[Deed]] = [
  [
    .paint(VoxelIndex(1, 1, 1), "liver"), .keys("y"), .paint(VoxelIndex(2, 1, 1), "spleen"), .keys("z"),
    .export, .keys("Z"), .keys("e"), .network, .keys("f"), .keys("zz"), .keys("f"), .show(0), .keys("y"),
    .name("Leber"),
  ],
  [
    .show(1), .paint(VoxelIndex(3, 1, 1), "liver"), .keys("y"), .paint(VoxelIndex(4, 1, 1), "spleen"),
    .keys("zfy"), .export, .recolour, .keys("zZ"), .refine,
    .keys("y"), .keys("z"), .show(1), .paint(VoxelIndex(3, 2, 1), "liver"), .keys("zzf"), .keys("y"),
  ],
]

/// What is done after damage: what is shown is accepted, and changed.
private let later: [Deed] = [
  .keys("y"), .paint(VoxelIndex(5, 1, 1), "liver"), .keys("z"), .keys("f"), .keys("zz"), .keys("y"),
]

@Suite struct JournalLossTests {
  @Test("a journal without damage brings back every version, verdict and step")
  func wholeJournal() throws {
    let place = Place()
    let truth = try reviewed(deeds, in: place)
    let journal = try StoredJournal(below: place.path)
    #expect(journal.records.count == truth.records.count)
    #expect(try complaints(truth, journal, place, [], later: later) == [])
  }

  @Test(
    "what is done before the journal is read comes back as it was, step by step", arguments: [false, true])
  func earlyDeeds(hasJournal: Bool) throws {
    let place = Place()
    if hasJournal { _ = try reviewed([deeds[0]], in: place) }
    let early: [Deed] = [
      .paint(VoxelIndex(1, 2, 1), "liver"), .paint(VoxelIndex(2, 2, 1), "spleen"), .name("Leber"),
      .keys("fz"),
    ]
    let first = try Session(2, in: place, early: early)
    let edited = try #require(first.state.shownVersion)
    #expect([1, 2].map { edited.labels[VoxelIndex($0, 2, 1)] } == [6, 1])
    #expect(first.state.decisions.verdicts.isFlagged == first.opened.decisions?.verdicts.isFlagged ?? false)
    var undone = first.state
    undone.type("zz")
    #expect(undone.shownVersion?.labels[VoxelIndex(2, 2, 1)] == 0)
    let (moment, walked) = (Moment(first.state), first.walked())
    _ = consume first
    let second = try Session(3, in: place)
    let isSame = Moment(second.state) == moment
    #expect(isSame)
    // Without the labels, which fill pages.
    let others = second.walked().filter { walked[$0.key] != $0.value }.keys.sorted()
    #expect(others == [])
  }

  @Test("whichever record is lost, what does not depend on it comes back, and nothing is accepted in doubt")
  func oneLoss() throws {
    let place = Place()
    let truth = try reviewed(deeds, in: place)
    let journal = try StoredJournal(below: place.path)
    for (number, record) in journal.records.enumerated() {
      var kinds: [Damage] = [.text(number)]
      if record.voxelCount > 0 { kinds.append(.voxels(number)) }
      if number.isMultiple(of: 3) { kinds.append(.header(number)) }
      for damage in kinds {
        let found = try complaints(truth, journal, place, [damage], later: later)
        #expect(found == [], "\(damage) \(journal.text(of: record).prefix(400))")
      }
    }
  }

  @Test("a record that stands once more at the end, or behind any other, changes nothing")
  func repeatedRecords() throws {
    let place = Place()
    _ = try reviewed(deeds, in: place)
    let journal = try StoredJournal(below: place.path)
    let item = try #require(place.journals.items().first)
    let text = try JournalInspection(item).verdictText(checksVoxels: true)
    for record in journal.records {
      let bytes = journal.whole[record.start..<record.end]
      try (journal.whole + bytes).write(to: URL(filePath: journal.path))
      #expect(try JournalInspection(item).verdictText(checksVoxels: true) == text)
    }
    try journal.whole.write(to: URL(filePath: journal.path))
  }

  @Test("the same where two records are lost: every fourth pair")
  func twoLosses() throws {
    let place = Place()
    let truth = try reviewed([deeds[0]], in: place)
    let journal = try StoredJournal(below: place.path)
    for second in journal.records.indices {
      for first in 0..<second where (first + 2 * second).isMultiple(of: 4) {
        let kinds: [Damage] =
          [.text(first)] + (journal.records[first].voxelCount > 0 ? [.voxels(first)] : [])
        for damage in kinds {
          let found = try complaints(truth, journal, place, [damage, .text(second)], later: later)
          #expect(found == [], "\(damage) and \(second)")
        }
      }
    }
  }

  @Test("a version that was written against a damaged one is damaged, whatever was written of that one later")
  func damagedBase() throws {
    let place = Place()
    let paints = (1...3).map { Deed.paint(VoxelIndex($0, 1, 1), "liver") }
    _ = try reviewed([paints + [.refine]], in: place)
    let journal = try StoredJournal(below: place.path)
    // The mask, its copy, two changes of that and the CRF on it.
    #expect(journal.withVoxels.count == 5)
    try journal.damage(at: journal.withVoxels[2].voxelStart)
    let second = try Session(2, in: place)
    #expect(second.opened.versions.map(\.name) == ["manual.nii.gz", "manual.nii.gz edited", "CRF 1"])
    #expect(second.opened.warning == "manual.nii.gz edited lacks a change by hand")
    let left = second.opened.versions[1].labels
    _ = consume second
    let written = try StoredJournal(below: place.path)
    #expect(written.withVoxels.count == 6)
    try written.damage(at: written.withVoxels[1].voxelStart)
    let third = try Session(3, in: place)
    #expect(third.opened.versions.map(\.name) == ["manual.nii.gz", "manual.nii.gz edited"])
    #expect(third.opened.versions[1].labels == left)
    #expect(third.opened.warning == "CRF 1 is damaged")
  }

  @Test(
    "a review that could not read the journal at its start writes nothing into what turns out to be there")
  func unreadJournal() throws {
    let place = Place()
    _ = try reviewed([deeds[0]], in: place)
    let whole = try StoredJournal(below: place.path).whole
    let aside = place.path + "-aside"
    try FileManager.default.moveItem(atPath: place.path, toPath: aside)
    try Data().write(to: URL(filePath: place.path))
    let journal = CaseJournal(runs: runs, folder: place.journals)
    #expect(try Session.open(journal).versions == [])
    try FileManager.default.removeItem(atPath: place.path)
    try FileManager.default.moveItem(atPath: aside, toPath: place.path)
    let error = #expect(throws: InputError.self) { try journal.append([.looked(ViewState())]) }
    #expect(error?.description.contains("records that this review has not read") == true)
    #expect(try StoredJournal(below: place.path).whole == whole)
  }
}
