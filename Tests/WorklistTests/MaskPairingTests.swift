import Foundation
import Metrics
import Testing
import Volumes
import Work
import Worklist

@Suite("Pairs of labels that readers chose")
struct MaskPairingTests {
  private typealias Side = MaskPairing.Side

  private let experts = Side(mask: "experts", labels: [1: "myocardium", 2: "left ventricle", 3: "aorta"])
  private let model = Side(mask: "model", labels: [1: "label 1", 2: "label 2", 3: "label 3"])
  private var heart: MaskPairing {
    MaskPairing(first: model, second: experts, partners: [1: 3, 2: 1])
  }

  private func side(_ mask: String, _ labels: [Int: String]) -> Side { Side(mask: mask, labels: labels) }

  private func decided(
    _ caseName: String, _ reader: String, _ pairings: [MaskPairing], _ sequence: Int
  ) -> CaseRecord {
    CaseRecord(
      sequence: sequence, time: "2026-01-01T00:00:00.000Z", reader: reader, host: "h", caseName: caseName,
      image: "c.nii", kind: .decided, decision: CaseDecision(pairings: pairings))
  }

  @Test("a pairing applies to masks of the same names with fewer labels too, in either order")
  func applies() {
    #expect(heart.partners(model, experts) == [1: 3, 2: 1])
    #expect(heart.partners(experts, model) == [3: 1, 1: 2])
    #expect(heart.swapped.partners(model, experts) == [1: 3, 2: 1])
    #expect(heart.partners(side("model", [1: "label 1"]), experts) == [1: 3])
    #expect(heart.partners(side("model", [:]), side("experts", [:])) == [:])
  }

  @Test("a pairing does not apply to other masks, to further labels or to labels of other names")
  func otherMasks() {
    #expect(heart.partners(side("model 2", model.labels), experts) == nil)
    #expect(heart.partners(side("model", [9: "label 9"]), experts) == nil)
    #expect(heart.partners(model, side("experts", [1: "pericardium"])) == nil)
    let nameless = MaskPairing(first: side("", [1: "a"]), second: experts, partners: [1: 1])
    #expect(nameless.partners(side("", [1: "a"]), experts) == nil)
  }

