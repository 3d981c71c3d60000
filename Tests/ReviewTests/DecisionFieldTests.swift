import Foundation
import Review
import Testing
import Volumes

/// A field of the decisions about a case, and a change of this field alone.
struct DecisionField: Sendable, CustomTestStringConvertible {
  /// The property of `Decisions`, or "verdicts.score" for one of a nested value.
  let name: String
  let change: @Sendable (inout Decisions) -> Void

  var testDescription: String { name }

  init(_ name: String, _ change: @escaping @Sendable (inout Decisions) -> Void) {
    self.name = name
    self.change = change
  }

  /// The decisions before each change.
  static let initial: Decisions = {
    var initial = Decisions()
    (initial.a, initial.b) = (VersionID(1), VersionID(2))
    return initial
  }()

  /// The decisions after the change.
  var changed: Decisions {
    var changed = DecisionField.initial
    change(&changed)
    return changed
  }

  /// Every field but the versions, which journal and undo keep apart from decisions.
  static let all: [DecisionField] = [
    DecisionField("a") { $0.a = VersionID(3) },
    DecisionField("b") { $0.b = VersionID(3) },
    DecisionField("shownSide") { $0.shownSide = .b },
    DecisionField("pairings") {
      $0.pairings = [LabelPairing(VersionID(1), VersionID(2), partners: [1: 2])]
    },
    DecisionField("hiddenLabels") { $0.hiddenLabels = ["liver"] },
    DecisionField("soloLabel") { $0.soloLabel = "liver" },
    DecisionField("knobs.refinement") { $0.knobs.refinement.iterations += 1 },
    DecisionField("knobs.maskConfidence") { $0.knobs.maskConfidence = 0.5 },
    DecisionField("verdicts.accepted") { $0.verdicts.accepted = VersionID(1) },
    DecisionField("verdicts.rejected") { $0.verdicts.rejected = [VersionID(2)] },
    DecisionField("verdicts.isCaseRejected") { $0.verdicts.isCaseRejected = true },
    DecisionField("verdicts.isFlagged") { $0.verdicts.isFlagged = true },
    DecisionField("verdicts.needsWork") { $0.verdicts.needsWork = true },
    DecisionField("verdicts.score") { $0.verdicts.score = 4 },
    DecisionField("verdicts.comment") { $0.verdicts.comment = "motion" },
    DecisionField("verdicts.tags") { $0.verdicts.tags = ["motion"] },
  ]

  /// The fields that undo restores: the side that is shown is not a decision.
  static let undoable = all.filter { $0.name != "shownSide" }
}

/// The names of the stored properties of decisions, with those of `knobs` and `verdicts` in place of these two.
private func fieldNames(_ decisions: Decisions) -> Set<String> {
  let names = Mirror(reflecting: decisions).children.flatMap { child -> [String] in
    let name = child.label ?? ""
    guard name == "knobs" || name == "verdicts" else { return [name] }
    return Mirror(reflecting: child.value).children.map { "\(name).\($0.label ?? "")" }
  }
  return Set(names)
}

/// All version numbers in a value, at any depth.
private func versionIDs(in value: Any) -> [VersionID] {
  if let id = value as? VersionID { return [id] }
  return Mirror(reflecting: value).children.flatMap { versionIDs(in: $0.value) }
}

@Suite("Every decision can be written, undone, restored and renumbered")
struct DecisionFieldTests {
  @Test("there is a row for every field")
  func complete() {
    let rows = DecisionField.all.map(\.name) + ["versions"]
    #expect(fieldNames(Decisions()) == Set(rows))
  }

  @Test("a change of one field is read from JSON as it was written", arguments: DecisionField.all)
  func coding(field: DecisionField) throws {
    #expect(field.changed != DecisionField.initial)
    let data = try JSONEncoder().encode(field.changed)
    #expect(try JSONDecoder().decode(Decisions.self, from: data) == field.changed)
  }

  @Test("a change of one field is applied and undone", arguments: DecisionField.undoable)
  func undo(field: DecisionField) {
    let change = DecisionChange(from: DecisionField.initial, to: field.changed)
    var decisions = DecisionField.initial
    change.apply(to: &decisions)
    #expect(decisions == field.changed)
    change.inverse.apply(to: &decisions)
    #expect(decisions == DecisionField.initial)
  }

  @Test("a restored change stays where this session did not change the field", arguments: DecisionField.all)
  func restoring(field: DecisionField) {
    let initial = DecisionField.initial
    #expect(initial.joined(with: field.changed, since: initial) == field.changed)
  }

  @Test(
    "a change of this session stays where the restored field is unchanged", arguments: DecisionField.undoable)
  func joining(field: DecisionField) {
    let initial = DecisionField.initial
    #expect(field.changed.joined(with: initial, since: initial) == field.changed)
  }

  @Test("no field keeps the number of a renumbered version, or of a lost one", arguments: DecisionField.all)
  func versionNumbers(field: DecisionField) {
    let numbers = [VersionID(1): VersionID(11), VersionID(2): VersionID(12), VersionID(3): VersionID(13)]
    let renumbered = versionIDs(in: field.changed.renumbered(numbers))
    #expect(renumbered.count == versionIDs(in: field.changed).count)
    #expect(renumbered.allSatisfy { $0.number > 10 })
    #expect(versionIDs(in: field.changed.limited(to: [])) == [])
  }
}
