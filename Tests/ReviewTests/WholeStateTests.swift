import CustomDump
import Review
import ReviewFixtures
import Screen
import Testing
import Volumes

/// Expects that an action makes the given changes to a state, and no others.
func expectChange(
  of state: inout ReviewState, by action: (inout ReviewState) -> Void, changes: (inout ReviewState) -> Void,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  expectChange(
    of: &state, by: action, changes: { expected, _ in changes(&expected) }, sourceLocation: sourceLocation)
}

/// Expects that an action makes the given changes, for changes that need the state after the action.
///
/// swift-custom-dump's own `expectDifference` reports through a dynamic library and is silent where that is not linked.
func expectChange(
  of state: inout ReviewState, by action: (inout ReviewState) -> Void,
  changes: (_ expected: inout ReviewState, _ found: ReviewState) -> Void,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  var expected = state
  action(&state)
  changes(&expected, state)
  guard expected != state else { return }
  let difference = diff(expected, state) ?? "The states differ in what no dump shows."
  Issue.record("- expected, + found\n\(difference)", sourceLocation: sourceLocation)
}

/// Expects that a decision makes the given changes, and appends a step of this name to the history and to the journal.
private func expectDecision(
  _ name: String, of state: inout ReviewState, by action: (inout ReviewState) -> Void,
  changes: (inout ReviewState) -> Void, sourceLocation: SourceLocation = #_sourceLocation
) {
  let steps = state.history.steps.map(\.name)
  expectChange(
    of: &state, by: action,
    changes: { expected, found in
      changes(&expected)
      (expected.history, expected.writtenJournal) = (found.history, found.writtenJournal)
    }, sourceLocation: sourceLocation)
  #expect(state.history.steps.map(\.name) == steps + [name], sourceLocation: sourceLocation)
  #expect(state.writtenJournal.lastStep == state.history.steps.last, sourceLocation: sourceLocation)
  #expect(state.writtenJournal.view == state.view, sourceLocation: sourceLocation)
}

/// The change of an action, field by field of the whole state.
@Suite struct WholeStateTests {
  @Test("accepting a version sets the verdict, shows a message, and changes nothing else")
  func accepting() throws {
    var state = try openedState()
    expectDecision("accept manual.nii.gz", of: &state) {
      $0.type("y")
    } changes: {
      $0.decisions.verdicts.accepted = VersionID(1)
      $0.message = Message("accepted manual.nii.gz; E exports it")
    }
  }

  @Test("flagging the case sets the flag, shows a message, and changes nothing else")
  func flagging() throws {
    var state = try openedState()
    expectDecision("flag the case", of: &state) {
      $0.type("f")
    } changes: {
      $0.decisions.verdicts.isFlagged = true
      $0.message = Message("flagged the case")
    }
  }

  @Test("hiding a label hides it, and changes nothing else")
  func hiding() throws {
    var state = try openedState()
    state.type("b")
    expectDecision("hide spleen", of: &state) {
      $0.type(" ")
    } changes: {
      $0.decisions.hiddenLabels = ["spleen"]
      $0.message = nil
    }
  }

  @Test("undoing reverts the decision, shows a message, moves in the history, and changes nothing else")
  func undoing() throws {
    var state = try openedState()
    state.type("y")
    let steps = state.history.steps
    expectChange(of: &state) {
      $0.type("z")
    } changes: { expected, found in
      expected.decisions.verdicts.accepted = nil
      expected.message = Message("undid: accept manual.nii.gz")
      (expected.history, expected.writtenJournal) = (found.history, found.writtenJournal)
    }
    #expect(state.history.steps == steps)
    #expect(state.history.position == 0)
    #expect(state.writtenJournal.step == 0)
  }

  @Test("a typed window is shown and loses its name, and nothing else changes")
  func typingAWindow() throws {
    var state = try openedState()
    expectChange(of: &state) {
      $0.command("window 40 80")
    } changes: { expected, found in
      (expected.jobs, expected.nextJobNumber) = (found.jobs, found.nextJobNumber)
      expected.commandHistory.add("window 40 80", after: .command)
      expected.view.window = IntensityWindow(centre: 40, width: 80)
      expected.view.windowName = nil
      expected.message = Message("window 40/80")
      expected.writtenJournal.view = expected.view
    }
  }

  @Test("the next slice is shown, and nothing else changes")
  func nextSlice() throws {
    var state = try openedState()
    expectChange(of: &state) {
      $0.type("]")
    } changes: {
      $0.view.crosshair.k += 1
      $0.message = nil
      $0.writtenJournal.view = $0.view
    }
  }

  @Test("flipping shows the other side, and changes nothing else")
  func flipping() throws {
    var state = try openedState()
    try state.runNetwork()
    expectChange(of: &state) {
      $0.press(.tab)
    } changes: {
      $0.decisions.shownSide = .a
      $0.writtenJournal.decisions.shownSide = .a
      $0.message = nil
    }
  }

  @Test("opening a list puts it over the screen, and changes nothing else")
  func openingAList() throws {
    var state = try openedState()
    expectChange(of: &state) {
      $0.type("w")
    } changes: {
      $0.dialog = .windows(selected: 4)
      $0.message = nil
    }
  }

  @Test("progress of a job changes the job, and nothing else")
  func progress() throws {
    var state = try openedState(journal: nil)
    let id = try #require(state.jobs[.journal]?.id)
    expectChange(of: &state) {
      _ = reduce(&$0, .jobProgressed(id, fraction: 0.5, elapsedSeconds: 3))
    } changes: {
      $0.jobs[.journal]?.fraction = 0.5
      $0.jobs[.journal]?.elapsedSeconds = 3
    }
  }

  @Test("a change that is not named is an issue")
  func anotherChangeIsSeen() throws {
    var state = try openedState()
    withKnownIssue {
      expectChange(of: &state) {
        $0.type("]x")
      } changes: {
        $0.view.crosshair.k += 1
        $0.message = nil
        $0.writtenJournal.view = $0.view
      }
    }
  }
}
