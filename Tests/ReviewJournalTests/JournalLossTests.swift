import Foundation
import Journal
import Review
import ReviewFixtures
import TestSupport
import Testing
import Volumes
import Work
import segdeck

/// A case that was reviewed in sessions, whole.
private func reviewed(_ sessions: [[ReviewerAction]], in directory: JournalDirectory) throws -> WrittenRecords
{
  var written = WrittenRecords()
  for (number, actions) in sessions.enumerated() {
    var session = try Session(number + 1, in: directory)
    for action in actions { try session.perform(action) }
    written.records += [nil] + session.written
  }
  return written
}

/// Damages a journal, opens its case repeatedly, and returns the differences from the expected state.
private func complaints(
  _ written: WrittenRecords, _ journal: StoredJournal, _ directory: JournalDirectory, _ damage: [Damage],
  later: [ReviewerAction]
) throws -> [String] {
  // Copies of unreadable parts are not tested here.
  for item in directory.journals.items() {
    for copy in item.copies { try FileManager.default.removeItem(atPath: copy) }
  }
  try journal.damage(
    at: damage.flatMap { damage in
      switch damage {
      case .text(let index): [journal.records[index].textStart + 20, journal.records[index].copyStart + 20]
      case .voxels(let index): [journal.records[index].voxelStart]
      case .header(let index): [journal.records[index].start]
      }
    })
  let expected = written.expectation(after: damage)
  var complaints: [String] = []
  func accepts() throws -> Bool {
    guard let item = directory.journals.items().first else { return false }
    return try JournalInspection(item).verdictText(checksVoxels: false).hasPrefix("accepted")
  }
  // What was decided about a version that is lost stays in the journal.
  let isWhole =
    expected.present.count == written.records.count { if case .version = $0 { true } else { false } }
  // A mask whose voxels are damaged comes back when it is opened again.
  let mayComeBack = damage.contains { if case .voxels = $0 { true } else { false } }
  let (isListed, isExpected) = (try accepts(), expected.verdicts.accepted != nil)
  if isWhole, expected.incomplete.isEmpty, isListed != isExpected, isListed || !mayComeBack {
    complaints.append("listed otherwise before")
  }
  let second = try Session(11, in: directory)
  complaints += expected.complaints(about: second).map { "second session: \($0)" }
  // The damage is reported once, and nothing else changes.
  let (secondSnapshot, secondWalk) = (Snapshot(second.state), second.walked())
  let exported = second.state.exported
  let lastNumber = second.opened.steps.last?.number ?? 0
  _ = consume second
  var third = try Session(12, in: directory)
  if Snapshot(third.state) != secondSnapshot { complaints.append("the third session is another") }
  if third.state.exported != exported { complaints.append("the third session has other exports") }
  if !third.opened.incompleteVersions.isEmpty {
    complaints.append("told twice: \(third.opened.warning ?? "")")
  }
  for (number, snapshot) in third.walked() where secondWalk[number].map({ $0 != snapshot }) ?? false {
    complaints.append("the third session is another at step \(number)")
  }
  if isWhole, try accepts() != (third.state.decisions.verdicts.accepted != nil) {
    complaints.append("listed otherwise")
  }
  // What is decided and changed now counts.
  for action in later { try third.perform(action) }
  let (snapshot, walked) = (Snapshot(third.state), third.walked())
  let table = third.state.decisions.versions.map(\.ownTable)
  _ = consume third
  let fourth = try Session(13, in: directory)
  if Snapshot(fourth.state) != snapshot { complaints.append("the fourth session is another") }
  if fourth.state.decisions.versions.map(\.ownTable) != table {
    complaints.append("other names in the fourth")
  }
  for (number, snapshot) in fourth.walked() {
    // What was accepted at earlier steps is in doubt after a lost decision until something is decided anew.
    let earlier = walked[number]
    let isSame =
      number > lastNumber ? earlier == snapshot : earlier == nil || earlier?.labels == snapshot.labels
    if !isSame { complaints.append("the fourth session is another at step \(number)") }
  }
  return complaints
}

