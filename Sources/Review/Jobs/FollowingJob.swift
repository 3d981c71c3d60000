import Foundation
import Work

/// Runs the CRF on the whole image, unasked, once the knobs have stopped changing after a preview.
package struct FollowingJob: Job {
  package static let kind = JobKind.following
  /// The fraction of available memory for a refinement that nobody asked for.
  private static let unaskedMemoryFraction = 0.25
  /// A pause before the work, so that a knob that keeps changing leaves all cores to the preview.
  private static let restMilliseconds = 250

  /// What is refined, and how.
  package var request: RefinementRequest
  /// The version that is refined.
  package var base: VersionID
  /// The knobs as they stood.
  package var knobs: KnobSettings

  package func run(in environment: JobEnvironment, _ work: WorkContext) throws -> RefinedPart {
    try FollowingJob.pause(milliseconds: FollowingJob.restMilliseconds, work)
    var modest = work
    modest.memoryFraction = FollowingJob.unaskedMemoryFraction
    return try request.refined(in: environment, modest)
  }

  private static func pause(milliseconds: Int, _ work: WorkContext) throws(Cancelled) {
    let end = ContinuousClock.now + .milliseconds(milliseconds)
    while ContinuousClock.now < end {
      try work.checkCancellation()
      usleep(5000)
    }
  }

  package func reduce(_ state: inout ReviewState, _ outcome: RefinedPart) -> [ReviewEffect] {
    state.showRefinedImage(outcome, base: base, knobs)
    return []
  }

  package func reduceFailure(_ state: inout ReviewState, _ line: String) -> [ReviewEffect] {
    // The box goes on following.
    state.live?.isOnlyRegion = true
    state.message = Message(
      "only the box follows the knobs, Enter refines all of the image: \(line)", .warning)
    return []
  }
}
