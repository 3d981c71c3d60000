import ArgumentParser
import Foundation
import ImageFormats
import Metrics
import Segmentation
import Volumes
import Work

extension SweepObjective: ExpressibleByArgument {}

/// `segdeck sweep`: hyperparameter search for the CRF's kernels on labelled cases.
struct SweepCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sweep", abstract: "Search for the CRF's best kernels on labelled cases.",
    discussion: """
      The network runs once per case, or --probabilities names its output. Kernels are tried at half the \
      resolution, at random and then around the best; the best few are measured at full resolution as `evaluate` does: \
      a structure that only one mask has counts as Dice 0 and, for distances, as the image's diagonal. Kernels given as options stay as they are. The search starts at --preset, else at the model's CRF or, where it \
      has none of its own, at what the images suggest.

      With --resume every trial is noted in a file, and a stopped sweep resumes where it was; more --trials than \
      before add to it.
      """)

  @OptionGroup var folders: TrainingFolders

  @Option(name: .long, help: "A bundled model's name or a model file.")
  var model = "liver"

  @Option(
    name: .long,
    help:
      "Folder of class probabilities NAME.nii.gz as `segment --probabilities` writes them, instead of the network.",
    completion: .directory)
  var probabilities: String?

  @Option(name: .long, help: "Only these cases, names separated by commas.")
  var cases: String?

  @Option(name: .long, help: "Number of trials.", transform: OptionParsing.wholeNumber)
  var trials = 200

  @Option(
    name: .long, help: "Number of the best trials to measure at full resolution.",
    transform: OptionParsing.wholeNumber
  )
  var finalists = 5

  @Option(name: .long, help: "The objective: dice or assd (average symmetric surface distance).")
  var objective = SweepObjective.dice

  @Option(name: .long, help: "Seed of the search.", transform: OptionParsing.wholeNumber)
  var seed: UInt64 = 1

  @Option(name: .long, help: "Start from CRF settings in this file (JSON).", completion: .file())
  var preset: String?

  @OptionGroup var options: RefinementOptions

  @Option(
    name: .long, help: "Journal of the trials, NAME.jsonl, from which a later run resumes.",
    completion: .file())
  var resume: String?

  @Option(
    name: .long, help: "Write the kernels to NAME.json, for `refine --preset` and `train --preset`.",
    completion: .file())
  var presetOutput: String?

  @Option(name: .long, help: "Write the model with these kernels as its CRF.", completion: .file())
  var modelOutput: String?

  @Flag(name: .long, help: "Replace existing files.")
  var force = false

  @OptionGroup var threads: WorkOptions

  func validate() throws {
    try OptionParsing.require(trials, in: 1...100_000, option: "--trials")
    try OptionParsing.require(finalists, in: 1...100, option: "--finalists")
  }

  func run() throws {
    let work = threads.context("sweeping")
    let presetPath = try presetOutput.map { try OutputPath($0, kind: .settings, isForced: force) }
    let modelPath = try modelOutput.map { try OutputPath($0, kind: .model, isForced: force) }
    let journalPath = try resume.map { try OutputPath($0, kind: .log, isForced: true) }
    let model = try ModelLibrary.model(model)
    let base = try preset.map { try RefinementPreset.read($0) } ?? model.refinement
    guard base.furtherThetaBetas.isEmpty else {
      throw InputError(
        preset ?? model.path, "a sweep compares one image",
        found: "\(base.thetaBetas.count) numbers for theta beta")
    }
    if let probabilities, let tau = options.tau {
      throw InputError(
        "--tau", "the heads are mixed already in \(probabilities)", found: tau,
        expected: "--tau of `segdeck segment --probabilities`")
    }
    let settings = try options.settings(over: base, labels: model.labels, coding: model.coding)
    let sources = try selectedSources(model, work: work)
    let store = try SweepSources(
      sources: sources, model: model, probabilityFolder: probabilities,
      settings: settings, work: work.withoutProgress)
    let start =
      base.areDefaults
      ? try options.settings(
        over: store.suggestedStart(work: work.withoutProgress), labels: model.labels, coding: model.coding)
      : settings
    let search = try KernelSearch(
      cases: try sources.indices.map { index in
        try store.sweepCase(
          index, start: start, work: work.part(progressRange(index, sources.count, of: 0...0.3)))
      }, ranges: KernelRanges(around: start, holding: options.given), objective: objective, seed: seed,
      work: work.withoutProgress)
    let journal = try journalPath.map {
      try SweepJournal($0, heading: SweepJournal.Heading(search, seed: seed))
    }
    let found = try search.run(
      trialCount: trials, known: journal?.trials ?? [], work: work.part(0.3...0.8)
    ) { try journal?.append($0) }
    let best = search.best(finalists, of: found)
    let kernels = ([search.ranges.start] + best.map(\.settings)).reduce(into: [RefinementSettings]()) {
      if !$0.contains($1) { $0.append($1) }
    }
    let measurements = try sources.indices.map { index in
      try store.measurement(index, kernels, work: work.part(progressRange(index, sources.count, of: 0.8...1)))
    }
    work.report(1)
    let report = SweepReport(
      search: search, trials: found, kernels: kernels, measurements: measurements, model: model.path,
      structures: store.structureNames, coding: model.coding,
      columns: OutputTerminal.columns(ofDescriptor: STDOUT_FILENO),
      showsUnicode: OutputTerminal.showsUnicode)
    FindingNotes.print()
    for measurement in measurements {
      for label in measurement.vanished[report.outcome.best] {
        Console.note("\(measurement.name): \(label.note(model.labelTable)) with the kernels found")
      }
    }
    try Console.print(report.text)
    try write(report, model, presetPath, modelPath)
  }

  private func progressRange(_ index: Int, _ count: Int, of range: ClosedRange<Double>) -> ClosedRange<Double>
  {
    let length = (range.upperBound - range.lowerBound) / Double(count)
    let lower = range.lowerBound + Double(index) * length
    return lower...min(range.upperBound, lower + length)
  }

  private func selectedSources(
    _ model: SegmentationModel, work: WorkContext
  ) throws -> [TrainingFolders.Source] {
    let sources = try folders.sources(work: work.withoutProgress) {
      try EvaluateCommand.structures(of: model, $0)
    }
    .selected(cases)
    if probabilities == nil { try sources.requireImages(of: model) }
    return sources
  }

  /// Writes the best kernels to the requested files, unless the CRF does not help.
  private func write(
    _ report: SweepReport, _ model: SegmentationModel, _ presetPath: OutputPath?, _ modelPath: OutputPath?
  ) throws(InputError) {
    for outputPath in [presetPath, modelPath].compactMap(\.self) where !report.outcome.isImprovement {
      try Console.print("\(outputPath.path.printableLine): not written, because the CRF does not help here")
    }
    guard report.outcome.isImprovement else { return }
    if let presetPath {
      try RefinementPreset.write(report.best, to: presetPath.path)
      try Console.print(
        "\(presetPath.path.printableLine): these kernels, for `refine --preset` and `train --preset`")
    }
    if let modelPath {
      try ModelConversion.write(model.path, with: report.best, to: modelPath.path)
      try Console.print("\(modelPath.path.printableLine): the model with these kernels")
    }
  }
}
