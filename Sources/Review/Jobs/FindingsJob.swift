import Work

/// Counts the slices of A and B, and finds where they differ.
package struct FindingsJob: Job {
  package static let kind = JobKind.findings
  package var request: FindingsRequest

  package func run(in environment: JobEnvironment, _ work: WorkContext) throws -> Findings {
    try Findings(request, work)
  }

  package func reduce(_ state: inout ReviewState, _ outcome: Findings) -> [ReviewEffect] {
    state.findings = outcome
    state.disagreementPosition = nil
    return []
  }
}

/// Finds the components of a label.
package struct IslandsJob: Job {
  package static let kind = JobKind.islands
  package var request: IslandsRequest

  package func run(in environment: JobEnvironment, _ work: WorkContext) throws -> Islands {
    try Islands(request, work)
  }

  package func reduce(_ state: inout ReviewState, _ outcome: Islands) -> [ReviewEffect] {
    state.receiveIslands(outcome)
    return []
  }
}
