import Cohort
import Foundation
import Segmentation
import Volumes
import Work

/// The sidecar `NAME.json` of a file of probabilities, with which `refine` needs no model.
struct ProbabilitySidecar: Codable {
  /// The model's name.
  var model: String
  /// Labels of the classes above background.
  var labels: CodedLabels
  /// The intensity normalisation, whose window limits the CRF's intensities.
  var normalisation: Preprocessing.Normalisation
  /// The model's own CRF.
  var refinement: RefinementSettings
  /// The model's post-processing.
  var postProcessing: PostProcessing
  /// The weights τ with which the heads were mixed.
  var auxiliaryHeadWeights: [Double]

  init(model: SegmentationModel, auxiliaryHeadWeights: [Double]) {
    self.model = model.name
    labels = model.codedLabels
    normalisation = model.preprocessing.normalisation
    refinement = model.refinement
    postProcessing = model.postProcessing
    self.auxiliaryHeadWeights = auxiliaryHeadWeights
  }

  /// The sidecar of the probabilities at `path`, as a pending file.
  /// - Parameter bids: What BIDS wants to know of them, in the same object; nil outside of a dataset.
  func pending(
    besideProbabilities path: String, with bids: BIDSSidecar? = nil
  ) throws(InputError) -> PendingFile {
    try AtomicFile.pending(
      finiteJSON(JoinedObjects(self, bids), isIndented: true) + Data("\n".utf8),
      for: MaskRecord.path(besideMask: path))
  }

  /// The sidecar of the probabilities at `path`; nil when there is none.
  /// - Throws: ``InputError`` when it is there and cannot be read.
  static func read(besideProbabilities path: String) throws(InputError) -> ProbabilitySidecar? {
    let sidecarPath = MaskRecord.path(besideMask: path)
    guard let data = try FileSystem.readIfPresent(sidecarPath) else { return nil }
    try JSONValue.requireSingleKeys(String(decoding: data, as: UTF8.self), subject: sidecarPath)
    guard let sidecar = try? JSONDecoder().decode(ProbabilitySidecar.self, from: data) else {
      throw InputError(
        sidecarPath, "is not what `segdeck segment --probabilities` writes beside probabilities")
    }
    try sidecar.refinement.validated(subject: sidecarPath)
    try sidecar.postProcessing.validated(subject: sidecarPath)
    try sidecar.normalisation.validated(subject: sidecarPath)
    return sidecar
  }
}
