import ArgumentParser
import Foundation
import ImageFormats
import Segmentation
import Tensors
import Volumes
import Work

extension WorkingGrid: ExpressibleByArgument {}

/// `segdeck segment`: runs a network on an image and writes the mask on the image's own grid.
struct SegmentCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "segment", abstract: "Run a network on an image and write the mask.")

  @Argument(help: "The image.", completion: .file())
  var image: String

  @Option(
    name: .customLong("further-image"),
    help: """
      The image of the model's next channel, on the same grid; once for each, in the model's order. Beside CASE_0000, \
      CASE_0001 and so on are found without it.
      """, completion: .file())
  var furtherImages: [String] = []

  @Option(name: .shortAndLong, help: "Mask file to write.", completion: .file())
  var output: String

  @Option(name: .long, help: "A bundled model's name or a model file.")
  var model = "liver"

  @Option(
    name: .long, help: "Also write the class probabilities as a 4D NIfTI, for `refine`.", completion: .file())
  var probabilities: String?

  @Option(name: .long, help: "Weights of the auxiliary heads, lowest first, as A,B; by default the model's.")
  var tau: String?

  @Option(
    name: .long, help: "Grid on which the network runs: that of the model's spacing, or the image's own.")
  var grid = WorkingGrid.model

  @Flag(
    name: .long,
    help: "Run the network on the whole volume, large ones slab by slab, also where the model has patches.")
  var whole = false

  @OptionGroup var memory: ActivationMemoryOption

  @Option(name: .long, help: "Run the network in tiles of XxYxZ voxels of its working grid.")
  var tile: String?

  @Option(name: .long, help: "How tiles are combined: exact, average or vote.")
  var fusion = "exact"

  @Option(
    name: .long, help: "Frame of a 4D image, from 0; the first where none is named.",
    transform: OptionParsing.wholeNumber)
  var frame: Int?

  @OptionGroup var choice: SeriesOption

  @Flag(name: .long, help: "Replace existing files.")
  var force = false

  @OptionGroup var threads: WorkOptions

  func run() throws {
    let work = threads.context("segmenting")
    let opened = try OpenedImage(image, options: choice.options, work: work.part(0...0.05))
    let file = opened.image
    let outputPath = try OutputPath(maskAt: output, of: file, isForced: force)
    let probabilityPath = try probabilities.map {
      try OutputPath(
        $0, kind: .image, isForced: force, companions: [MaskRecord.path(besideMask: $0)])
    }
    let model = try ModelLibrary.model(model)
    let modelFile = try OpenedFile(model.path)
    let further = try model.furtherImages(
      beside: image, given: furtherImages,
      remedy: ", with --further-image or as CASE_0000, CASE_0001 in one folder"
    ) { Console.note("\(image): \($0)") }.map { try OpenedImage($0, work: work.withoutProgress) }
    try ([file] + further.map(\.image)).requireOneGrid()
    if probabilities != nil {
      try NetworkPrediction.requireMemoryOfProbabilities(
        classCount: model.labels.count + 1, file.grid.size)
    }
    let volumes =
      try [file.scalarVolume(frame: frame, work: work.part(0.05...0.1))]
      + further.map(\.image).map {
        try $0.scalarVolume(frame: $0.frameCount > 1 ? frame : nil, work: work.withoutProgress)
      }
    if let warning = model.preprocessing.mismatch(with: volumes) { Console.note("\(image): \(warning)") }
    for read in [opened] + further { FindingNotes.add(read.image) }
    FindingNotes.print()
    let network = try NetworkSegmentation(
      model: model, auxiliaryHeadWeights: try tau.map { try OptionParsing.numbers($0, option: "--tau") },
      grid: grid, tiling: tiling(), isWhole: whole, memoryLimit: memory.bytes, work: work)
    let outcome = try network.outcome(
      of: volumes, keepsPrediction: probabilityPath != nil, work: work.part(0.1...0.95))
    let mask = outcome.mask
    var written: [PendingFile] = []
    if let probabilityPath, let prediction = outcome.prediction {
      let weights = network.auxiliaryHeadWeights
      let values = try prediction.probabilities(auxiliaryHeadWeights: weights, work: work.withoutProgress)
      written = try values.pending(
        for: probabilityPath.path, source: file.source, work: work.withoutProgress)
      written.append(
        try ProbabilitySidecar(model: model, auxiliaryHeadWeights: weights)
          .pending(besideProbabilities: probabilityPath.path))
    }
    for part in mask.removed {
      Console.note("\(image): \(part.note(model.labelTable))")
    }
    var record = MaskRecord()
    record.model = try modelFile.recorded(work)
    record.input = try opened.recorded(work)
    record.furtherInputs = further.isEmpty ? nil : try further.map { try $0.recorded(work) }
    record.threads = work.threadCount
    record.commands = [
      CommandLineText.text(
        NetworkSegmentation.words(
          [opened] + further, model: self.model, options: ownWords, writesProbabilities: probabilities != nil)
      )
    ]
    try record.write(
      mask.labels, model.labelTable, source: file.source.ofFrame(frame ?? 0), to: outputPath, with: written,
      work: work.withoutProgress)
    record.noteChanges()
    work.report(1)
  }

  /// The options that change the mask.
  private var ownWords: [String] {
    var words: [String] = []
    if let tau { words += ["--tau", tau] }
    if grid != .model { words += ["--grid", grid.rawValue] }
    if whole { words.append("--whole") }
    if let tile { words += ["--tile", tile, "--fusion", fusion] }
    if let frame { words += ["--frame", "\(frame)"] }
    return words
  }

  private func tiling() throws(InputError) -> Tiling {
    guard let tile else {
      guard fusion == "exact" else {
        throw InputError("--fusion \(fusion)", "needs tiles", expected: "--tile XxYxZ")
      }
      return .whole
    }
    if whole { throw InputError("--whole", "excludes --tile") }
    if memory.megabytes != nil {
      throw InputError("--memory", "limits a network that runs without tiles", expected: "no --tile")
    }
    let size = try OptionParsing.gridSize(tile, option: "--tile")
    let extent = Extent3(size.k, size.j, size.i)
    switch fusion {
    case "exact": return .exact(extent)
    case "average": return .average(extent)
    case "vote": return .vote(extent)
    default: throw InputError("--fusion", "unknown", found: fusion, expected: "exact, average or vote")
    }
  }
}
