import Work

/// Measures how far the borders of A and B are from each other, some labels at a time.
package struct SurfaceDistanceJob: Job {
  package static let kind = JobKind.surfaceDistances
  /// After so long it shows what it measured, and another job goes on.
  private static let seconds = 0.3
  /// The fraction of the available memory that a job may use that starts by itself.
  private static let unaskedMemoryFraction = 0.25

  /// The measurements so far.
  package var measured: SurfaceDistances

  package func run(in environment: JobEnvironment, _ work: WorkContext) throws -> SurfaceDistances {
    var modest = work
    modest.memoryFraction = SurfaceDistanceJob.unaskedMemoryFraction
    var measured = measured
    try measured.measure(for: SurfaceDistanceJob.seconds, modest)
    return measured
  }

  package func reduce(_ state: inout ReviewState, _ outcome: SurfaceDistances) -> [ReviewEffect] {
    state.receiveSurfaceDistances(outcome)
  }

  package func reduceFailure(_ state: inout ReviewState, _ line: String) -> [ReviewEffect] {
    state.surfaceDistances?.failure = line
    return []
  }
}
