import Review
import Testing
import Volumes
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

  @Test("a pairing applies to the next cases, with fewer labels too and with A and B exchanged")
  func applies() {
    let pairings = SessionPairings()
    #expect(pairings.partners(heart) == nil)
    pairings.remember([1: 3, 2: 1], of: heart)
    #expect(pairings.partners(heart) == [1: 3, 2: 1])
    #expect(pairings.partners(PairingMemory(a: heart.b, b: heart.a)) == [3: 1, 1: 2])
    var fewer = heart
    fewer.a.labels.removeLast(2)
    #expect(pairings.partners(fewer) == [1: 3])
    fewer.b.labels.removeLast()
    #expect(pairings.partners(fewer) == [:])
    pairings.remember([1: 2], of: heart)
    #expect(pairings.partners(heart) == [1: 2])
    pairings.remember(nil, of: PairingMemory(a: heart.b, b: heart.a))
    #expect(pairings.partners(heart) == nil)
  }

  @Test("a pairing needs versions of the same names, and no label that is new or has another name")
  func otherVersions() {
    let pairings = SessionPairings()
    pairings.remember([1: 3], of: heart)
    var other = heart
    other.a.versionName = "model 2"
    #expect(pairings.partners(other) == nil)
    other = heart
    other.b.labels[0].name = "pericardium"
    #expect(pairings.partners(other) == nil)
    other = heart
    other.a.labels.append(Label(value: 9, name: "label 9", colour: RGBColour(0, 0, 0)))
    #expect(pairings.partners(other) == nil)
    other.a.labels.removeLast(4)
    (other.a.versionName, other.b.versionName) = ("", "")
    #expect(pairings.partners(other) == nil)
  }
}
