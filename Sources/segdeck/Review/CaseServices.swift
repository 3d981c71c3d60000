import Foundation
import ImageFormats
import RefinementAdapter
import Review
import Segmentation
import Synchronization
import Volumes
import Work

/// The services of a review: files through ImageFormats, networks and the CRF through Segmentation.
final class CaseServices: ReviewServices {
  let runs: NetworkRunCache
  private let journal: CaseJournal
  private let presets = SavedPresets()
  /// The opened images and masks, by absolute path.
  private let opened = Mutex<[String: OpenedImage]>([:])
  private let pairings = RememberedPairings()
  private let sessionPairings: SessionPairings?
  /// The case of a worklist and its reader; nil for an image that is reviewed by itself.
  private let owner: CaseJournal.Owner?
  private let preferredModel: String?
  private let listedImage: @Sendable (CheckedImage) -> CheckedImage?

  /// - Parameters:
  ///   - preferredModel: A model (bundled name or path) that is listed before the bundled ones.
  ///   - owner: The case of a worklist and its reader; nil for an image that is reviewed by itself.
  ///   - sessionPairings: Pairings of the other cases of a worklist; nil for an image that is reviewed by itself.
  ///   - listedImage: Finds the case of a worklist that shows an image, whatever path names it there.
  init(
    preferredModel: String? = nil, owner: CaseJournal.Owner? = nil, sessionPairings: SessionPairings? = nil,
    listedImage: @escaping @Sendable (CheckedImage) -> CheckedImage? = { _ in nil }
  ) {
    self.listedImage = listedImage
    self.preferredModel = preferredModel
    self.sessionPairings = sessionPairings
    runs = NetworkRunCache()
    self.owner = owner
    journal = CaseJournal(runs: runs, owner: owner)
  }

  func openCase(
    _ request: OpenCaseRequest, _ work: WorkContext, whenImageIsRead: @Sendable (ReviewCase) -> Void
  ) throws -> ReviewCase {
    let sample = request.imagePath == nil ? try SampleCase.find() : nil
    let imagePath = request.imagePath ?? sample?.image ?? ""
    let maskPaths = request.maskPaths + [sample?.labels].compactMap(\.self)
    let full = Self.absolutePath(imagePath)
    // A worklist may have a column of that name beside images of other formats.
    let series = try ImageReadingOptions(series: request.imageSeries).limited(toThoseOf: imagePath)
    let openedImage = try OpenedImage(imagePath, options: series, work: work.part(0...0.2))
    let file = openedImage.image
    runs.channels.begin(with: file)
    var opened = [full: openedImage]
    // Series of one file must not be exported to one path.
    let ofSeries = file.seriesInFile.map { "_\($0)" } ?? ""
    let name = sample?.name ?? CaseServices.caseName(full) + ofSeries
    // The sample lies in a folder of the program, where nothing should be written.
    let folder =
      sample == nil ? FilePath.folder(of: full) : FileSystem.currentFolder
    // Reading a compressed image uses two threads, and its picture must not wait for the masks.
    let (withoutMasks, read) = try work.both(
      minimumThreadCount: 3,
      {
        let opened = ReviewCase(
          name: name, imagePath: full, image: try file.scalarVolume(work: work.part(0.2...1)),
          frameCount: file.frameCount, exportPath: FilePath.joined(folder, name + "_seg.nii.gz"))
        whenImageIsRead(opened)
        return opened
      },
      {
        try CaseMasks(
          maskPaths, choices: request.maskParts.mapValues(ImageReadingOptions.init),
          names: request.maskNames, of: file, imagePath: imagePath, work: work.withoutProgress)
      })
    var findings = file.findings.map { "\(imagePath): \($0)" }
    let masks = read.masks.map { openedMask, mask in
      var loaded = LoadedMask(mask, path: openedMask.image.path)
      loaded.versionName = request.maskNames[openedMask.image.path]
      loaded.worklistName = request.worklistMaskNames[openedMask.image.path]
      opened[loaded.path] = openedMask
      findings += mask.notes
      return loaded
    }
    let named = try masks.named(by: request.selections)
    findings += named.notes
    work.report(1)
    let files = opened
    self.opened.withLock { $0 = files }
    var content = withoutMasks
    (content.masks, content.findings, content.refusals) = (named.masks, findings, read.refusals)
    return content
  }

