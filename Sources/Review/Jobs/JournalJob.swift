import Work

/// Opens the journal of a case and reads what earlier sessions did with its image.
package struct JournalJob: Job {
  package static let kind = JobKind.journal
  package var content: ReviewCase

  package init(content: ReviewCase) { self.content = content }

  package func run(in environment: JobEnvironment, _ work: WorkContext) throws -> OpenedJournal {
    let opened = try environment.services.openJournal(of: content, work)
    if case .failing(let reason) = opened.status { environment.journal.note(failure: reason) }
    return opened
  }

  package func reduce(_ state: inout ReviewState, _ outcome: OpenedJournal) -> [ReviewEffect] {
    state.restoreJournal(outcome)
  }

  package func reduceFailure(_ state: inout ReviewState, _ line: String) -> [ReviewEffect] {
    state.journal = .absent(line)
    state.noteEarlyVerdicts()
    state.message = Message(line, .error)
    return []
  }
}
