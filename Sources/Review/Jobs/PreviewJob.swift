import Volumes
import Work

/// Runs the CRF on a box around the crosshair; the result is shown until a knob changes.
package struct PreviewJob: Job {
  package static let kind = JobKind.preview
  /// The source, region and settings.
  package var request: RefinementRequest
  /// The version that is refined.
  package var base: VersionID
  /// The knobs at the start of the job.
  package var knobs: KnobSettings

  package func run(in environment: JobEnvironment, _ work: WorkContext) throws -> RefinedPart {
    try request.refined(in: environment, work)
  }

  package func reduce(_ state: inout ReviewState, _ outcome: RefinedPart) -> [ReviewEffect] {
    state.noteProbabilitiesInMemory(of: request)
    return state.showRefinedBox(outcome, base: base, knobs)
  }

  package func reduceFailure(_ state: inout ReviewState, _ line: String) -> [ReviewEffect] {
    state.live = nil
    state.needsPreview = false
    state.message = Message(line, .error)
    return []
  }
}

extension VoxelBounds {
  /// The box of at most `side` voxels along each axis around `centre`, inside a grid of size `grid`.
  package init(around centre: VoxelIndex, side: GridSize, in grid: GridSize) {
    var lower = VoxelIndex(0, 0, 0)
    var upper = lower
    for axis in 0..<3 {
      let extent = max(1, min(side[axis], grid[axis]))
      lower[axis] = min(max(0, centre[axis] - extent / 2), grid[axis] - extent)
      upper[axis] = lower[axis] + extent - 1
    }
    self.init(lower: lower, upper: upper)
  }
}
