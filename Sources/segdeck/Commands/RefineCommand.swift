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
    let start = try start(from: sourceFile, stored, volume, model)
    let further = try furtherFiles.map {
      try $0.scalarVolume(frame: $0.frameCount > 1 ? frame : nil, work: work.withoutProgress)
    }
    for read in [file] + (mask == nil ? [sourceFile] : []) + furtherFiles { FindingNotes.add(read) }
    FindingNotes.print()
    let (labels, settings) = try start.refined(
      volume, furtherImages: further, options: options, preset: preset.map { try RefinementPreset.read($0) },
      isExact: exact, work: work.part(0.2...0.9)
    ) { Console.note($0) }
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

  /// The stored input of the CRF.
  private enum StoredStart {
    case mask(FittedMask)
    case probabilities(ProbabilityVolume)
  }

  private func start(
    from file: ImageFile, _ stored: StoredStart, _ image: ScalarVolume, _ model: SegmentationModel?
  ) throws -> RefinementStart {
    switch stored {
    case .mask(let mask):
      mask.reportFindings()
      return try RefinementStart(
        mask: mask, confidence: ownConfidence, model: model, subject: self.mask ?? "--mask")
    case .probabilities(let volume):
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
      return try RefinementStart(
        probabilities: volume, sidecar: sidecar, on: image.grid, subject: file.path)
    }
  }
}
