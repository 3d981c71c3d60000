import Foundation
import ImageFormats
import RefinementAdapter
import Review
import Segmentation
import Synchronization
import Volumes
import Work

/// What a review needs done: files through ImageFormats, networks and the CRF through Segmentation.
final class CaseServices: ReviewServices {
  private let runs: NetworkRunCache
  private let journal: CaseJournal
  private let presets = SavedPresets()
  /// The image and the masks by their full paths, as they were when they were opened.
  private let opened = Mutex<[String: OpenedImage]>([:])
  private let pairings = RememberedPairings()
  private let preferredModel: String?

  /// Services that offer `preferredModel` (a bundled name or a file) before the bundled ones.
  init(preferredModel: String? = nil) {
    self.preferredModel = preferredModel
    runs = NetworkRunCache()
    journal = CaseJournal(runs: runs)
  }

  func openCase(_ request: OpenCaseRequest, _ work: WorkContext) throws -> ReviewCase {
    let sample = request.imagePath == nil ? try SampleCase.find() : nil
    let imagePath = request.imagePath ?? sample?.image ?? ""
    let maskPaths = request.maskPaths + [sample?.labels].compactMap(\.self)
    let full = FilePath.absolute(imagePath)
    let openedImage = try OpenedImage(imagePath)
    let file = openedImage.image
    var opened = [full: openedImage]
    let fraction = 1 / Double(maskPaths.count + 1)
    let image = try file.scalarVolume(work: work.part(0...fraction))
    var findings = file.findings.map { "\(imagePath): \($0)" }
    var refusals: [String] = []
    // What fits is worth looking at, whatever is wrong with the other masks.
    func accepted<Mask>(_ body: () throws -> Mask) throws -> Mask? {
      do {
        return try body()
      } catch let error as InputError {
        refusals.append(error.description)
        return nil
      }
    }
    var openedMasks = try maskPaths.compactMap { path in try accepted { try OpenedImage(path) } }
    func fit(_ masks: [OpenedImage]) throws -> [FittedMask] {
      let fitted = try FittedMask.masks(masks.map(\.image), on: image.grid, work: work)
      // In chunks they may take as much as they do in one piece.
      try LabelVolume.requireMemory(
        on: image.grid.size, volumes: fitted.count, subject: masks.last?.image.path ?? imagePath)
      return fitted
    }
    let fitted: [FittedMask]
    do {
      fitted = try fit(openedMasks)
    } catch is InputError {
      openedMasks = try openedMasks.reduce(into: []) { fitting, mask in
        if try accepted({ try fit(fitting + [mask]) }) != nil { fitting.append(mask) }
      }
      fitted = try fit(openedMasks)
    }
    let masks = zip(openedMasks, fitted).map { openedMask, mask in
      let path = openedMask.image.path
      let absolutePath = FilePath.absolute(path)
      opened[absolutePath] = openedMask
      findings += mask.notes
      // What a code of another value stands for is known here, and nowhere in the review.
      let others = mask.labels.voxelCounts().keys.filter {
        mask.labels.coding.value(of: $0) > Int(UInt16.max)
      }
      return LoadedMask(
        name: FilePath.name(of: path), path: absolutePath, labels: ChunkedLabels(mask.labels),
        table: (mask.names ?? LabelTable()).completed(for: others, coding: mask.labels.coding))
    }
    let named = try masks.named(by: request.selections)
    findings += named.notes
    work.report(1)
    let files = opened
    self.opened.withLock { $0 = files }
    let name = sample?.name ?? CaseServices.caseName(full)
    // The sample lies with the program, where nothing should be written.
    let folder =
      sample == nil ? FilePath.folder(of: full) : FileSystem.currentFolder
    return ReviewCase(
      name: name, imagePath: full, image: image, frameCount: file.frameCount, masks: named.masks,
      findings: findings, refusals: refusals, exportPath: FilePath.joined(folder, name + "_seg.nii.gz"))
  }

  /// The file's name without its format's suffix.
  private static func caseName(_ path: String) -> String {
    ImageName.stem(of: FilePath.name(of: path))
  }

  func read(_ request: FrameRequest, _ work: WorkContext) throws -> ScalarVolume {
    guard let opened = opened.withLock({ $0[request.imagePath] }) else {
      throw InputError(request.imagePath, "is not the image that was opened")
    }
    let image = try opened.image.scalarVolume(frame: request.frame, work: work)
    guard opened.isUntouched, image.grid == request.grid else {
      throw InputError(request.imagePath, "is no longer the image that was opened")
    }
    return image
  }

  func rememberedPartners(_ memory: PairingMemory) -> [UInt16: UInt16]? { pairings.partners(memory) }

  func remember(_ partners: [UInt16: UInt16]?, of memory: PairingMemory) throws {
    try pairings.remember(partners, of: memory)
  }

