import CustomDump
import Review
import ReviewFixtures
import Screen
import Testing
import Volumes

/// An action of a group and every change that it makes to the state.
struct ActionCase: Sendable, CustomTestStringConvertible {
  /// The group, by its case of `Action`.
  let group: String
  let key: Key
  /// Prepares a newly opened case so that the key has this action.
  let prepare: @Sendable (inout ReviewState) throws -> Void
  /// Makes the expected changes; those that other tests check, such as started jobs, are copied from the state after
  /// the action.
  let changes: @Sendable (_ expected: inout ReviewState, _ found: ReviewState) -> Void

  var testDescription: String { group }

  init(
    _ group: String, _ key: Key, prepare: @escaping @Sendable (inout ReviewState) throws -> Void = { _ in },
    changes: @escaping @Sendable (inout ReviewState, ReviewState) -> Void
  ) {
    self.group = group
    self.key = key
    self.prepare = prepare
    self.changes = changes
  }

  /// A row or more for every group.
  static let all: [ActionCase] = [
    ActionCase("move", "]") { expected, _ in
      expected.view.crosshair.k += 1
      expected.message = nil
      expected.writtenJournal.view = expected.view
    },
    ActionCase("frame", ")") { expected, _ in
      expected.message = Message("the image has one frame", .warning)
    },
    ActionCase("picture", "x") { expected, _ in
      expected.view.showsCrosshair = false
      expected.message = nil
      expected.writtenJournal.view = expected.view
    },
    ActionCase("overlay", "u") { expected, _ in
      expected.view.overlay.style = .outline
      expected.isOverlayStyleChosen = true
      expected.message = nil
      expected.writtenJournal.view = expected.view
    },
    ActionCase("jump", "I") { expected, found in
      expected.selectedLabel = "spleen"
      expected.jumpTarget = .islands
      expected.islandsLabel = "spleen"
      expected.message = Message(
        "n and N go through the islands of spleen in manual.nii.gz; I goes back to differences")
      expected.takeJobs(of: found)
    },
    ActionCase(
      "component", " ",
      prepare: {
        $0.type("T")
        try $0.finishSpatialComparison()
      }
    ) { expected, _ in
      expected.markedComponents = [0]
      expected.message = Message("1 marked; K keeps nothing else of the label")
    },
    ActionCase("visibility", "s", prepare: { $0.type("b") }) { expected, found in
      expected.decisions.soloLabel = "spleen"
      expected.takeStep(of: found)
      expected.message = nil
    },
    ActionCase("label", "p", prepare: { $0.type("b") }) { expected, _ in
      expected.message = Message("nothing to pair: there is no other version to compare with", .warning)
    },
    ActionCase(
      "version", "a",
      prepare: {
        try $0.runNetwork()
        $0.type("v")
      }
    ) { expected, found in
      expected.decisions.a = VersionID(2)
      expected.decisions.b = VersionID(1)
      expected.decisions.shownSide = .a
      expected.takeStep(of: found)
      (expected.comparison, expected.comparedPairs) = (nil, found.comparedPairs)
      expected.spatialComparison = nil
      expected.takeJobs(of: found)
      expected.message = nil
    },
    ActionCase("refinement", "i", prepare: { $0.type("t") }) { expected, _ in
      expected.knobAxis = 0
      expected.message = Message("θα and θγ change along axis i alone")
    },
    ActionCase("network", "m") { expected, found in
      expected.dialog = .models(selected: 0)
      expected.message = Message("looking at the models…")
      expected.takeJobs(of: found)
    },
    ActionCase("focus", "q", prepare: { $0.type("v") }) { expected, _ in
      expected.focus = .picture
      expected.message = nil
    },
    ActionCase("verdict", "3") { expected, found in
      expected.decisions.verdicts.score = 3
      expected.takeStep(of: found)
      expected.message = Message("score 3 of 5")
    },
    ActionCase("session", ":") { expected, found in
      expected.dialog = .command(CommandLine(.command))
      expected.takeJobs(of: found)
      expected.message = nil
    },
    ActionCase("worklist", "C") { expected, _ in
      expected.message = Message("one case is open; segdeck review FOLDER opens many", .warning)
    },
    ActionCase("pointer", "j", prepare: { $0.type("?") }) { expected, _ in
      expected.dialog = .help(line: 1)
    },
    ActionCase("search", "/", prepare: { $0.type("?") }) { expected, _ in
      expected.search = ListSearch(start: 0)
    },
    ActionCase("answer", "q", prepare: { $0.type("?") }) { expected, _ in
      expected.dialog = nil
    },
    ActionCase("text", .backspace, prepare: { $0.type(":ab") }) { expected, _ in
      expected.dialog = .command(CommandLine(.command, "a"))
    },
    ActionCase("commandLine", .tab, prepare: { $0.type(":wi") }) { expected, _ in
      expected.dialog = .command(CommandLine(.command, "window "))
    },
  ]
}

extension ReviewState {
  /// Copies the jobs of another state, and the number of the next job.
  fileprivate mutating func takeJobs(of other: ReviewState) {
    (jobs, nextJobNumber) = (other.jobs, other.nextJobNumber)
  }

  /// Copies the history of another state, and the state of its journal.
  fileprivate mutating func takeStep(of other: ReviewState) {
    (history, writtenJournal) = (other.history, other.writtenJournal)
  }
}

/// The name of the group of an action.
private func group(of action: Action?) -> String? {
  action.flatMap { Mirror(reflecting: $0).children.first?.label }
}

@Suite("One action of each group changes what it names, and nothing else")
struct ActionGroupTests {
  @Test("there is a row for every group; actions of the list of cases have a test of their own below")
  func complete() {
    let groups = Set(KeyTable.bindings.compactMap { group(of: $0.action) })
    #expect(groups == Set(ActionCase.all.map(\.group)).union(["caseList"]))
  }

  @Test("the whole state after the action", arguments: ActionCase.all)
  func changes(row: ActionCase) throws {
    var state = try openedState()
    try row.prepare(&state)
    #expect(group(of: KeyTable.action(row.key, in: state.keyContext)) == row.group)
    expectChange(of: &state, by: { $0.press(row.key) }, changes: row.changes)
  }

  @Test("the whole session after an action of the list of cases")
  func caseListChanges() throws {
    var (session, effects) = begunSession(3)
    try session.finish(effects)
    try session.press("C")
    #expect(group(of: KeyTable.action("/", in: .cases)) == "caseList")
    var expected = session
    expected.worklist.list?.entry = TextEntry()
    try session.press("/")
    let difference = session == expected ? nil : diff(expected, session) ?? "differs in what no dump shows"
    #expect(difference == nil, "- expected, + found\n\(difference ?? "")")
  }
}