  /// The absolute path, without the slash after a folder with a series.
  private static func absolutePath(_ path: String) -> String {
    let path = FilePath.absolute(path)
    return path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
  }

  /// The file's name without its format's suffix.
  private static func caseName(_ path: String) -> String {
    ImageName.stem(of: FilePath.name(of: path))
  }

  func openMask(_ request: MaskRequest, _ work: WorkContext) throws -> (mask: LoadedMask, findings: [String])
  {
    try Self.inWordsOfCommands { try readMask(request, work) }
  }

  private func readMask(_ request: MaskRequest, _ work: WorkContext) throws -> (
    mask: LoadedMask, findings: [String]
  ) {
    let openedMask = try OpenedImage(
      FilePath.expandingTilde(request.path), options: request.part.map(ImageReadingOptions.init) ?? .init(),
      work: work.withoutProgress)
    let path = FilePath.absolute(openedMask.image.path)
    if let earlier = opened.withLock({ $0[path] }), !earlier.isUntouched {
      throw InputError(
        request.path, "changed since it was opened in this review", expected: "its copy under another name")
    }
    // A record names a file once, with one choice.
    if let earlier = opened.withLock({ $0[path] }), earlier.choice != openedMask.choice {
      throw InputError(
        request.path, "is open with another segment or layer", expected: "its copy under another name")
    }
    guard let image = opened.withLock({ $0[request.imagePath] })?.image else {
      throw InputError(request.imagePath, "is not the image that was opened")
    }
    let fitted = try FittedMask(openedMask.image, of: image, joining: request.coding, work: work)
    try LabelVolume.requireMemory(on: image.grid.size, volumes: 1, subject: request.path)
    var mask = LoadedMask(fitted, path: path)
    if !request.selections.isEmpty, mask.table.labels.allSatisfy(\.isUnnamed) {
      mask = try [mask].named(by: request.selections).masks[0]
    }
    opened.withLock { $0[path] = openedMask }
    journal.noteMask(mask)
    return (mask, fitted.notes)
  }