  func models(for image: ScalarVolume, _ work: WorkContext) throws -> [ModelDescription] {
    let bundled = try ShareFolder.find().models().map(\.name)
    let wanted = [preferredModel].compactMap(\.self) + bundled.filter { $0 != preferredModel }
    let described = try wanted.map { id in
      try work.checkCancellation()
      do {
        return try ModelDescription(
          id: id, model: try runs.model(id), image: image, work: work.withoutProgress)
      } catch let error as InputError {
        // Listed with the reason, which is also the answer when it is run all the same.
        return ModelDescription(
          id: id, name: FilePath.name(of: id), labels: LabelTable(), size: "", input: "",
          warning: error.description)
      }
    }
    return described.filter { $0.warning == nil } + described.filter { $0.warning != nil }
  }

  func segment(_ request: SegmentationRequest, _ work: WorkContext) throws -> SegmentationResult {
    let run = try runs.segment(request.modelID, request.image, work)
    return SegmentationResult(
      labels: ChunkedLabels(run.mask.labels), leftOut: run.mask.removed, table: run.model.labelTable,
      probabilities: ProbabilitiesHandle(run.number),
      auxiliaryHeadCount: run.model.graph.heads.count - 1, advisedSettings: run.model.refinement)
  }

  func refine(_ request: RefinementRequest, _ work: WorkContext) throws -> RefinedLabels {
    let refinement = try refinement(of: request, work.part(0...0.3))
    return try RefinedLabels(request, by: refinement, work: work.part(0.3...1))
  }

  func measure(_ request: RefinementRequest, _ work: WorkContext) throws -> ImageMeasures? {
    let refinement = try refinement(of: request, work.part(0...0.3))
    return try ImageMeasures(of: request, by: refinement, work: work.part(0.3...1))
  }

  /// The refinement that a request is about, kept from an earlier one where it is the same.
  private func refinement(of request: RefinementRequest, _ work: WorkContext) throws -> Refinement {
    switch request.source {
    case .probabilities(let handle):
      return try runs.refinement(
        ofRun: handle.number, auxiliaryHeadWeights: request.settings.auxiliaryHeadWeights, work)
    case .mask(let mask, let confidence):
      return try runs.refinement(
        of: mask, labelValues: request.labelValues(), confidence: confidence, image: request.image, work)
    }
  }

  func savedPresets() throws -> [NamedKernels] {
    try presets.all().map { NamedKernels(name: $0.name, settings: $0.settings) }
  }

  func save(_ preset: NamedKernels, replacesExisting: Bool) throws -> SavingOutcome {
    let isSaved = try presets.save(
      preset.settings, as: preset.name, replacesExisting: replacesExisting)
    return isSaved ? .saved : .exists
  }

  func openJournal(of content: ReviewCase, _ work: WorkContext) throws -> OpenedJournal {
    try journal.open(content, work) { [unowned self] step throws(Cancelled) in
      try file(of: step, WorkContext())
    } readFrame: { [unowned self] frame in
      guard let opened = opened.withLock({ $0[content.imagePath] }), opened.isUntouched else {
        throw InputError(content.imagePath, "is no longer the image that was opened")
      }
      return try opened.image.scalarVolume(frame: frame)
    }
  }

  func append(_ entries: [JournalEntry]) throws { try journal.append(entries) }

  /// Writes a mask on the grid that was reviewed, whatever became of the image's file.
  func export(_ request: ExportRequest, _ work: WorkContext) throws -> ExportOutcome {
    guard let image = opened.withLock({ $0[request.imagePath] }) else {
      throw InputError(request.imagePath, "is not the image that was opened")
    }
    let path = FilePath.absolute(FilePath.expandingTilde(request.path))
    let outputPath = try OutputPath(maskAt: path, of: image.image, isForced: true)
    guard outputPath.existing.isEmpty || request.replacesExisting else {
      return .exists(paths: outputPath.existing)
    }
    var request = request
    let source: MaskRecord.File?
    if let note = request.provenance.firstVersion.flatMap({ journal.restoredNote(of: $0) }) {
      source = try note.source(work)
      request.provenance.merged = note.merged ?? []
    } else {
      source = try file(of: request.provenance.steps.first, work)
    }
    let record = try ReviewExport(request: request, input: image.recorded(work), source: source)
      .write(on: image.image.source, to: outputPath, work)
    work.report(1)
    return .written(path: path, notes: record.changes)
  }

  /// The file that a first step read in this session, as it was then.
  private func file(of step: Provenance.Step?, _ work: WorkContext) throws(Cancelled) -> MaskRecord.File? {
    switch step {
    case .mask(let path): try opened.withLock { $0[path] }?.recorded(work)
    case .network(let id): try runs.file(id)?.recorded(work)
    case .refinement, .edit, nil: nil
    }
  }
}
