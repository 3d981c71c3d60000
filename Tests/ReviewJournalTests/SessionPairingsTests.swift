import Review
import Testing
import Volumes
import Worklist
import segdeck

@Suite("Pairings of labels in a session of many cases")
struct SessionPairingsTests {
  private func source(_ name: String, _ labels: [UInt16: String]) -> PairingMemory.Source {
    PairingMemory.Source(
      name: "/cases/1/\(name).nii.gz", versionName: name,
      labels: labels.sorted { $0.key < $1.key }.map {
        Label(value: $0.key, name: $0.value, colour: RGBColour(0, 0, 0))
      })
  }

  private var heart: PairingMemory {
    PairingMemory(
      a: source("model", [1: "label 1", 2: "label 2", 3: "label 3"]),
      b: source("experts", [1: "myocardium", 2: "left ventricle", 3: "right ventricle"]))
  }

  private func partners(_ memory: PairingMemory, in pairings: SessionPairings) -> [UInt16: UInt16]? {
    pairings.partners(memory).first?.codes
  }

  @Test("a pairing applies to the next cases, with fewer labels too and with A and B exchanged")
  func applies() {
    let pairings = SessionPairings()
    #expect(partners(heart, in: pairings) == nil)
    pairings.remember([1: 3, 2: 1], of: heart)
    #expect(partners(heart, in: pairings) == [1: 3, 2: 1])
    #expect(partners(PairingMemory(a: heart.b, b: heart.a), in: pairings) == [3: 1, 1: 2])
    var fewer = heart
    fewer.a.labels.removeLast(2)
    #expect(partners(fewer, in: pairings) == [1: 3])
    fewer.b.labels.removeLast()
    #expect(partners(fewer, in: pairings) == [:])
    pairings.remember([1: 2], of: heart)
    #expect(partners(heart, in: pairings) == [1: 2])
    pairings.remember(nil, of: PairingMemory(a: heart.b, b: heart.a))
    #expect(partners(heart, in: pairings) == nil)
  }

  @Test("a pairing needs versions of the same names, and no label that is new or has another name")
  func otherVersions() {
    let pairings = SessionPairings()
    pairings.remember([1: 3], of: heart)
    var other = heart
    other.a.versionName = "model 2"
    #expect(partners(other, in: pairings) == nil)
    other = heart
    other.b.labels[0].name = "pericardium"
    #expect(partners(other, in: pairings) == nil)
    other = heart
    other.a.labels.append(Label(value: 9, name: "label 9", colour: RGBColour(0, 0, 0)))
    #expect(partners(other, in: pairings) == nil)
    other.a.labels.removeLast(4)
    (other.a.versionName, other.b.versionName) = ("", "")
    #expect(partners(other, in: pairings) == nil)
  }

  @Test("pairs of the worklist's records come first, those of the case itself are of these versions")
  func records() throws {
    let pairings = SessionPairings()
    pairings.remember([1: 1], of: heart)
    var decided = CaseDecision(pairings: [heart.pairing([1: 2], isConfirmed: true)])
    decided = decided.timed("1", since: nil)
    var records = ReviewRecords(folders: [])
    records.add(
      CaseRecord(
        sequence: 1, time: "1", reader: "ann", host: "h", caseName: "one", image: "i", kind: .decided,
        decision: decided), file: "f", line: 1)
    pairings.update(WorklistPairings(records.reviews))
    #expect(
      pairings.partners(heart, ofCase: "one").first
        == RememberedPartners(codes: [1: 2], areOfTheseVersions: true))
    #expect(
      pairings.partners(heart, ofCase: "two").first
        == RememberedPartners(codes: [1: 2], areOfTheseVersions: false))
    pairings.update(WorklistPairings())
    #expect(
      pairings.partners(heart, ofCase: "one").first
        == RememberedPartners(codes: [1: 1], areOfTheseVersions: false))
  }

  @Test("names and values that were kept do not replace pairs that were confirmed")
  func kept() {
    let pairings = SessionPairings()
    pairings.remember([1: 1], isConfirmed: false, of: heart)
    #expect(partners(heart, in: pairings) == [1: 1])
    pairings.remember([1: 2], of: heart)
    pairings.remember([:], isConfirmed: false, of: heart)
    #expect(partners(heart, in: pairings) == [1: 2])
  }
}