  @Test("labels are those that occur, by their values in the file")
  func labelsThatOccur() throws {
    let coding = try #require(LabelCoding(of: [7, 100_000]))
    let code = try #require(coding.code(of: 100_000))
    let names = LabelTable([7, 8].map { Label(value: $0, name: "vein", colour: RGBColour(0, 0, 0)) })
    let found = Side(mask: "veins", codes: [0, 7, code], names: names, coding: coding)
    #expect(found == side("veins", [7: "vein (7)", 100_000: "label 100000"]))
    let pairing = MaskPairing(
      first: found, second: side("net", [2: "label 2", 3: "label 3"]), partners: [7: 2, 100_000: 3])
    #expect(
      pairing.partners([0, 7, code], names, [2, 3], nil, coding: coding) == [7: 2, code: 3])
    #expect(pairing.partners([7, 9], names, [2, 3], nil, coding: coding) == nil)
  }

  @Test("a label without a name agrees with any name of its value")
  func renamedLabels() {
    #expect(heart.partners(side("model", [1: "ventricle", 2: "label 2"]), experts) == [1: 3, 2: 1])
    #expect(heart.partners(model, side("experts", [1: "label 1", 3: "aorta"])) == [2: 1, 1: 3])
    #expect(heart.partners(model, side("experts", [1: "label 3"])) == nil)
  }

  private func chosen(
    _ partners: [Int: Int], at time: String, isConfirmed: Bool = true, labels: [Int: String]? = nil
  ) -> MaskPairing {
    MaskPairing(
      first: side("model", labels ?? model.labels), second: experts, partners: partners,
      isConfirmed: isConfirmed, time: time)
  }

  @Test("pairs that were chosen in a case come before those of others, the latest choice first")
  func ofWorklist() {
    let (early, late) = (chosen([1: 3, 2: 1], at: "1"), chosen([3: 2], at: "2"))
    let unrelated = MaskPairing(first: side("a", [1: "x"]), second: side("b", [1: "y"]), partners: [1: 1])
    var records = ReviewRecords(folders: [])
    records.add(decided("one", "ann", [unrelated, early], 2), file: "f", line: 1)
    records.add(decided("two", "bob", [late], 3), file: "g", line: 1)
    // A later decision about a case is no later choice of its pairs.
    records.add(decided("one", "ann", [unrelated, early], 9), file: "f", line: 2)
    let pairings = WorklistPairings(records.reviews)
    func item(_ name: String, _ masks: [String]) -> WorklistCase {
      WorklistCase(name: name, images: ["i.nii"], masks: masks.map { .init(name: $0, path: "\($0).nii") })
    }
    #expect(
      pairings.pairings(of: item("one", ["model", "experts"]))
        == CasePairings(own: [early], inherited: [late]))
    #expect(
      pairings.pairings(of: item("one", ["experts", "model"]))
        == CasePairings(own: [early.swapped], inherited: [late.swapped]))
    #expect(
      pairings.pairings(of: item("three", ["model", "experts"])) == CasePairings(inherited: [late, early]))
    #expect(pairings.pairings(of: item("three", ["a", "b"])) == CasePairings(inherited: [unrelated]))
    #expect(pairings.pairings(of: item("three", ["a", "experts"])).isEmpty)
    #expect(pairings.pairings(of: item("three", ["a"])).isEmpty)
    // A reader who withdraws pairs leaves those of others.
    records.add(decided("two", "bob", [], 10), file: "g", line: 2)
    #expect(
      WorklistPairings(records.reviews).pairings(of: item("three", ["model", "experts"]))
        == CasePairings(inherited: [early]))
  }

  @Test("names and values that a reader kept count in that case alone, and never before confirmed pairs")
  func keptNames() {
    let (kept, confirmed) = (chosen([:], at: "5", isConfirmed: false), chosen([1: 3], at: "1"))
    var records = ReviewRecords(folders: [])
    records.add(decided("one", "ann", [kept], 1), file: "f", line: 1)
    func pairings(_ name: String) -> CasePairings {
      WorklistPairings(records.reviews).pairings(ofCase: name, "model", "experts")
    }
    #expect(pairings("one") == CasePairings(own: [kept]))
    #expect(pairings("two").isEmpty)
    records.add(decided("one", "bob", [confirmed], 2), file: "g", line: 1)
    #expect(pairings("one") == CasePairings(own: [confirmed, kept]))
    #expect(pairings("two") == CasePairings(inherited: [confirmed]))
    // Each reader's own choice counts for that reader, and what others kept does not.
    func pairings(for reader: String) -> CasePairings {
      WorklistPairings(records.reviews, reader: reader).pairings(ofCase: "one", "model", "experts")
    }
    #expect(pairings(for: "ann") == CasePairings(own: [kept, confirmed]))
    #expect(pairings(for: "bob") == CasePairings(own: [confirmed]))
  }

  /// The overlaps of a mask of labels 1 and 2 with one in which they have these values.
  private func overlaps(_ first: UInt16, _ second: UInt16) throws -> LabelOverlaps {
    func volume(_ voxels: [UInt16]) -> LabelVolume {
      LabelVolume(
        grid: VolumeGrid(
          size: GridSize(8, 1, 1),
          affine: Affine(
            stepI: WorldPoint(1, 0, 0), stepJ: WorldPoint(0, 1, 0), stepK: WorldPoint(0, 0, 1),
            origin: WorldPoint(0, 0, 0))), voxels: voxels)
    }
    return LabelOverlaps(
      try LabelExtents(
        reference: volume([1, 1, 1, 0, 0, 2, 2, 2]),
        other: volume([first, first, first, 0, 0, second, second, second]), work: WorkContext()))
  }

  @Test("of pairs that were chosen elsewhere those count that apply and that overlaps do not contradict")
  func firstThatApplies() throws {
    let few = chosen([1: 3], at: "3", labels: [1: "label 1"])
    let wrong = chosen([1: 1, 2: 3], at: "2")
    let names = LabelTable(experts.labels.map { label($0.key, $0.value) })
    func partners(_ pairings: CasePairings) throws -> CasePairings.Partners? {
      pairings.partners(nil, names, overlaps: try overlaps(3, 1), coding: .identity)
    }
    #expect(
      try partners(CasePairings(inherited: [few, wrong, heart]))
        == CasePairings.Partners(codes: [1: 3, 2: 1], areKept: false))
    #expect(try partners(CasePairings(inherited: [few, wrong])) == nil)
    #expect(
      try partners(CasePairings(own: [few, wrong], inherited: [heart]))
        == CasePairings.Partners(codes: [1: 1, 2: 3], areKept: false))
    #expect(try partners(CasePairings(own: [few])) == nil)
  }

  private func label(_ value: Int, _ name: String) -> Label {
    Label(value: UInt16(value), name: name, colour: RGBColour(0, 0, 0))
  }

  @Test("a choice keeps its time while it stays the same")
  func times() {
    let first = CaseDecision(pairings: [heart]).timed("1", since: nil)
    #expect(first.pairings.map(\.time) == ["1"])
    var verdict = CaseDecision(verdict: .accepted, pairings: [heart])
    #expect(verdict.timed("2", since: first).pairings.map(\.time) == ["1"])
    verdict.pairings[0].partners = [1: 1]
    #expect(verdict.timed("3", since: first).pairings.map(\.time) == ["3"])
  }

  @Test("a record that is damaged in a pairing loses that pairing alone")
  func damage() throws {
    for pairing in [heart, chosen([2: 1], at: "2026-01-01T00:00:00.000Z", isConfirmed: false)] {
      let record = decided("one", "ann", [pairing], 1)
      #expect(CaseRecord(json: record.json) == record)
    }
    let record = decided("one", "ann", [heart], 1)
    let text = String(decoding: record.json, as: UTF8.self)
    for (part, damaged) in [
      ("[1,3]", "[1]"), ("[1,3]", "[2,3]"), ("[1,3]", "[1,1]"), ("[1,3]", "[9,3]"),
      ("\"first\":\"model\"", "\"first\":1"), ("[1,\"label 1\"]", "[1]"),
    ] {
      let read = try #require(
        CaseRecord(json: Data(text.replacingOccurrences(of: part, with: damaged).utf8)), "\(damaged)")
      #expect(read.decision.pairings == [] && read.caseName == "one", "\(damaged)")
    }
  }
}
