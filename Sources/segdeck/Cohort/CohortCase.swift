import Cohort
import Foundation
import ImageFormats
import Metrics
import Pictures
import Segmentation
import Volumes
import Work
import Worklist

/// Computes one case of a cohort: its mask with a record, measures and a picture.
struct CohortCase: Sendable {
  let folder: CohortFolder
  let options: CohortOptions
  let network: NetworkSegmentation
  /// The model's file, which stays open.
  let modelFile: OpenedFile
  let settings: CohortDescription
  /// The CRF's settings in place of the model's; nil for none.
  let preset: RefinementSettings?

  private static let pictureWidth = 660

  /// The case as readers get it: its own mask first, then the reference, then the others.
  static func listed(
    _ item: WorklistCase, mask: String?, version: String, reference: String?
  ) -> WorklistCase {
    var listed = item
    var others = item.masks
    if let reference, let position = others.firstIndex(where: { $0.name == reference }) {
      others.insert(others.remove(at: position), at: 0)
    }
    listed.masks = (mask.map { [WorklistCase.Mask(name: version, path: $0)] } ?? []) + others
    return listed
  }

  /// Segments the images, refines and measures where that was asked for, and writes what was found.
  /// - Returns: The record of the finished case.
  /// - Throws: ``InputError`` when the model does not run on the images, or a file cannot be written; ``Cancelled``.
  func computed(_ input: CohortInput, work: WorkContext) throws -> CohortRecord {
    let start = ContinuousClock.now
    let item = input.item
    var notes = input.notes
    let outcome = try network.outcome(
      of: input.volumes, keepsPrediction: options.refine || options.probabilities,
      work: work.part(0...(options.refine ? 0.5 : 0.8)))
    var labels = outcome.mask.labels
    var refinement: RefinementSettings?
    if options.refine, let prediction = outcome.prediction {
      (labels, refinement) = try RefinementStart(prediction, of: network).refined(
        input.volumes[0], options: options.refinement, preset: preset, work: work.part(0.5...0.8)
      ) { notes.append($0) }
    } else {
      notes += outcome.mask.removed.map { $0.note(network.model.labelTable) }
    }
    let uncertain = try outcome.prediction.map { try uncertainties($0, work) } ?? []
    let relative = folder.mask(of: item, version: settings.maskVersion)
    let maskPath = FilePath.joined(folder.path, relative)
    try FileSystem.makeFolder(FilePath.folder(of: maskPath))
    let probabilities =
      options.probabilities ? folder.probabilities(of: item, version: settings.maskVersion) : nil
    let written = try outcome.prediction.flatMap { prediction in
      try probabilities.map { try pending($0, prediction, of: input, work) }
    }
    let changes = try write(labels, refinement, of: input, to: maskPath, with: written ?? [], work)
    notes += changes
    let computed = ContinuousClock.now
    var record = CohortRecord(
      .done, case: item.name, attempt: input.attempt, settingsSha256: settings.settingsSha256,
      time: CaseRecord.time(Date()))
    record.inputs = CohortInput.inputs(of: item, opened: input.opened)
    record.imagesSha256 = try input.imagesSHA256(work)
    record.mask = relative
    record.probabilities = probabilities
    record.maskSha256 = try Checksum.sha256(ofFile: maskPath, work: work)
    let version = settings.maskVersion
    let listed = Self.listed(item, mask: maskPath, version: version, reference: options.reference)
    try measure(listed, input.volumes[0], uncertain, &record, &notes, work: work.part(0.8...1))
    record.notes = notes.isEmpty ? nil : notes
    record.cost = cost(input, labels.grid.size, start: start, computed: computed, maskPath)
    for note in notes { FindingNotes.add(note, of: item.name) }
    work.report(1)
    return record
  }

  private func uncertainties(
    _ prediction: NetworkPrediction, _ work: WorkContext
  ) throws -> [LabelUncertainty] {
    LabelUncertainty.all(
      try prediction.classEntropies(
        auxiliaryHeadWeights: network.auxiliaryHeadWeights, work: work.withoutProgress),
      network: network.model.name, names: ["background"] + network.model.labels.map(\.name))
  }

  /// Writes the mask with its record, which replays with `segment` and `refine`.
  /// - Returns: A line for each input that changed meanwhile.
  private func write(
    _ labels: LabelVolume, _ refinement: RefinementSettings?, of input: CohortInput, to path: String,
    with others: [PendingFile], _ work: WorkContext
  ) throws -> [String] {
    let image = input.opened[0]
    let outputPath = try OutputPath(maskAt: path, of: image.image, isForced: true)
    var record = MaskRecord()
    record.model = try modelFile.recorded(work)
    record.input = try image.recorded(work)
    let further = try input.opened.dropFirst().map { try $0.recorded(work) }
    record.furtherInputs = further.isEmpty ? nil : further
    record.threads = work.threadCount
    record.refinement = refinement
    var commands = [
      NetworkSegmentation.words(
        input.opened, model: settings.model, options: options.networkWords,
        writesProbabilities: refinement != nil)
    ]
    if let refinement {
      commands[0][commands[0].count - 1] = "step1.nii.gz"
      commands.append(
        ["segdeck", "refine", CommandLineText.path(image.path)] + image.choice.words
          + ["--probabilities", MaskRecord.probabilitiesName]
          + RefinementOptions.words(refinement, coding: labels.coding) + ["-o", MaskRecord.outputName])
    }
    record.commands = commands.map(CommandLineText.text)
    try record.write(
      labels, network.model.labelTable, source: image.image.source.ofFrame(0), to: outputPath,
      with: others,
      bids: folder.isBIDS ? sidecar(input, isRefined: refinement != nil) : nil,
      work: work.withoutProgress)
    return record.changes
  }

