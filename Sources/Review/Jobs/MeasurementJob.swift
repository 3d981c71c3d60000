import Volumes
import Work

/// The noise and edge contrast of an image, and the kernels that they suggest.
package struct ImageMeasures: Equatable, Sendable {
  /// Standard deviation of its noise, in its intensity units.
  package var noise: Double
  /// The step of intensity across the labels' borders; nil where they have none.
  package var edgeContrast: Double?
  /// Kernels that are suggested by noise, contrast and spacing.
  package var suggested: RefinementSettings

  package init(noise: Double, edgeContrast: Double?, suggested: RefinementSettings) {
    self.noise = noise
    self.edgeContrast = edgeContrast
    self.suggested = suggested
  }
}

/// Measures the image's noise and its contrast at the borders of a version's labels.
package struct MeasurementJob: Job {
  package static let kind = JobKind.measurement
  /// The refinement that the measures are for.
  package var request: RefinementRequest
  /// The version whose borders are measured.
  package var base: VersionID

  package func run(in environment: JobEnvironment, _ work: WorkContext) throws -> ImageMeasures? {
    try environment.services.measure(request, work)
  }

  package func reduce(_ state: inout ReviewState, _ outcome: ImageMeasures?) -> [ReviewEffect] {
    state.measures = MeasuredVersion(version: base, measures: outcome)
    return []
  }
}
