import Foundation
import Work

/// Runs the CRF on all of the image when the knobs have come to rest behind a preview, unasked.
package struct FollowingJob: Job {
  package static let kind = JobKind.following
  /// How much of the memory there is a refinement may take that nobody asked for.
  private static let unaskedMemoryShare = 0.25
  /// A knob that turns on within this time costs the preview no core.
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
    modest.memoryFraction = FollowingJob.unaskedMemoryShare
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
    state.takeRefinedImage(outcome, base: base, knobs)
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
