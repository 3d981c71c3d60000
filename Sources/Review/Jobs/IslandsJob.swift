import Work

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
