import Foundation
import Segmentation
import Synchronization
import Volumes
import Work

/// The networks that a review has run and the refinements that started from them, kept so that a turn of a knob
/// costs only what it changes.
///
/// Where other work would not fit in memory, they are given up, those that were not asked for the longest first: the next
/// request makes them again.
///
/// The main head runs alone, as in `segdeck segment`; the auxiliary heads run when a τ asks for them, with the whole
/// network, as there too. So the screen and the commands give the same voxels.
package final class NetworkRunCache: Sendable {
  /// A network's answer about an image.
  private struct Run {
    var modelID: String
    /// Gives the image that the network looked at.
    var image: @Sendable () throws -> ScalarVolume
    /// The SHA-256 of the model's file, where an earlier session ran it.
    var expectedChecksum: String?
    /// nil until it is asked for, where an earlier session ran the network.
    var mainHead: NetworkPrediction?
    var allHeads: NetworkPrediction?
    /// When it was asked for last, by ``State/requestCount``.
    var lastRequest = 0
  }

  /// A refinement and what it started from.
  private struct CachedRefinement {
    enum Origin: Equatable {
      case run(Int, usesAuxiliaryHeads: Bool)
      case mask(ChunkedLabels, [UInt16], Double, image: ScalarVolume)
    }
    var origin: Origin
    var refinement: Refinement
  }

  private struct State {
    var models: [String: (model: SegmentationModel, file: OpenedFile)] = [:]
    var runs: [Int: Run] = [:]
    var requestCount = 0
    /// Runs whose network is running.
    var busyRuns: Set<Int> = []
    var refinements: [CachedRefinement] = []
  }

  private let state = Mutex(State())

  /// No run yet.
  package init() {
    AvailableMemory.onShortage { [weak self] in self?.evictLeastRecentlyUsed() ?? false }
  }

  /// Drops the refinement, or else the probabilities, that were not asked for the longest.
  /// - Returns: Whether there was anything to drop.
  private func evictLeastRecentlyUsed() -> Bool {
    state.withLock { state in
      if state.refinements.popLast() != nil { return true }
      let inMemory = state.runs.filter { $0.value.mainHead != nil || $0.value.allHeads != nil }
      guard let oldest = inMemory.min(by: { $0.value.lastRequest < $1.value.lastRequest })?.key else {
        return false
      }
      state.runs[oldest]?.mainHead = nil
      state.runs[oldest]?.allHeads = nil
      return true
    }
  }

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

  /// The number of a run that an earlier session made; the network runs again when its probabilities are asked for.
  func restore(
    _ id: String, checksum: String?, _ image: @escaping @Sendable () throws -> ScalarVolume
  ) -> Int {
    add(Run(modelID: id, image: image, expectedChecksum: checksum))
  }

  private func add(_ run: Run) -> Int {
    state.withLock { state in
      let number = state.runs.count + 1
      state.requestCount += 1
      state.runs[number] = run
      state.runs[number]?.lastRequest = state.requestCount
      return number
    }
  }

  /// Runs a model's main head; the number names the run from now on.
  func segment(
    _ id: String, _ image: ScalarVolume, _ work: WorkContext
  ) throws -> (number: Int, mask: PostProcessedMask, model: SegmentationModel) {
    let model = try model(id)
    let weights = model.refinement.auxiliaryHeadWeights
    let usesAuxiliaryHeads = weights.contains { $0 != 0 }
    let segmenter = try Segmenter(
      model: model, usesAuxiliaryHeads: usesAuxiliaryHeads, work: work.withoutProgress)
    let prediction = try segmenter.prediction(for: image, work: work.part(0...0.85))
    let mask = try segmenter.labels(
      of: prediction, auxiliaryHeadWeights: weights, work: work.part(0.85...1))
    let run = Run(
      modelID: id, image: { image }, mainHead: prediction, allHeads: usesAuxiliaryHeads ? prediction : nil)
    return (add(run), mask, model)
  }

  /// The refinement that starts from a run.
  func refinement(ofRun number: Int, auxiliaryHeadWeights: [Double], _ work: WorkContext) throws -> Refinement
  {
    let usesAuxiliaryHeads = auxiliaryHeadWeights.contains { $0 != 0 }
    return try cachedRefinement(.run(number, usesAuxiliaryHeads: usesAuxiliaryHeads)) {
      let (run, prediction) = try prediction(ofRun: number, usesAuxiliaryHeads: usesAuxiliaryHeads, work)
      let model = try model(run.modelID)
      return try Refinement(
        image: try run.image(), source: .prediction(prediction), labelValues: model.labelValues,
        coding: model.coding,
        intensityRange: model.preprocessing.normalisation.refinementRange,
        postProcessing: model.postProcessing, work: work.withoutProgress)
    }
  }

  /// A run and its probabilities; the network runs where it has not yet, once for all who wait for it.
  private func prediction(
    ofRun number: Int, usesAuxiliaryHeads: Bool, _ work: WorkContext
  ) throws -> (Run, NetworkPrediction) {
    while !state.withLock({ $0.busyRuns.insert(number).inserted }) {
      try work.checkCancellation()
      usleep(20_000)
    }
    defer { state.withLock { _ = $0.busyRuns.remove(number) } }
    let asked = state.withLock { state in
      state.requestCount += 1
      state.runs[number]?.lastRequest = state.requestCount
      return state.runs[number]
    }
    guard var run = asked else {
      throw InputError("CRF", "the network's probabilities are no longer there")
    }
    if let known = usesAuxiliaryHeads ? run.allHeads : run.mainHead ?? run.allHeads { return (run, known) }
    _ = try model(run.modelID)
    if let expected = run.expectedChecksum, try file(run.modelID)?.recorded(work).sha256 != expected {
      throw InputError(
        run.modelID, "is no longer the model that made this version", found: "another file",
        expected: "the same SHA-256; m runs the model that is there now")
    }
    let segmenter = try Segmenter(
      model: try model(run.modelID), usesAuxiliaryHeads: usesAuxiliaryHeads, work: work.withoutProgress)
    let prediction = try segmenter.prediction(for: try run.image(), work: work)
    if usesAuxiliaryHeads { run.allHeads = prediction } else { run.mainHead = prediction }
    let finished = run
    state.withLock { $0.runs[number] = finished }
    return (run, prediction)
  }

  /// The refinement that starts from a hard mask.
  func refinement(
    of mask: ChunkedLabels, labelValues: [UInt16], confidence: Double, image: ScalarVolume,
    _ work: WorkContext
  ) throws -> Refinement {
    try cachedRefinement(.mask(mask, labelValues, confidence, image: image)) {
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
        image: image, source: .mask(try mask.volume, confidence: confidence), labelValues: labelValues,
        intensityRange: sibling?.refinement.intensityRange, postProcessing: .none, work: work.withoutProgress)
    }
  }

  /// The refinement kept for `origin`, or a new one; the last three are kept.
  private func cachedRefinement(_ origin: CachedRefinement.Origin, make: () throws -> Refinement) throws
    -> Refinement
  {
    if let known = state.withLock({ $0.refinements.first { $0.origin == origin } }) {
      return known.refinement
    }
    let refinement = try make()
    let cached = CachedRefinement(origin: origin, refinement: refinement)
    state.withLock { $0.refinements = [cached] + $0.refinements.prefix(2) }
    return refinement
  }
}
