import Foundation
import Segmentation
import Volumes
import Work

/// What lies beside a file of probabilities as `NAME.json`, so that `refine` needs no model.
struct ProbabilitySidecar: Codable {
  /// The model's name.
  var model: String
  /// Labels of the classes above background.
  var labels: CodedLabels
  /// The intensity rule, whose window bounds the CRF's intensities.
  var normalisation: Preprocessing.Normalisation
  /// The model's own CRF.
  var refinement: RefinementSettings
  /// The last step of every mask.
  var postProcessing: PostProcessing
  /// τ_d with which the heads were mixed.
  var auxiliaryHeadWeights: [Double]

  init(model: SegmentationModel, auxiliaryHeadWeights: [Double]) {
    self.model = model.name
    labels = model.codedLabels
    normalisation = model.preprocessing.normalisation
    refinement = model.refinement
    postProcessing = model.postProcessing
    self.auxiliaryHeadWeights = auxiliaryHeadWeights
  }

  /// The sidecar of the probabilities at `path`, still beside its place.
  func pending(besideProbabilities path: String) throws(InputError) -> PendingFile {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    guard let data = try? encoder.encode(self) else {
      preconditionFailure("a model holds only finite numbers")
    }
    return try AtomicFile.pending(data + Data("\n".utf8), for: MaskRecord.path(besideMask: path))
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
