import Screen
import Worklist

/// Everything that changes a review's state.
package enum ReviewEvent: Equatable, Sendable {
  /// From the terminal.
  case terminal(TerminalEvent)
  /// The next slice of a cine is due.
  case cineAdvanced
  case jobProgressed(JobID, fraction: Double, elapsedSeconds: Double)
  case jobEnded(JobID, JobOutcome)
  /// The job that opens the case has read the image, but not yet the masks.
  case imageRead(JobID, OpenedCase)
  /// The session gives a verdict on the case, for a key that then opens the next case.
  case verdictGiven(Verdict)
  /// The worklist has this decision of the reader about the case.
  case recorded(CaseDecision)
  /// The reader decided this about the case in another process.
  case decidedElsewhere(CaseDecision)
  /// The journal could not be written, for this reason, in one line; nil when it can be written again.
  case journalFailed(String?)
}

/// A side effect that the caller of ``reduce(_:_:)`` performs.
package enum ReviewEffect: Equatable, Sendable {
  /// Starts a job, and cancels an older one of its kind.
  case start(JobID, AnyJob)
  /// Asks a job to stop; it still ends with an event.
  case cancel(JobID)
  /// Writes what happened to the journal.
  case note(JournalEntry)
}
