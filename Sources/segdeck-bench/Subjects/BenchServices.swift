import Foundation
import RefinementAdapter
import Review
import Segmentation
import Synchronization
import Volumes
import Work

/// A review's services on a case in memory: the CRF as the program runs it, and one model.
final class BenchServices: ReviewServices {
  private struct State {
    var network: Refinement?
    var masks: [(confidence: Double, refinement: Refinement)] = []
  }

  private let content: ReviewCase
  private let model: SegmentationModel?
  private let threadCount: Int
  private let state = Mutex(State())

  init(_ content: ReviewCase, model: String?, threadCount: Int) throws {
    self.content = content
    self.model = try model.map { try SegmentationModel(path: $0) }
    self.threadCount = threadCount
  }

  private func limited(_ work: WorkContext) -> WorkContext {
    var work = work
    work.threadCount = threadCount
    return work
  }

  func openCase(
    _ request: OpenCaseRequest, _ work: WorkContext, whenImageIsRead: @Sendable (ReviewCase) -> Void
  ) throws -> ReviewCase { content }

  func openMask(_ request: MaskRequest, _ work: WorkContext) throws -> (mask: LoadedMask, findings: [String])
  {
    throw InputError(request.path, "is not read here")
  }

  func checkImage(_ path: String, series: String?, _ work: WorkContext) throws -> CheckedImage {
    throw InputError(path, "is not read here")
  }

  func uncertainty(
    of source: ProbabilitySource, on grid: VolumeGrid, _ work: WorkContext
  ) -> SliceUncertainty { SliceUncertainty(source: source, entropies: nil, failure: "no probabilities") }

  func probability(
    ofLabel value: UInt16, _ source: ProbabilitySource, on grid: VolumeGrid, _ work: WorkContext
  ) -> ScalarVolume? { nil }

  func read(_ request: FrameRequest, _ work: WorkContext) throws -> ScalarVolume {
    throw InputError(request.imagePath, "has one frame")
  }

  func rememberedPartners(_ memory: PairingMemory) -> [RememberedPartners] { [] }

  func remember(_ partners: [UInt16: UInt16]?, isConfirmed: Bool, of memory: PairingMemory) {}

  func names(in folder: String, _ content: FolderContent, _ work: WorkContext) -> [FolderEntry] { [] }

  func summaries(of names: [String], in folder: String, _ work: WorkContext) -> [String: String] { [:] }

  func parts(_ kind: FilePart.Kind, of path: String, _ work: WorkContext) -> [FilePart] { [] }

  func preview(of path: String, _ work: WorkContext) throws -> FilePreview? { nil }

  func commandHistory(adding line: CommandHistoryJob.Line?) -> CommandHistory { CommandHistory() }

  func models(for image: ScalarVolume, _ work: WorkContext) throws -> [ModelDescription] {
    guard let model else { return [] }
    return [
      ModelDescription(id: model.path, name: model.name, labels: model.labelTable, size: "", input: "")
    ]
  }

  func probabilities(
    of source: ProbabilitySource, on grid: VolumeGrid, _ work: WorkContext
  ) -> VersionProbabilities? { nil }

  func computeProbabilities(
    _ handle: ProbabilitiesHandle, _ work: WorkContext
  ) throws -> VersionProbabilities {
    throw InputError("network", "does not run here")
  }

  func segment(_ request: SegmentationRequest, _ work: WorkContext) throws -> SegmentationResult {
    guard let model else { throw InputError("model", "was not given") }
    let work = limited(work)
    let segmenter = try Segmenter(model: model, usesAuxiliaryHeads: true, work: work.withoutProgress)
    let prediction = try segmenter.prediction(for: [request.image], work: work)
    let labels = try segmenter.labels(
      of: prediction, auxiliaryHeadWeights: model.refinement.auxiliaryHeadWeights, work: work
    ).labels
    let refinement = try Refinement(
      image: request.image, source: .prediction(prediction), labelValues: model.labelValues,
      intensityRange: model.preprocessing.normalisation.refinementRange, postProcessing: model.postProcessing,
      work: work)
    state.withLock { $0.network = refinement }
    return SegmentationResult(
      labels: ChunkedLabels(labels), table: model.labelTable, probabilities: ProbabilitiesHandle(1),
      auxiliaryHeadCount: model.auxiliaryHeadCount, advisedSettings: model.refinement)
  }

  func refine(_ request: RefinementRequest, _ work: WorkContext) throws -> RefinedLabels {
    let work = limited(work)
    return try RefinedLabels(request, by: refinement(request, work), work: work)
  }

  private func refinement(_ request: RefinementRequest, _ work: WorkContext) throws -> Refinement {
    guard case .mask(let mask, let confidence) = request.source else {
      guard let network = state.withLock({ $0.network }) else {
        throw InputError("CRF", "has no probabilities")
      }
      return network
    }
    let known = state.withLock { $0.masks }
    if let cached = known.first(where: { $0.confidence == confidence }) { return cached.refinement }
    let made = try Refinement(
      image: request.image, source: .mask(mask.volume, confidence: confidence),
      labelValues: request.labelValues(),
      intensityRange: known.first?.refinement.intensityRange, postProcessing: .none, work: work)
    state.withLock { $0.masks = [(confidence, made)] + $0.masks.prefix(2) }
    return made
  }

  func measure(_ request: RefinementRequest, _ work: WorkContext) throws -> ImageMeasures? {
    let work = limited(work)
    return try ImageMeasures(of: request, by: refinement(request, work), work: work)
  }

  func savedPresets() throws -> [NamedKernels] { [] }

  func save(_ preset: NamedKernels, replacesExisting: Bool) throws -> SavingOutcome { .saved }

  func export(_ request: ExportRequest, _ work: WorkContext) throws -> ExportOutcome {
    .written(path: request.path, notes: [])
  }

  func openJournal(of content: ReviewCase, _ work: WorkContext) throws -> OpenedJournal {
    OpenedJournal(status: .absent("benchmarks keep no journal"))
  }

  func append(_ entries: [JournalEntry]) throws {}
}
