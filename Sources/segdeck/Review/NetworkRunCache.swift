import Foundation
import Segmentation
import Synchronization
import Volumes
import Work

/// Caches the network predictions of a review and the refinements of them, so that a change of a CRF parameter computes
/// only what depends on it.
///
/// When other work does not fit in memory, the least recently used results are evicted and computed again on request.
///
/// The main head runs alone, as in `segdeck segment`. When a τ is not 0, the whole network runs with its auxiliary
/// heads, as there too. So the screen and the commands give the same voxels.
package final class NetworkRunCache: Sendable {
  /// A network's prediction for an image.
  private struct Run {
    var modelID: String
    /// Reads the network's input image, that of the first channel.
    var image: @Sendable () throws -> ScalarVolume
    /// The SHA-256 of the model file, where an earlier session ran the network.
    var expectedChecksum: String?
    /// nil until its first request where an earlier session ran the network, and after eviction.
    var mainHead: NetworkPrediction?
    var allHeads: NetworkPrediction?
    /// ``State/requestCount`` at the last request.
    var lastRequest = 0

    /// The prediction with the heads that are asked for; nil where it is not in memory.
    func prediction(usesAuxiliaryHeads: Bool) -> NetworkPrediction? {
      usesAuxiliaryHeads ? allHeads : mainHead ?? allHeads
    }
  }

  /// The source of a refinement.
  private enum Origin: Equatable, Sendable {
    case run(Int, usesAuxiliaryHeads: Bool)
    case mask(ChunkedLabels, [UInt16], Double, image: ScalarVolume)
  }

  private struct State {
    var models: [String: (model: SegmentationModel, file: OpenedFile)] = [:]
    var runs: [Int: Run] = [:]
    var requestCount = 0
    /// Runs whose network is running.
    var busyRuns: Set<Int> = []
  }

  /// The images that networks read beside the one on the screen.
  package let channels = ChannelImages()
  private let state = Mutex(State())
  private let refinements = RecentValues<Origin, Refinement>(capacity: 3)

  package init() {
    AvailableMemory.onShortage { [weak self] in self?.evictLeastRecentlyUsed() ?? false }
  }

  /// Evicts the least recently used refinement or, where there is none, the least recently used predictions.
  /// - Returns: Whether anything was evicted.
  private func evictLeastRecentlyUsed() -> Bool {
    if refinements.removeLeastRecent() { return true }
    return state.withLock { state in
      let inMemory = state.runs.filter { $0.value.mainHead != nil || $0.value.allHeads != nil }
      guard let leastRecent = inMemory.min(by: { $0.value.lastRequest < $1.value.lastRequest })?.key else {
        return false
      }
      state.runs[leastRecent]?.mainHead = nil
      state.runs[leastRecent]?.allHeads = nil
      return true
    }
  }

  /// The model of a name or path; it is read once.
  /// - Throws: ``InputError`` when there is none, or its file is damaged.
  func model(_ id: String) throws -> SegmentationModel {
    if let known = state.withLock({ $0.models[id] }) { return known.model }
    let model = try ModelLibrary.model(id)
    let file = try OpenedFile(model.path)
    state.withLock { $0.models[id] = (model, file) }
    return model
  }

  /// The opened file of a model; nil where it was not read.
  func file(_ id: String) -> OpenedFile? { state.withLock { $0.models[id]?.file } }

  /// The entries in a record of the images that a model read beside the one on the screen.
  /// - Throws: ``Cancelled``.
  func furtherInputs(_ id: String, _ work: WorkContext) throws(Cancelled) -> [MaskRecord.File] {
    guard let model = state.withLock({ $0.models[id]?.model }) else { return [] }
    return try channels.recorded(for: model, work)
  }

  /// Adds a run of an earlier session, whose network runs again when its probabilities are requested.
  /// - Returns: The number of the run.
  package func restore(
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

  /// Runs a model, post-processes its mask and caches the prediction under the returned number.
  /// - Throws: ``InputError`` when the model cannot be read or does not fit in memory; ``Cancelled``.
  package func segment(
    _ id: String, _ image: ScalarVolume, _ work: WorkContext
  ) throws -> (number: Int, mask: PostProcessedMask, model: SegmentationModel) {
    let model = try model(id)
    let weights = model.refinement.auxiliaryHeadWeights
    let usesAuxiliaryHeads = model.mixesAuxiliaryHeads
    let segmenter = try Segmenter(
      model: model, usesAuxiliaryHeads: usesAuxiliaryHeads, work: work.withoutProgress)
    let prediction = try segmenter.prediction(
      for: channels.images(for: model, image, work), work: work.part(0...0.85))
    let mask = try segmenter.labels(
      of: prediction, auxiliaryHeadWeights: weights, work: work.part(0.85...1))
    let run = Run(
      modelID: id, image: { image }, mainHead: prediction, allHeads: usesAuxiliaryHeads ? prediction : nil)
    return (add(run), mask, model)
  }

  /// The probabilities from which the mask of a run was computed; nil where they are not in memory, so that the network
  /// would have to run again.
  package func probabilities(ofRun number: Int) -> RunProbabilities? {
    state.withLock { state in
      guard let run = state.runs[number], let model = state.models[run.modelID]?.model else { return nil }
      return run.prediction(usesAuxiliaryHeads: model.mixesAuxiliaryHeads).map {
        RunProbabilities($0, model: model)
      }
    }
  }

  /// The probabilities of ``probabilities(ofRun:)``; the network runs again where they are not in memory.
  /// - Throws: ``InputError`` where the model is no longer the one of the run, or does not fit in memory; ``Cancelled``.
  package func computeProbabilities(ofRun number: Int, _ work: WorkContext) throws -> RunProbabilities {
    guard let id = state.withLock({ $0.runs[number]?.modelID }) else {
      throw InputError("network", "its run is no longer known")
    }
    let model = try model(id)
    let (_, prediction) = try prediction(
      ofRun: number, usesAuxiliaryHeads: model.mixesAuxiliaryHeads, work)
    return RunProbabilities(prediction, model: model)
  }

  /// The refinement of a run's probabilities.
  package func refinement(ofRun number: Int, auxiliaryHeadWeights: [Double], _ work: WorkContext) throws
    -> Refinement
  {
    let usesAuxiliaryHeads = auxiliaryHeadWeights.contains { $0 != 0 }
    return try refinements.value(.run(number, usesAuxiliaryHeads: usesAuxiliaryHeads)) {
      let (run, prediction) = try prediction(ofRun: number, usesAuxiliaryHeads: usesAuxiliaryHeads, work)
      let model = try model(run.modelID)
      return try Refinement(
        image: try run.image(), source: .prediction(prediction), labelValues: model.labelValues,
        coding: model.coding,
        intensityRange: model.preprocessing.normalisation.refinementRange,
        postProcessing: model.postProcessing, work: work.withoutProgress)
    }
  }

  /// A run and its prediction.
  ///
  /// The network runs where the prediction is not cached; concurrent requests wait for it.
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
    if let known = run.prediction(usesAuxiliaryHeads: usesAuxiliaryHeads) { return (run, known) }
    _ = try model(run.modelID)
    if let expected = run.expectedChecksum, try file(run.modelID)?.recorded(work).sha256 != expected {
      throw InputError(
        run.modelID, "is no longer the model of this version", found: "another file",
        expected: "the same SHA-256; m runs the model that is there now")
    }
    let segmenter = try Segmenter(
      model: try model(run.modelID), usesAuxiliaryHeads: usesAuxiliaryHeads, work: work.withoutProgress)
    let prediction = try segmenter.prediction(
      for: channels.images(for: segmenter.model, run.image(), work), work: work)
    if usesAuxiliaryHeads { run.allHeads = prediction } else { run.mainHead = prediction }
    let finished = run
    state.withLock { $0.runs[number] = finished }
    return (run, prediction)
  }

  /// The refinement of a hard mask.
  func refinement(
    of mask: ChunkedLabels, labelValues: [UInt16], confidence: Double, image: ScalarVolume,
    _ work: WorkContext
  ) throws -> Refinement {
    try refinements.value(.mask(mask, labelValues, confidence, image: image)) {
      // The intensity range needs a pass over the image and does not depend on the confidence.
      let sibling = refinements.first { origin in
        guard case .mask(let other, _, _, let otherImage) = origin else { return false }
        return other == mask && otherImage == image
      }
      return try Refinement(
        image: image, source: .mask(try mask.volume, confidence: confidence), labelValues: labelValues,
        intensityRange: sibling?.intensityRange, postProcessing: .none, work: work.withoutProgress)
    }
  }
}

extension SegmentationModel {
  /// Whether its masks are made of more than the main head.
  fileprivate var mixesAuxiliaryHeads: Bool { refinement.auxiliaryHeadWeights.contains { $0 != 0 } }
}
