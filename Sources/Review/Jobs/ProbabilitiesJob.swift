import Volumes
import Work

/// Fetches class probabilities: of a network that ran in this session, or from the file that was given with the image.
package struct ProbabilitiesJob: Job {
  package static let kind = JobKind.probabilities
  /// The maximum fraction of the available memory for a file that the reviewer did not request.
  private static let backgroundMemoryFraction = 0.25

  /// The source of the probabilities, and the grid of the image.
  package var source: ProbabilitySource
  package var grid: VolumeGrid
  /// Whether the reviewer requested a map of them.
  package var isRequestedByReviewer = false

  package var title: String? { isRequestedByReviewer ? "reading probabilities" : nil }

  package func run(in environment: JobEnvironment, _ work: WorkContext) throws -> VersionProbabilities? {
    var work = work
    if !isRequestedByReviewer { work.memoryFraction = ProbabilitiesJob.backgroundMemoryFraction }
    return try environment.services.probabilities(of: source, on: grid, work)
  }

  package func reduce(_ state: inout ReviewState, _ outcome: VersionProbabilities?) -> [ReviewEffect] {
    state.probabilities[source] = outcome.map { .known($0) } ?? .notInMemory
    if isRequestedByReviewer, outcome != nil {
      state.message = Message("the probabilities are in memory: % shows them")
    }
    return []
  }

  package func reduceFailure(_ state: inout ReviewState, _ line: String) -> [ReviewEffect] {
    state.probabilities[source] = .failed(line)
    if isRequestedByReviewer { state.message = Message(line, .error) }
    return []
  }

  package func reduceCancellation(_ state: inout ReviewState) -> [ReviewEffect] {
    state.probabilities[source] = .failed("reading the probabilities was stopped")
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
    if state.comparedProbabilitySources.contains(.run(handle)) {
      state.probabilities[.run(handle)] = .known(outcome)
    }
    state.message = Message(
      "the probabilities of \(cleaned(name)) are in memory: % shows them, ! goes to uncertain slices")
    return []
  }
}
