import Work

/// Measures distances between the borders of A and B for some labels; the next job continues with the others.
package struct SurfaceDistanceJob: Job {
  package static let kind = JobKind.surfaceDistances
  /// The duration of a job in seconds, after which its results are shown.
  private static let seconds = 0.3
  /// The maximum fraction of the available memory for a job that no key started.
  private static let backgroundMemoryFraction = 0.25

  /// The measurements so far.
  package var measured: SurfaceDistances

  package func run(in environment: JobEnvironment, _ work: WorkContext) throws -> SurfaceDistances {
    var limitedWork = work
    limitedWork.memoryFraction = SurfaceDistanceJob.backgroundMemoryFraction
    var measured = measured
    try measured.measure(for: SurfaceDistanceJob.seconds, limitedWork)
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
