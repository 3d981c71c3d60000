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
  /// Readers' decisions about cases whose records changed, by the name of the case.
  case reviews([String: CaseReview])
  /// Measures of cases that were computed in the background.
  case measured([CaseID: CaseMeasures])
  /// Verdicts could not be written to the worklist, with the line that says why; nil when they could again.
  case recordsFailed(String?)
}

/// An effect of a change of state, which the caller performs.
package enum SessionEffect: Equatable, Sendable {
  /// Carries out an effect of a case.
  case review(CaseID, ReviewEffect)
  /// Stops the jobs of a case that is no longer in memory, and writes its journal to the end.
  case close(CaseID)
  /// Writes what happened to a case, and all that this reader decided about it, to the worklist's records.
  case record(CaseID, CaseRecord.Kind, CaseDecision)
}
