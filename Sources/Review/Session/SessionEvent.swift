import Screen
import Worklist

/// Everything that changes a session's state.
package enum SessionEvent: Equatable, Sendable {
  /// From the terminal.
  case terminal(TerminalEvent)
  /// To a case, from its jobs.
  case review(CaseID, ReviewEvent)
  /// The duration of the session in seconds; sent before keys.
  case clock(seconds: Double)
  /// The screen was drawn, at this time of the session in seconds; sent after each frame.
  case drawn(seconds: Double)
  /// Readers' decisions about cases whose records changed, by the name of the case.
  case reviews([String: CaseReview])
  /// Decisions that this reader made in another process, by the name of the case.
  case decidedElsewhere([String: CaseDecision])
  /// Measures of cases that were computed in the background.
  case measured([CaseID: CaseMeasures])
  /// The cases whose masks are still to be measured.
  case unmeasured(Set<CaseID>)
  /// How uncertain networks were about the labels of cases.
  case uncertainties([CaseID: [LabelUncertainty]])
  /// A note about the worklist, in one line.
  case noted(String)
  /// Verdicts could not be written to the worklist, for this reason, in one line; nil when they can be written again.
  case recordsFailed(String?)
}

/// An effect of a change of state, which the caller performs.
package enum SessionEffect: Equatable, Sendable {
  /// Carries out an effect of a case.
  case review(CaseID, ReviewEffect)
  /// Stops the jobs of a case that is no longer in memory, and writes the rest of its journal.
  case close(CaseID)
  /// A case was added at the end of the worklist.
  case add(WorklistCase)
  /// Keeps how uncertain a network was that ran on a case.
  case keep(CaseID, [LabelUncertainty])
  /// Writes what happened to a case, and all that this reader decided about it, to the worklist's records.
  case record(CaseID, CaseRecord.Kind, CaseDecision)
}