private let actions: [[ReviewerAction]] = [
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

/// The actions after damage: the version shown is accepted, and changed.
private let later: [ReviewerAction] = [
  .keys("y"), .paint(VoxelIndex(5, 1, 1), "liver"), .keys("z"), .keys("f"), .keys("zz"), .keys("y"),
]

@Suite struct JournalLossTests {
  @Test(
    "versions whose edits were undone are not there in the next session either, and redo brings them back")
  func undoneVersions() throws {
    let directory = JournalDirectory()
    func names(_ session: Session) -> [String] { session.state.presentVersions.map(\.name) }
    var session = try Session(1, in: directory)
    for action: ReviewerAction in [.paint(VoxelIndex(1, 1, 1), "liver"), .keys("z")] {
      try session.perform(action)
    }
    let all = session.state.decisions.versions.map(\.name)
    #expect(names(session) == Array(all.dropLast()))
    _ = consume session
    session = try Session(2, in: directory)
    #expect(names(session) == Array(all.dropLast()))
    try session.perform(.keys("Z"))
    #expect(names(session) == all)
    try session.perform(.keys("zf"))
    _ = consume session
    session = try Session(3, in: directory)
    #expect(names(session) == Array(all.dropLast()))
    try session.perform(.keys("zz"))
    #expect(names(session) == all)
  }

  @Test("a journal without damage brings back every version, verdict and step")
  func wholeJournal() throws {
    let directory = JournalDirectory()
    let written = try reviewed(actions, in: directory)
    let journal = try StoredJournal(below: directory.path)
    #expect(journal.records.count == written.records.count)
    #expect(try complaints(written, journal, directory, [], later: later) == [])
  }

  @Test(
    "decisions made before the journal is read are restored step by step", arguments: [false, true])
  func earlyActions(hasJournal: Bool) throws {
    let directory = JournalDirectory()
    if hasJournal { _ = try reviewed([actions[0]], in: directory) }
    let early: [ReviewerAction] = [
      .paint(VoxelIndex(1, 2, 1), "liver"), .paint(VoxelIndex(2, 2, 1), "spleen"), .name("Leber"),
      .keys("fz"),
    ]
    let first = try Session(2, in: directory, early: early)
    let edited = try #require(first.state.shownVersion)
    #expect([1, 2].map { edited.labels[VoxelIndex($0, 2, 1)] } == [6, 1])
    #expect(first.state.decisions.verdicts.isFlagged == first.opened.decisions?.verdicts.isFlagged ?? false)
    var undone = first.state
    undone.type("zz")
    #expect(undone.shownVersion?.labels[VoxelIndex(2, 2, 1)] == 0)
    let (snapshot, walked) = (Snapshot(first.state), first.walked())
    _ = consume first
    let second = try Session(3, in: directory)
    let isSame = Snapshot(second.state) == snapshot
    #expect(isSame)
    // The labels are left out, because they would fill pages.
    let others = second.walked().filter { walked[$0.key] != $0.value }.keys.sorted()
    #expect(others == [])
  }

  @Test("whichever record is lost, everything independent of it is restored, and no acceptance is uncertain")
  func oneLoss() throws {
    let directory = JournalDirectory()
    let written = try reviewed(actions, in: directory)
    let journal = try StoredJournal(below: directory.path)
    for (number, record) in journal.records.enumerated() {
      var kinds: [Damage] = [.text(number)]
      if record.voxelCount > 0 { kinds.append(.voxels(number)) }
      if number.isMultiple(of: 3) { kinds.append(.header(number)) }
      for damage in kinds {
        let found = try complaints(written, journal, directory, [damage], later: later)
        #expect(found == [], "\(damage) \(journal.text(of: record).prefix(400))")
      }
    }
  }

  @Test("a record that occurs a second time, at the end or after any other, changes nothing")
  func repeatedRecords() throws {
    let directory = JournalDirectory()
    _ = try reviewed(actions, in: directory)
    let journal = try StoredJournal(below: directory.path)
    let item = try #require(directory.journals.items().first)
    let text = try JournalInspection(item).verdictText(checksVoxels: true)
    for record in journal.records {
      let bytes = journal.whole[record.start..<record.end]
      try (journal.whole + bytes).write(to: URL(filePath: journal.path))
      #expect(try JournalInspection(item).verdictText(checksVoxels: true) == text)
    }
    try journal.whole.write(to: URL(filePath: journal.path))
  }

  @Test("two lost records: everything independent of them is restored, for every fourth pair")
  func twoLosses() throws {
    let directory = JournalDirectory()
    let written = try reviewed([actions[0]], in: directory)
    let journal = try StoredJournal(below: directory.path)
    for second in journal.records.indices {
      for first in 0..<second where (first + 2 * second).isMultiple(of: 4) {
        let kinds: [Damage] =
          [.text(first)] + (journal.records[first].voxelCount > 0 ? [.voxels(first)] : [])
        for damage in kinds {
          let found = try complaints(written, journal, directory, [damage, .text(second)], later: later)
          #expect(found == [], "\(damage) and \(second)")
        }
      }
    }
  }

  @Test("a version stored as a difference from a damaged one is damaged, whatever was written later")
  func damagedBase() throws {
    let directory = JournalDirectory()
    let paints = (1...3).map { ReviewerAction.paint(VoxelIndex($0, 1, 1), "liver") }
    _ = try reviewed([paints + [.refine]], in: directory)
    let journal = try StoredJournal(below: directory.path)
    // The mask, its copy, two changes of that and the CRF on it.
    #expect(journal.withVoxels.count == 5)
    try journal.damage(at: journal.withVoxels[2].voxelStart)
    let second = try Session(2, in: directory)
    #expect(second.opened.versions.map(\.name) == ["manual.nii.gz", "manual.nii.gz edited", "CRF 1"])
    #expect(second.opened.warning == "manual.nii.gz edited lacks an edit")
    let left = second.opened.versions[1].labels
    _ = consume second
    let written = try StoredJournal(below: directory.path)
    #expect(written.withVoxels.count == 6)
    try written.damage(at: written.withVoxels[1].voxelStart)
    let third = try Session(3, in: directory)
    #expect(third.opened.versions.map(\.name) == ["manual.nii.gz", "manual.nii.gz edited"])
    #expect(third.opened.versions[1].labels == left)
    #expect(third.opened.warning == "CRF 1 is damaged")
  }

  @Test(
    "a review that could not read the journal at its start writes nothing into a journal that appears later")
  func unreadJournal() throws {
    let directory = JournalDirectory()
    _ = try reviewed([actions[0]], in: directory)
    let whole = try StoredJournal(below: directory.path).whole
    let aside = directory.path + "-aside"
    try FileManager.default.moveItem(atPath: directory.path, toPath: aside)
    try Data().write(to: URL(filePath: directory.path))
    let journal = CaseJournal(runs: runs, folder: directory.journals)
    #expect(try Session.open(journal).versions == [])
    try FileManager.default.removeItem(atPath: directory.path)
    try FileManager.default.moveItem(atPath: aside, toPath: directory.path)
    let error = #expect(throws: InputError.self) { try journal.append([.view(ViewState())]) }
    #expect(error?.description.contains("records that this review has not read") == true)
    #expect(try StoredJournal(below: directory.path).whole == whole)
  }
}
