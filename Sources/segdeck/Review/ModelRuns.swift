import Foundation
import Segmentation
import Synchronization
import Volumes
import Work

/// The networks that a review has run and the refinements that started from them, kept so that a turn of a knob
/// costs only what it changes.
///
/// The main head runs alone, as in `segdeck segment`; the auxiliary heads run when a τ asks for them, with the whole
/// network, as there too. So the screen and the commands give the same voxels.
final class ModelRuns: Sendable {
  /// A network's answer about an image.
  private struct Run {
    var model: SegmentationModel
    var image: ScalarVolume
    var mainHead: NetworkPrediction
    var allHeads: NetworkPrediction?
  }

  /// A refinement and what it started from.
  private struct Kept {
    enum Origin: Equatable {
      case run(Int, usesAuxiliaryHeads: Bool)
      case mask(LabelVolume, [UInt16], Double, image: ScalarVolume)
    }
    var origin: Origin
    var refinement: Refinement
  }

  private struct State {
    var models: [String: (model: SegmentationModel, file: OpenedFile)] = [:]
    var runs: [Int: Run] = [:]
    var refinements: [Kept] = []
  }

  private let state = Mutex(State())

  /// The model that `id` names, read once.
  func model(_ id: String) throws -> SegmentationModel {
    if let known = state.withLock({ $0.models[id] }) { return known.model }
    let model = try ModelLibrary.model(id)
    let file = try OpenedFile(model.path)
    state.withLock { $0.models[id] = (model, file) }
    return model
  }

  /// The file of a model that was read, as it was then.
  func file(_ id: String) -> OpenedFile? { state.withLock { $0.models[id]?.file } }

  /// Runs a model's main head; the number names the run from now on.
  func segment(
    _ id: String, _ image: ScalarVolume, _ work: WorkContext
  ) throws -> (number: Int, mask: PostProcessedMask, model: SegmentationModel) {
    let model = try model(id)
    let weights = model.refinement.auxiliaryHeadWeights
    let usesAuxiliaryHeads = weights.contains { $0 != 0 }
    let segmenter = try Segmenter(model: model, usesAuxiliaryHeads: usesAuxiliaryHeads, work: work.silent)
    let prediction = try segmenter.prediction(for: image, work: work.part(0...0.85))
    let mask = try segmenter.labels(
      of: prediction, auxiliaryHeadWeights: weights, work: work.part(0.85...1))
    let run = Run(
      model: model, image: image, mainHead: prediction, allHeads: usesAuxiliaryHeads ? prediction : nil)
    let number = state.withLock { state in
      let number = state.runs.count + 1
      state.runs[number] = run
      return number
    }
    return (number, mask, model)
  }

  /// The refinement that starts from a run.
  func refinement(ofRun number: Int, auxiliaryHeadWeights: [Double], _ work: WorkContext) throws -> Refinement
  {
    let usesAuxiliaryHeads = auxiliaryHeadWeights.contains { $0 != 0 }
    return try kept(.run(number, usesAuxiliaryHeads: usesAuxiliaryHeads)) {
      guard var run = state.withLock({ $0.runs[number] }) else {
        throw InputError("CRF", "the network's probabilities are no longer there")
      }
      if usesAuxiliaryHeads, run.allHeads == nil {
        let segmenter = try Segmenter(model: run.model, usesAuxiliaryHeads: true, work: work.silent)
        run.allHeads = try segmenter.prediction(for: run.image, work: work)
        let finished = run
        state.withLock { $0.runs[number] = finished }
      }
      let prediction = usesAuxiliaryHeads ? run.allHeads ?? run.mainHead : run.mainHead
      return try Refinement(
        image: run.image, source: .prediction(prediction), labelValues: run.model.labelValues,
        intensityRange: run.model.preprocessing.normalisation.refinementRange,
        postProcessing: run.model.postProcessing, work: work.silent)
    }
  }

  /// The refinement that starts from a hard mask.
  func refinement(
    of mask: LabelVolume, labelValues: [UInt16], confidence: Double, image: ScalarVolume, _ work: WorkContext
  ) throws -> Refinement {
    try kept(.mask(mask, labelValues, confidence, image: image)) {
      // A turn of the confidence leaves the image's range, which takes a pass over all of it, as it was.
      let sibling = state.withLock { state in
        state.refinements.first {
          if case .mask(let other, _, _, let otherImage) = $0.origin {
            return other == mask && otherImage == image
          }
          return false
        }
      }
      return try Refinement(
        image: image, source: .mask(mask, confidence: confidence), labelValues: labelValues,
        intensityRange: sibling?.refinement.intensityRange, postProcessing: .none, work: work.silent)
    }
  }

  /// The refinement kept for `origin`, or a new one; the last three are kept.
  private func kept(_ origin: Kept.Origin, make: () throws -> Refinement) throws -> Refinement {
    if let known = state.withLock({ $0.refinements.first { $0.origin == origin } }) {
      return known.refinement
    }
    let refinement = try make()
    let kept = Kept(origin: origin, refinement: refinement)
    state.withLock { $0.refinements = [kept] + $0.refinements.prefix(2) }
    return refinement
  }
}
