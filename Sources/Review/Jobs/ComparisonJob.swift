import Work

/// Pairs the labels of A and B and counts their common voxels.
package struct ComparisonJob: Job {
  package static let kind = JobKind.comparison
  package var request: ComparisonRequest

  package func run(in environment: JobEnvironment, _ work: WorkContext) throws -> Comparison {
    let remembered = request.memory.map { environment.services.rememberedPartners($0) } ?? []
    return try Comparison(request, remembered: remembered, work)
  }

  package func reduce(_ state: inout ReviewState, _ outcome: Comparison) -> [ReviewEffect] {
    state.receiveComparison(outcome)
  }
}
