import Foundation
import Work

/// Refines the whole image in the background after a preview, once no knob changes.
package struct BackgroundRefinementJob: Job {
  package static let kind = JobKind.backgroundRefinement
  /// The fraction of the available memory that a background refinement may use.
  private static let maximumMemoryFraction = 0.25
  /// A pause before the work, so that a knob that keeps changing leaves all cores to the preview.
  private static let pauseMilliseconds = 250

  /// The source, region and settings.
  package var request: RefinementRequest
  /// The version that is refined.
  package var base: VersionID
  /// The knobs at the start of the job.
  package var knobs: KnobSettings

  package func run(in environment: JobEnvironment, _ work: WorkContext) throws -> RefinedPart {
    try BackgroundRefinementJob.pause(milliseconds: BackgroundRefinementJob.pauseMilliseconds, work)
    var limitedWork = work
    limitedWork.memoryFraction = BackgroundRefinementJob.maximumMemoryFraction
    return try request.refined(in: environment, limitedWork)
  }

  private static func pause(milliseconds: Int, _ work: WorkContext) throws(Cancelled) {
    let end = ContinuousClock.now + .milliseconds(milliseconds)
    while ContinuousClock.now < end {
      try work.checkCancellation()
      usleep(5000)
    }
  }

  package func reduce(_ state: inout ReviewState, _ outcome: RefinedPart) -> [ReviewEffect] {
    state.noteProbabilitiesInMemory(of: request)
    state.showRefinedImage(outcome, base: base, knobs)
    return []
  }

  package func reduceFailure(_ state: inout ReviewState, _ line: String) -> [ReviewEffect] {
    // The box is still refined after each change.
    state.live?.isOnlyRegion = true
    state.message = Message(
      "only the box is refined while knobs change, Enter refines the whole image: \(line)", .warning)
    return []
  }
}
