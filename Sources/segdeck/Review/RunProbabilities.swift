import Metrics
import Review
import Segmentation
import Volumes
import Work
import Worklist

/// The class probabilities from which a network's mask was computed: its heads mixed with the weights τ of its model.
///
/// Maps, the status line, entropies and flags use these, whatever τ a refinement was computed with.
package struct RunProbabilities: Sendable {
  private let prediction: NetworkPrediction
  private let model: SegmentationModel

  /// The probabilities of a prediction that has the heads whose weights in `model` are not 0.
  init(_ prediction: NetworkPrediction, model: SegmentationModel) {
    self.prediction = prediction
    self.model = model
  }

  private var weights: [Double] { model.refinement.auxiliaryHeadWeights }

  /// The grid of the image.
  package var imageGrid: VolumeGrid { prediction.axes.original }

  /// The label of each class, 0 for background.
  package var labelValues: [UInt16] { model.labelValues }

  /// The probabilities of all classes, on the network's own grid.
  package func mixed() throws(InputError) -> ProbabilityVolume {
    try prediction.mixed(auxiliaryHeadWeights: weights)
  }

  /// The mean entropy of each slice of the image.
  package func sliceEntropies(work: WorkContext) throws -> SliceEntropies {
    try prediction.sliceEntropies(auxiliaryHeadWeights: weights, work: work)
  }

  /// The uncertainty about each label that the network found.
  package func uncertainties(work: WorkContext) throws -> [LabelUncertainty] {
    LabelUncertainty.all(
      try prediction.classEntropies(auxiliaryHeadWeights: weights, work: work), network: model.name,
      names: ["background"] + model.labels.map(\.name))
  }

  /// The probability of a label, or of background for 0, in each voxel of the image; nil for a label that the network does
  /// not know.
  package func probability(ofLabel value: UInt16, work: WorkContext) throws -> ScalarVolume? {
    guard let index = model.labelValues.firstIndex(of: value) else { return nil }
    return try prediction.probability(ofClass: index, auxiliaryHeadWeights: weights, work: work)
  }
}

extension VersionProbabilities {
  /// The probabilities of a run as the review shows them.
  init(_ run: RunProbabilities) throws(InputError) {
    self.init(try run.mixed(), labelValues: run.labelValues, on: run.imageGrid)
  }
}
