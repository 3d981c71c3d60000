import Volumes
import Work

/// Computes the mean entropy of every slice.
package struct UncertaintyJob: Job {
  package static let kind = JobKind.uncertainty
  /// The maximum fraction of the available memory for a job that no key started.
  private static let backgroundMemoryFraction = 0.25

  /// The source of the probabilities, and the grid of the image.
  package var source: ProbabilitySource
  package var grid: VolumeGrid

  package func run(in environment: JobEnvironment, _ work: WorkContext) throws -> SliceUncertainty {
    var limitedWork = work
    limitedWork.memoryFraction = UncertaintyJob.backgroundMemoryFraction
    return try environment.services.uncertainty(of: source, on: grid, limitedWork)
  }

  package func reduce(_ state: inout ReviewState, _ outcome: SliceUncertainty) -> [ReviewEffect] {
    state.uncertainty = outcome
    return []
  }

  package func reduceFailure(_ state: inout ReviewState, _ line: String) -> [ReviewEffect] {
    state.uncertainty = SliceUncertainty(source: source, entropies: nil, failure: line)
    if case .file = source { state.message = Message(line, .error) }
    return []
  }
}

/// Computes the mean probability of a label in each of its components.
package struct ComponentProbabilityJob: Job {
  package static let kind = JobKind.componentProbabilities
  /// The label, its components and the source of the probabilities.
  package var request: IslandsRequest
  package var components: ComponentList
  package var source: ProbabilitySource
  package var grid: VolumeGrid

  package func run(in environment: JobEnvironment, _ work: WorkContext) throws -> ComponentProbabilities {
    let volume = try environment.services.probability(
      ofLabel: request.value, source, on: grid, work.part(0...0.9))
    let means = try volume.map { try components.means(in: $0, work: work.withoutProgress) }
    return ComponentProbabilities(request: request, source: source, means: means)
  }

  package func reduce(_ state: inout ReviewState, _ outcome: ComponentProbabilities) -> [ReviewEffect] {
    state.componentProbabilities = outcome
    return []
  }

  package func reduceFailure(_ state: inout ReviewState, _ line: String) -> [ReviewEffect] {
    state.componentProbabilities = ComponentProbabilities(request: request, source: source, means: nil)
    state.messageLog.add(Message(line, .warning))
    return []
  }
}
