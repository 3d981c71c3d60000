import Work

/// Counts the voxels of A and B in each slice, and finds the components of the differing voxels.
package struct SpatialComparisonJob: Job {
  package static let kind = JobKind.spatialComparison
  package var request: SpatialComparisonRequest

  package func run(in environment: JobEnvironment, _ work: WorkContext) throws -> SpatialComparison {
    try SpatialComparison(request, work)
  }

  package func reduce(_ state: inout ReviewState, _ outcome: SpatialComparison) -> [ReviewEffect] {
    state.spatialComparison = outcome
    state.disagreementPosition = nil
    return []
  }
}
