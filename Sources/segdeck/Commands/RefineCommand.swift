import ArgumentParser
import Foundation
import ImageFormats
import Segmentation
import Volumes
import Work

/// `segdeck refine`: the dense CRF on probabilities or on a mask.
struct RefineCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "refine", abstract: "Refine probabilities or a mask with the fully connected CRF.",
    discussion: """
      Kernels come from --preset, else from --model, else from what `segment` wrote beside the probabilities; where \
      these say none, from the image's noise, edges and voxels, which is reported. Options change them. The self term \
      is included unless --exclude-self is given.
      """)

  @Argument(help: "The image.", completion: .file())
  var image: String

  @Option(
    name: [.customLong("further-image"), .customLong("second-image")],
    help: "Another image on the same grid that the appearance kernel compares too; may be repeated.",
    completion: .file())
  var furtherImages: [String] = []

  @Option(name: .shortAndLong, help: "Mask file to write.", completion: .file())
  var output: String

  @Option(
    name: .long, help: "Class probabilities as `segment --probabilities` writes them.", completion: .file())
  var probabilities: String?

  @Option(name: .long, help: "A mask to start from instead.", completion: .file())
  var mask: String?

  @Option(
    name: .long, help: "Probability of the mask's own label in each voxel. (default: 0.9)",
    transform: OptionParsing.number)
  var maskConfidence: Double?

  @Option(
    name: .long, help: "A bundled model's name or a model file, for its kernels, window and post-processing.")
  var model: String?

  @Option(name: .long, help: "A file of CRF settings (JSON).", completion: .file())
  var preset: String?

  @OptionGroup var options: RefinementOptions

  @Flag(name: .long, help: "Every pair of voxels, without approximation: for small volumes.")
  var exact = false

  @Option(
    name: .long, help: "Frame of every 4D image, from 0; the first where none is named.",
    transform: OptionParsing.wholeNumber)
  var frame: Int?

  @OptionGroup var series: SeriesOption

  @OptionGroup var segments: SegmentOptions

  @Flag(name: .long, help: "Replace existing files.")
  var force = false

  @OptionGroup var threads: WorkOptions

  func validate() throws {
    guard (probabilities == nil) != (mask == nil) else {
      throw InputError(
        "refine", "has no single start", found: mask == nil ? "none" : "--probabilities and --mask",
        expected: "either --probabilities or --mask")
    }
    if mask == nil, maskConfidence != nil {
      throw InputError("--mask-confidence", "is about a mask", expected: "--mask with it")
    }
    guard mask != nil || segments.options.isEmpty else {
      throw InputError(
        segments.options.words.joined(separator: " "), "is about a mask", expected: "--mask with it")
    }
    if mask != nil, let tau = options.tau {
      throw InputError(
        "--tau", "weighs the heads of a network, which a --mask does not have", found: tau,
        expected: "--probabilities with it")
    }
  }

  func run() throws {
    keepFreedMemory()
    let work = threads.context("refining")
    let opened = try OpenedImage(image, options: series.options, work: work.part(0...0.05))
    let openedSource = try OpenedImage(
      probabilities ?? mask ?? "", options: segments.options, work: work.withoutProgress)
    let openedFurther = try furtherImages.map { try OpenedImage($0, work: work.withoutProgress) }
    let (file, sourceFile, furtherFiles) = (opened.image, openedSource.image, openedFurther.map(\.image))
    let model = try model.map { try ModelLibrary.model($0) }
    let outputPath = try OutputPath(maskAt: output, of: file, isForced: force)
    for other in furtherFiles + (probabilities == nil ? [] : [sourceFile]) {
      try GridFit.requireSame(other.grid, as: file.grid, subject: other.path)
    }
    let modelFile = try model.map { try OpenedFile($0.path) }
    let sidecar = try probabilities.flatMap { path in
      model == nil ? try OpenedFile(ifPresent: MaskRecord.path(besideMask: path)) : nil
    }
    // Images, and four copies of the labels: read, on the image's grid, refined, written. The CRF counts its own
    // memory.
    try AvailableMemory.require(
      checkedProduct(
        file.grid.size.voxelCount,
        ([file] + furtherFiles).reduce(4 * MemoryLayout<UInt16>.stride) { $0 + $1.intensityByteCount }),
      subject: image, "what is refined, of \(file.grid.size) voxels,")
    let (frame, startsFromMask) = (frame, mask != nil)
    let (volume, stored) = try work.both {
      try file.scalarVolume(frame: frame, work: work.part(0.05...0.1))
    } _: {
      try startsFromMask
        ? StoredStart.mask(FittedMask.masks([sourceFile], of: file, work: work.withoutProgress)[0])
        : .probabilities(sourceFile.probabilityVolume(work: work.withoutProgress))
    }
    let start = try startingPoint(sourceFile, stored, volume, model, work: work.part(0.1...0.2))
    let further = try furtherFiles.map {
      try $0.scalarVolume(frame: $0.frameCount > 1 ? frame : nil, work: work.withoutProgress)
    }
    for read in [file] + (mask == nil ? [sourceFile] : []) + furtherFiles { FindingNotes.add(read) }
    FindingNotes.print()
    let refinement = try Refinement(
      image: volume, furtherImages: further, source: start.source,
      labelValues: [0] + start.labels.map(\.value), coding: start.coding,
      intensityRange: start.intensityRange, postProcessing: start.postProcessing, work: work.withoutProgress)
    let settings = try settings(over: start, refinement, volume, work: work.withoutProgress)
    guard settings.furtherThetaBetas.count == furtherFiles.count else {
      throw InputError(
        "--theta-beta", "needs one number per image", found: "\(settings.thetaBetas.count)",
        expected: "\(1 + furtherFiles.count)")
    }
    var own = settings
    if probabilities != nil { own.auxiliaryHeadWeights = [] }
    let labels = try refinement.labels(settings: own, exact: exact, work: work.part(0.2...0.9))
    for label in try refinement.vanished(in: labels, settings: own, work: work.withoutProgress) {
      Console.note(label.note(LabelTable(start.labels)))
    }
    var record = MaskRecord()
    record.model = try modelFile?.recorded(work)
    record.input = try opened.recorded(work)
    record.furtherInputs = openedFurther.isEmpty ? nil : try openedFurther.map { try $0.recorded(work) }
    record.source = try openedSource.recorded(work)
    record.sidecar = try sidecar?.recorded(work)
    record.refinement = settings
    if mask != nil { record.maskConfidence = ownConfidence }
    record.threads = work.threadCount
    record.commands = [CommandLineText.text(words(opened, settings, coding: labels.coding))]
    try record.write(
      labels, LabelTable(start.labels), source: file.source.ofFrame(frame ?? 0), to: outputPath,
      work: work.withoutProgress)
    record.noteChanges()
    work.report(1)
  }

  private var ownConfidence: Double { maskConfidence ?? 0.9 }

  /// The arguments of a command that makes the same mask with these settings.
  private func words(
    _ opened: OpenedImage, _ settings: RefinementSettings, coding: LabelCoding
  ) -> [String] {
    var words = ["segdeck", "refine", CommandLineText.path(opened.path)]
    words += opened.choice.words + segments.options.words
    for path in furtherImages { words += ["--further-image", CommandLineText.path(path)] }
    if let probabilities { words += ["--probabilities", CommandLineText.path(probabilities)] }
    if let mask { words += ["--mask", CommandLineText.path(mask), "--mask-confidence", "\(ownConfidence)"] }
    if let model { words += ["--model", model] }
    words += RefinementOptions.words(settings, coding: coding)
    if exact { words.append("--exact") }
    if let frame { words += ["--frame", "\(frame)"] }
    return words + ["-o", MaskRecord.outputName]
  }

  /// The base settings, changed by the options.
  ///
  /// The base is the preset, else the model's settings, else the settings suggested by the images.
  private func settings(
    over start: StartingPoint, _ refinement: Refinement, _ volume: ScalarVolume, work: WorkContext
  ) throws -> RefinementSettings {
    if let preset {
      return try options.settings(
        over: RefinementPreset.read(preset), labels: start.labels, coding: start.coding)
    }
    guard start.refinement.areDefaults else {
      return try options.settings(over: start.refinement, labels: start.labels, coding: start.coding)
    }
    let heads = probabilities == nil ? start.refinement.auxiliaryHeadWeights : []
    let contrasts = try refinement.contrasts(auxiliaryHeadWeights: heads, work: work)
    let defaults = RefinementDefaults(
      contrasts: contrasts.isEmpty ? Array(repeating: nil, count: 1 + furtherImages.count) : contrasts,
      spacing: volume.grid.spacing)
    var base = defaults.settings
    base.auxiliaryHeadWeights = start.refinement.auxiliaryHeadWeights
    let settings = try options.settings(over: base, labels: start.labels, coding: start.coding)
    if options.given.isDisjoint(with: [.thetaAlpha, .thetaBeta, .thetaGamma]) {
      for reason in defaults.reasons { Console.note("CRF: \(reason)") }
    }
    return settings
  }

  /// The stored input of the CRF.
  private enum StoredStart {
    case mask(FittedMask)
    case probabilities(ProbabilityVolume)
  }

  /// The input of the CRF with its labels and parameters.
  private struct StartingPoint {
    var source: UnarySource
    /// In the order of the classes.
    var labels: [Label]
    var refinement: RefinementSettings
    var intensityRange: ClosedRange<Float>?
    var postProcessing: PostProcessing

    var coding: LabelCoding
  }

  private func startingPoint(
    _ file: ImageFile, _ stored: StoredStart, _ image: ScalarVolume, _ model: SegmentationModel?,
    work: WorkContext
  ) throws -> StartingPoint {
    switch stored {
    case .probabilities(let volume): try startingPoint(file, volume, image, model)
    case .mask(let mask): try startingPoint(mask, model)
    }
  }

  private func startingPoint(
    _ file: ImageFile, _ volume: ProbabilityVolume, _ image: ScalarVolume, _ model: SegmentationModel?
  ) throws -> StartingPoint {
    let sidecar =
      try model.map { ProbabilitySidecar(model: $0, auxiliaryHeadWeights: []) }
      ?? ProbabilitySidecar.read(besideProbabilities: file.path)
    if let tau = options.tau,
      sidecar?.auxiliaryHeadWeights ?? [] != (try OptionParsing.numbers(tau, option: "--tau"))
    {
      throw InputError(
        "--tau", "the heads are mixed already in \(file.path)", found: tau,
        expected: "--tau of `segdeck segment --probabilities`")
    }
    let coded =
      sidecar?.labels
      ?? CodedLabels(
        (1..<max(volume.classCount, 2)).map {
          Label(value: UInt16($0), name: "label \($0)", colour: LabelTable.colour(ofValue: UInt16($0)))
        })
    let labels = coded.labels
    guard labels.count + 1 == volume.classCount else {
      throw InputError(
        file.path, "classes", found: "\(volume.classCount)", expected: "\(labels.count + 1) of the model")
    }
    return StartingPoint(
      source: .probabilities(
        ProbabilityVolume(grid: image.grid, classCount: volume.classCount, values: volume.values)),
      labels: labels, refinement: sidecar?.refinement ?? RefinementSettings(),
      intensityRange: sidecar?.normalisation.refinementRange,
      postProcessing: sidecar?.postProcessing ?? .none, coding: coded.coding)
  }

  private func startingPoint(
    _ mask: FittedMask, _ model: SegmentationModel?
  ) throws -> StartingPoint {
    mask.reportFindings()
    let present = mask.labels.voxelCounts().keys.filter { $0 > 0 }
    guard !present.isEmpty else {
      throw InputError(self.mask ?? "--mask", "has no label to refine: every voxel is 0")
    }
    let coding = mask.labels.coding
    let ofModel = model.map { LabelNames($0.labelTable, coding: $0.coding).table(coding) }
    let named = mask.names ?? ofModel ?? LabelTable()
    return StartingPoint(
      source: .mask(mask.labels, confidence: ownConfidence),
      labels: named.completed(for: present, coding: coding).labels.filter {
        present.contains($0.value)
      },
      refinement: model?.refinement ?? RefinementSettings(),
      intensityRange: model?.preprocessing.normalisation.refinementRange,
      postProcessing: model?.postProcessing ?? .none, coding: coding)
  }
}
