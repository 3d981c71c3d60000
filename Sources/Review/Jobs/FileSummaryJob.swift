import Work

/// Reads what files and folders are, for the list of candidates.
package struct FileSummaryJob: Job {
  package static let kind = JobKind.fileSummaries
  /// Their folder as it was typed.
  package var folder: String
  package var names: [String]

  package func run(in environment: JobEnvironment, _ work: WorkContext) throws -> [String: String] {
    try environment.services.summaries(of: names, in: folder, work)
  }

  package func reduce(_ state: inout ReviewState, _ outcome: [String: String]) -> [ReviewEffect] {
    state.receive(outcome, of: self)
    return []
  }

  package func reduceFailure(_ state: inout ReviewState, _ line: String) -> [ReviewEffect] {
    reduce(&state, [:])
  }

  package func reduceCancellation(_ state: inout ReviewState) -> [ReviewEffect] { reduce(&state, [:]) }
}