  func checkImage(_ path: String, series: String?, _ work: WorkContext) throws -> CheckedImage {
    let path = Self.absolutePath(FilePath.expandingTilde(path))
    if series == nil, FileSystem.isFolder(path), !DicomListing.holdsDICOM(folder: path),
      try DicomListing.dividedImage(below: path) == nil
    {
      throw InputError(
        path, "cannot be opened beside a case", found: "a folder",
        expected: "an image, or a folder with a DICOM series")
    }
    let image = try Self.inWordsOfCommands {
      try ImageFile.open(path, options: ImageReadingOptions(series: series), work: work)
    }
    let checked =
      series == nil
      ? CheckedImage(path: path) : CheckedImage(path: image.pathInSeries, series: image.seriesInFile)
    return listedImage(checked) ?? checked
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

  func rememberedPartners(_ memory: PairingMemory) -> [RememberedPartners] {
    // A worklist has its records, so that its list compares the same pairs.
    if let sessionPairings { return sessionPairings.partners(memory, ofCase: owner?.caseName) }
    return pairings.partners(memory).map { [RememberedPartners(codes: $0, areOfTheseVersions: true)] } ?? []
  }

  func remember(_ partners: [UInt16: UInt16]?, isConfirmed: Bool, of memory: PairingMemory) throws {
    if let sessionPairings {
      sessionPairings.remember(partners, isConfirmed: isConfirmed, of: memory)
    } else {
      try pairings.remember(partners, of: memory)
    }
  }

  func models(for image: ScalarVolume, _ work: WorkContext) throws -> [ModelDescription] {
    let named = try ModelLibrary.models().map(\.name)
    let wanted = [preferredModel].compactMap(\.self) + named.filter { $0 != preferredModel }
    let described = try wanted.map { id in
      try work.checkCancellation()
      do {
        let model = try runs.model(id)
        return try ModelDescription(
          id: id, model: model, images: runs.channels.images(for: model, image, work),
          work: work.withoutProgress)
      } catch let error as InputError {
        // A model that cannot be read, or whose images are not there, is listed with the error, which running it would
        // report.
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
      labels: ChunkedLabels(run.mask.labels), removed: run.mask.removed, table: run.model.labelTable,
      probabilities: ProbabilitiesHandle(run.number),
      auxiliaryHeadCount: run.model.auxiliaryHeadCount, advisedSettings: run.model.refinement)
  }

  func computeProbabilities(
    _ handle: ProbabilitiesHandle, _ work: WorkContext
  ) throws -> VersionProbabilities {
    try VersionProbabilities(try runs.computeProbabilities(ofRun: handle.number, work))
  }

  func refine(_ request: RefinementRequest, _ work: WorkContext) throws -> RefinedLabels {
    let refinement = try refinement(of: request, work.part(0...0.3))
    return try RefinedLabels(request, by: refinement, work: work.part(0.3...1))
  }

  func measure(_ request: RefinementRequest, _ work: WorkContext) throws -> ImageMeasures? {
    let refinement = try refinement(of: request, work.part(0...0.3))
    return try ImageMeasures(of: request, by: refinement, work: work.part(0.3...1))
  }

  /// The refinement of a request, from the cache where it has the same source.
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

  func names(in folder: String, _ content: FolderContent, _ work: WorkContext) throws -> [FolderEntry] {
    try [FolderEntry](namesIn: folder, content, work)
  }

  func summaries(of names: [String], in folder: String, _ work: WorkContext) throws -> [String: String] {
    let folder = FilePath.expandingTilde(folder)
    var summaries: [String: String] = [:]
    for name in names {
      summaries[name] = try FolderEntry.summary(of: FilePath.joined(folder, name), work.withoutProgress)
    }
    return summaries
  }

  func parts(_ kind: FilePart.Kind, of path: String, _ work: WorkContext) throws -> [FilePart] {
    try [FilePart](kind, of: FilePath.expandingTilde(path), work)
  }

  func preview(of path: String, _ work: WorkContext) throws -> FilePreview? {
    try Self.inWordsOfCommands { try FilePreview(of: FilePath.expandingTilde(path), work: work) }
  }

  /// The value of `body`, whose errors name the words of commands instead of options.
  private static func inWordsOfCommands<Value>(_ body: () throws -> Value) throws -> Value {
    do { return try body() } catch let error as InputError { throw error.inWordsOfCommands }
  }

  func commandHistory(adding line: CommandHistoryJob.Line?) throws -> CommandHistory {
    let stored = StoredCommandHistory()
    guard let line else { return stored.history }
    return try stored.add(line)
  }

  func openJournal(of content: ReviewCase, _ work: WorkContext) throws -> OpenedJournal {
    let series = opened.withLock { $0[content.imagePath]?.choice.series }
    return try journal.open(content, series: series, work) { [unowned self] step throws(Cancelled) in
      try file(of: step, WorkContext())
    } readFrame: { [unowned self] frame in
      guard let opened = opened.withLock({ $0[content.imagePath] }), opened.isUntouched else {
        throw InputError(content.imagePath, "is no longer the image that was opened")
      }
      return try opened.image.scalarVolume(frame: frame)
    }
  }

  func append(_ entries: [JournalEntry]) throws { try journal.append(entries) }

  /// Writes a mask on the grid of the image as it was opened, even if its file has changed since.
  func export(_ request: ExportRequest, _ work: WorkContext) throws -> ExportOutcome {
    guard let image = opened.withLock({ $0[request.imagePath] }) else {
      throw InputError(request.imagePath, "is not the image that was opened")
    }
    let path = FilePath.absolute(FilePath.expandingTilde(request.path))
    let outputPath = try OutputPath(maskAt: path, of: image.image, isForced: true, hasSegmentation: true)
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
    var furtherInputs: [MaskRecord.File] = []
    if case .network(let id)? = request.provenance.steps.first {
      furtherInputs = try runs.furtherInputs(id, work)
    }
    let written = try ReviewExport(
      request: request, input: image.recorded(work), furtherInputs: furtherInputs, source: source,
      reader: owner?.reader
    )
    .write(on: image.image.source, to: outputPath, work)
    work.report(1)
    return .written(path: path, notes: written.record.changes, segmentation: written.segmentation)
  }

  /// The file that a first step read in this session, with its checksum.
  private func file(of step: Provenance.Step?, _ work: WorkContext) throws(Cancelled) -> MaskRecord.File? {
    switch step {
    case .mask(let path): try opened.withLock { $0[path] }?.recorded(work)
    case .network(let id): try runs.file(id)?.recorded(work)
    case .refinement, .edit, nil: nil
    }
  }
}
