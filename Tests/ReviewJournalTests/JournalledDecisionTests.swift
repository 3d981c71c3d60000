import Foundation
import Journal
import Review
import ReviewFixtures
import TestSupport
import Testing
import Volumes
import Work
import Worklist
import segdeck

@Suite("Decisions in the journals of a worklist")
struct JournalledDecisionTests {
  private static let records = "/lists/list.records"
  private let directory = JournalDirectory()

  private func owner(_ caseName: String = "case-1", reader: String = "ann", records: String = records)
    -> CaseJournal.Owner
  {
    CaseJournal.Owner(records: records, reader: reader, caseName: caseName)
  }

  /// Reviews a case, and gives what its reader decided.
  @discardableResult
  private func review(
    _ actions: [ReviewerAction], _ owner: CaseJournal.Owner? = nil, number: Int = 1
  ) throws -> CaseDecision {
    var session = try Session(number, in: directory, owner: owner ?? self.owner())
    for action in actions { try session.perform(action) }
    return session.state.decision(seconds: 0)
  }

  private func found(
    images: [String] = ["case-1.nii", "case-2.nii"], isWanted: (String, Double) -> Bool = { _, _ in true }
  ) -> [String: JournalledDecision] {
    let cases = zip(["case-1", "case-2"], images).map { name, image in
      WorklistCase(
        name: name, images: [image], masks: [.init(name: "experts", path: "/cases/manual.nii.gz")])
    }
    return JournalledDecision.all(
      ofReader: "ann", records: Self.records, cases: cases, in: directory.journals,
      cancellation: Cancellation(), isWanted: isWanted)
  }

  @Test(
    "a decision is read from the journal as a review would record it",
    arguments: [
      [.keys("y")], [.keys("4f")], [.keys("e")], [.keys("A3")], [.keys("y"), .export],
      [.paint(VoxelIndex(1, 1, 1), "liver"), .keys("y")],
      [.paint(VoxelIndex(1, 1, 1), "liver"), .paint(VoxelIndex(2, 1, 1), "spleen"), .keys("yz")],
      [.paint(VoxelIndex(1, 1, 1), "liver"), .keys("y"), .paint(VoxelIndex(2, 1, 1), "spleen"), .keys("z")],
      [.network, .keys("y"), .name("Leber")], [.refine, .keys("y5")], [.keys("yf"), .keys("zz")],
    ] as [[ReviewerAction]])
  func reading(actions: [ReviewerAction]) throws {
    let decision = try review(actions)
    #expect(found().mapValues(\.decision) == ["case-1": decision])
  }

  @Test("decisions of other readers, worklists and cases, and of images by themselves, are not read")
  func owners() throws {
    try review([.keys("y")], owner(reader: "bob"))
    try review([.keys("y")], owner(records: "/lists/other.records"))
    try review([.keys("y")], owner("case-3"))
    var alone = try Session(1, in: directory)
    try alone.perform(.keys("y"))
    #expect(found().isEmpty)
    let second = try review([.keys("A")], owner("case-2"))
    #expect(found().mapValues(\.decision) == ["case-2": second])
    #expect(found { name, _ in name == "case-1" }.isEmpty)
  }

  @Test("a decision about an image that has another name by now goes with its image")
  func renamed() throws {
    let decision = try review([.keys("y")])
    let image = "/cases/case-1.nii.gz"
    #expect(found(images: ["/other/case-1.nii.gz", image]).mapValues(\.decision) == ["case-2": decision])
    #expect(found(images: [image, image]).mapValues(\.decision) == ["case-1": decision])
    #expect(found(images: ["/moved/case-1.nii.gz", "b"]).mapValues(\.decision) == ["case-1": decision])
  }

  @Test("a journal that a review has open is left to that review")
  func openJournal() throws {
    var session = try Session(1, in: directory, owner: owner())
    try session.perform(.keys("y"))
    #expect(found().isEmpty)
    _ = consume session
    #expect(found().keys.sorted() == ["case-1"])
  }

  @Test("the time is that of the last change of a verdict, whatever was looked at later")
  func time() throws {
    try review([.keys("y")])
    let first = try #require(found()["case-1"])
    let unchanged = try review([.keys("b  "), .show(0), .keys("d")], number: 2)
    let second = try #require(found()["case-1"])
    #expect((second.decision, second.seconds) == (unchanged, first.seconds))
    try review([.keys("f")], number: 3)
    let third = try #require(found()["case-1"])
    #expect(third.seconds > first.seconds && third.decision.isFlagged)
    var asked: [Double] = []
    _ = found { _, seconds in
      asked.append(seconds)
      return false
    }
    #expect(asked == [third.seconds])
  }

  @Test("nothing is read from a journal that lost a record")
  func damage() throws {
    try review([.keys("f"), .paint(VoxelIndex(1, 1, 1), "liver"), .keys("y")])
    let journal = try StoredJournal(below: directory.path)
    #expect(found().count == 1)
    let last = try #require(journal.records.last)
    try journal.damage(at: last.textStart + 20, last.copyStart + 20)
    #expect(found().isEmpty)
    // An accepted version whose voxels are damaged is no accepted version.
    let voxels = try #require(journal.withVoxels.last)
    try journal.damage(at: voxels.voxelStart)
    #expect(found().isEmpty)
  }

  @Test(
    "what only the record has is added: the time spent, and pairs of labels of masks that are not in the case"
  )
  func completing() {
    func pairing(_ one: String, _ other: String) -> MaskPairing {
      MaskPairing(
        first: .init(mask: one, labels: [1: "a"]), second: .init(mask: other, labels: [1: "b"]), partners: [:]
      )
    }
    let record = CaseDecision(
      verdict: .accepted, seconds: 30, pairings: [pairing("a", "b"), pairing("a", "net")])
    let own = CaseDecision(verdict: .rejected, pairings: [pairing("b", "c")])
    #expect(
      own.completed(by: record, masks: ["a", "b", "c"])
        == CaseDecision(verdict: .rejected, seconds: 30, pairings: [pairing("b", "c"), pairing("a", "net")]))
  }
}
