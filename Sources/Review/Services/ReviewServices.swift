import Volumes
import Work

/// What a review needs done by others: files, models, networks, the CRF.
///
/// The executable implements it.
///
/// Every call runs on a thread of the job centre, may take long, polls `work.cancellation` and reports to
/// `work.report`. A wrong input throws `InputError`, a stop `Cancelled`; both leave nothing half done.
package protocol ReviewServices: Sendable {
  /// Reads the image and its masks.
  func openCase(_ request: OpenCaseRequest, _ work: WorkContext) throws -> ReviewCase

  /// The models at hand, each judged for `image`; the most suitable first.
  func models(for image: ScalarVolume, _ work: WorkContext) throws -> [ModelDescription]

  /// Runs a network. Its probabilities stay with the services under the handle in the result.
  func segment(_ request: SegmentationRequest, _ work: WorkContext) throws -> SegmentationResult

  /// Runs the fully connected CRF, on the whole image or on a box of it.
  /// - Returns: labels on the image's grid, or on the box's own when the request names one.
  func refine(_ request: RefinementRequest, _ work: WorkContext) throws -> LabelVolume

  /// Writes a mask and what reproduces it.
  func export(_ request: ExportRequest, _ work: WorkContext) throws -> ExportOutcome
}
