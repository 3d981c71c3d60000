import Screen

/// Everything that changes a session's state.
package enum SessionEvent: Equatable, Sendable {
  /// From the terminal.
  case terminal(TerminalEvent)
  /// To a case, from its jobs.
  case review(CaseID, ReviewEvent)
  /// How many seconds the session has lasted; sent before everything that came in with it.
  case clock(seconds: Double)
}

/// What a change of state asks the world to do.
package enum SessionEffect: Equatable, Sendable {
  /// Carries out an effect of a case.
  case review(CaseID, ReviewEffect)
  /// Stops the jobs of a case that is no longer in memory, and writes its journal to the end.
  case close(CaseID)
}
