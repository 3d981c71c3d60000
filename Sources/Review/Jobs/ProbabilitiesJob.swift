import Work

/// Fetches the class probabilities of a version, where its network ran in this session.
package struct ProbabilitiesJob: Job {
  package static let kind = JobKind.probabilities
  /// The version whose network computed the probabilities.
  package var version: VersionID
  /// The handle under which the services keep them.
  package var handle: ProbabilitiesHandle

  package func run(in environment: JobEnvironment, _ work: WorkContext) throws -> VersionProbabilities? {
    try environment.services.probabilities(handle, work)
  }

  package func reduce(_ state: inout ReviewState, _ outcome: VersionProbabilities?) -> [ReviewEffect] {
    state.probabilities[version] = .some(outcome)
    return []
  }

  package func reduceFailure(_ state: inout ReviewState, _ line: String) -> [ReviewEffect] {
    state.probabilities[version] = .some(nil)
    return []
  }
}