  /// The class probabilities of a case with their sidecar, as `segment --probabilities` writes them.
  /// - Parameter relative: The path from the folder of results.
  private func pending(
    _ relative: String, _ prediction: NetworkPrediction, of input: CohortInput, _ work: WorkContext
  ) throws -> [PendingFile] {
    let path = FilePath.joined(folder.path, relative)
    try FileSystem.makeFolder(FilePath.folder(of: path))
    let (model, weights) = (network.model, network.auxiliaryHeadWeights)
    let values = try prediction.probabilities(auxiliaryHeadWeights: weights, work: work.withoutProgress)
    let files = try values.pending(
      for: path, source: input.opened[0].image.source, work: work.withoutProgress)
    let sidecar = BIDSSidecar(
      ofImages: input.opened.map(\.path), description: "Class probabilities of the network \(model.name)",
      labelMap: ["background"] + model.labels.map(\.name), generator: .this)
    return files + [
      try ProbabilitySidecar(model: model, auxiliaryHeadWeights: weights)
        .pending(besideProbabilities: path, with: folder.isBIDS ? sidecar : nil)
    ]
  }

  private func sidecar(_ input: CohortInput, isRefined: Bool) -> BIDSSidecar {
    let refined = isRefined ? ", refined by a dense CRF" : ""
    return BIDSSidecar(
      ofImages: input.opened.map(\.path),
      description: "Labels that the network \(network.model.name) found\(refined)", generator: .this)
  }

  /// Measures the mask as `worklist --measure` does, compares it with the reference as `report` does, and draws both.
  ///
  /// What cannot be measured is a note: the mask is there.
  private func measure(
    _ listed: WorklistCase, _ image: ScalarVolume, _ uncertainties: [LabelUncertainty],
    _ record: inout CohortRecord, _ notes: inout [String], work: WorkContext
  ) throws {
    do {
      var problems: [String] = []
      guard
        let found = try measured(listed, work: work.part(0...0.5), note: { problems.append($0) })
      else { return }
      notes += problems
      record.labels = found.measures.labels.filter { $0.millilitres > 0 }.map { label in
        let own = uncertainties.first { $0.isCalled(label.name) }
        return CohortRecord.Label(
          value: label.value, name: label.name, ml: label.millilitres, components: label.componentCount,
          holes: label.holeCount, missingSlices: label.missingSliceCount,
          touches: label.touchedSides.map(\.rawValue), entropyInside: own?.entropy.inside,
          entropyNearBorder: own?.entropy.nearBorder)
      }
      let content = ReadCase(image: image, masks: found.masks)
      let comparison = try ReportedContent.comparison(
        content, toleranceMillimetres: options.tolerance, work: work.part(0.5...0.8))
      if !comparison.isEmpty { record.reference = found.masks[1].name }
      record.comparisons =
        comparison.isEmpty
        ? nil
        : comparison.map {
          CohortRecord.Comparison(
            name: $0.name, ml: $0.millilitresA, referenceMl: $0.millilitresB, dice: $0.dice,
            hd95Mm: $0.hd95Millimetres, assdMm: $0.averageDistanceMillimetres, surfaceDice: $0.surfaceDice)
        }
      if !options.noPictures {
        record.picture = try draw(content, of: listed, image, work: work.part(0.8...1))
      }
    } catch let error as InputError {
      notes.append("not measured: \(error.description)")
    }
  }

  /// The measures of the case, which a review of the results finds again, and its first two masks.
  private func measured(
    _ listed: WorklistCase, work: WorkContext, note: (String) -> Void
  ) throws -> (measures: CaseMeasures, masks: [ReadCase.Mask])? {
    let found = try WorklistMeasuring.measured(listed, work: work, note: note)
    // A cache that cannot be written costs a review some time.
    try? WorklistMeasuring.store(found?.measures, listed, CasePairings(), MeasureCache())
    return found
  }

  /// Draws the mask, and where it differs from the reference.
  /// - Returns: The picture's path in the folder of results.
  private func draw(
    _ content: ReadCase, of item: WorklistCase, _ image: ScalarVolume, work: WorkContext
  ) throws -> String {
    let painter = try CasePainter(
      image, content, PictureStyle(width: Self.pictureWidth), work: work.withoutProgress)
    let parts = try painter.reported(work: work.withoutProgress).map { $0.captioned(item.name) }
    let picture = parts.count == 1 ? parts[0] : ContactSheet(columns: 1, gap: 4).picture(of: parts)
    let relative = CohortFolder.picture(of: item)
    let path = FilePath.joined(folder.path, relative)
    try FileSystem.makeFolder(FilePath.folder(of: path))
    try AtomicFile.write(picture.png(subject: path), to: path)
    return relative
  }

  private func cost(
    _ input: CohortInput, _ size: GridSize, start: ContinuousClock.Instant,
    computed: ContinuousClock.Instant, _ mask: String
  ) -> CohortRecord.Cost {
    var cost = CohortRecord.Cost()
    cost.readingSeconds = input.readingSeconds
    cost.computingSeconds = (computed - start) / .seconds(1)
    cost.measuringSeconds = (ContinuousClock.now - computed) / .seconds(1)
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    cost.peakBytes = usage.ru_maxrss << 10
    func bytes(_ path: String) -> Int { FileSystem.status(path).map { Int($0.st_size) } ?? 0 }
    cost.readBytes = input.opened.flatMap(\.image.files).reduce(0) { $0 + bytes($1) }
    let written =
      [mask] + MaskRecord.companions(ofMask: mask)
      + [FilePath.joined(folder.path, CohortFolder.picture(of: input.item))]
    cost.writtenBytes = written.reduce(0) { $0 + bytes($1) }
    cost.voxels = size.voxelCount
    return cost
  }
}
