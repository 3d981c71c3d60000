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

/// Runs the network of a version again, whose probabilities are not in memory; no version is added.
package struct ComputedProbabilitiesJob: Job {
  package static let kind = JobKind.computedProbabilities
  /// The version and its name.
  package var version: VersionID
  package var name: String
  /// Its probabilities.
  package var handle: ProbabilitiesHandle

  package var title: String? { "running \(cleaned(name)) again" }

  package var stoppedText: String { "stopped \(cleaned(name)); its probabilities are not in memory" }

  package func run(in environment: JobEnvironment, _ work: WorkContext) throws -> VersionProbabilities {
    try environment.services.computeProbabilities(handle, work)
  }

  package func reduce(_ state: inout ReviewState, _ outcome: VersionProbabilities) -> [ReviewEffect] {
    state.forgetMissingProbabilities(of: handle)
    if state.decisions.a == version || state.decisions.b == version { state.probabilities[version] = outcome }
    state.message = Message(
      "the probabilities of \(cleaned(name)) are in memory: % shows them, ! goes to uncertain slices")
    return []
  }
}
