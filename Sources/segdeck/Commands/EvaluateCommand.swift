import ArgumentParser
import Foundation
import ImageFormats
import Metrics
import Segmentation
import Volumes
import Work

/// `segdeck evaluate`: a model on a folder of labelled cases, measured as the challenges do.
struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate", abstract: "Measure a model, with or without the CRF, on labelled cases.",
    discussion: """
      The masks are made as `segment` and `refine` make them, on each image's own grid, and compared with the labels \
      by structure name. Three tables: overlap and distances with mean, median and worst; the measures and scores of \
      SLIVER07 for each structure; those of HVSMR 2016. Means are over the cases in which either mask has the structure, \
      and say how many. What only one has is missed: Dice 0, VOE and RVD 100 %, SLIVER07 0, every distance the image's \
      diagonal. `compare --help` defines the measures.
      """)

  @OptionGroup var folders: TrainingFolders

  @Option(name: .long, help: "A bundled model's name or a model file.")
  var model = "liver"

  @Option(name: .long, help: "Only these cases, names separated by commas.")
  var cases: String?

  @Flag(name: .long, help: "Also run the CRF with the model's settings.")
  var refine = false

  @OptionGroup var options: RefinementOptions

  @Option(name: .long, help: "Tables to print, separated by commas: measures, sliver07, hvsmr.")
  var tables = "measures,sliver07,hvsmr"

  @Flag(name: .long, help: "Print JSON.")
  var json = false

  @OptionGroup var threads: WorkOptions

  func run() throws {
    let tables = try parsedTables()
    let work = threads.context("evaluating")
    let model = try ModelLibrary.model(model)
    let settings = try options.settings(over: model.refinement, labels: model.labels, coding: model.coding)
    if !refine, !options.givenForCRF.isEmpty {
      Console.note(
        "without --refine these options have no effect: \(options.givenForCRF.joined(separator: ", "))")
    }
    let sources = try folders.sources(work: work.withoutProgress) { try Self.structures(of: model, $0) }
      .selected(cases)
    try sources.requireImages(of: model)
    let segmenter = try Segmenter(
      model: model, usesAuxiliaryHeads: settings.auxiliaryHeadWeights.contains { $0 != 0 },
      work: work.withoutProgress)
    var rows: [EvaluatedStructure] = []
    let notes = OverlapNotes()
    for (index, source) in sources.enumerated() {
      let fraction = 1 / Double(sources.count)
      let part = work.part(Double(index) * fraction...min(1, Double(index + 1) * fraction))
      rows += try measured(source, segmenter, settings, notes, work: part)
    }
    let report = EvaluationReport(model: model.path, refinement: refine ? settings : nil, rows: rows)
    if json { try Console.print(json: report.json()) } else { try Console.print(report.text(tables)) }
  }

  /// The structures that both the label files and the model have, by name.
  ///
  /// Where no named structure is common, they are the values that the model was trained on, if they occur and have no
  /// other name in the files. A note names the structures that are not measured.
  /// - Throws: ``InputError`` when none is common, or when the training folders numbered the structures differently.
  static func structures(
    of model: SegmentationModel, _ datasetLabels: DatasetLabels
  ) throws(InputError) -> [LabelSelection] {
    let own = try datasetLabels.structures()
    func values(_ selection: LabelSelection) -> Set<UInt16> {
      Set(datasetLabels.coding.codes(of: selection.values))
    }
    func isNamed(_ selection: LabelSelection) -> Bool {
      selection.values.contains { datasetLabels.names[$0] != nil }
    }
    var common = own.filter { structure in model.labels.contains { $0.nameKey == structure.nameKey } }
    var onlyModel = model.labels.filter { label in !common.contains { $0.nameKey == label.nameKey } }.map(
      \.name)
    if !common.contains(where: isNamed) {
      // The training data stored the only label as 255, and these files store it as 1.
      let isOnlyOne =
        datasetLabels.values == [1]
        && model.selections == [[LabelSelection(values: [255], name: model.labels[0].name)]]
      let stated = isOnlyOne ? [[LabelSelection(values: [1], name: model.labels[0].name)]] : model.selections
      let ways = stated.reduce(into: [[LabelSelection]]()) { ways, way in
        if !ways.contains(where: { $0.map(values) == way.map(values) }) { ways.append(way) }
      }
      guard ways.count == 1 else {
        let options = ways.map { $0.map { "--label \($0)" }.joined(separator: " ") }
        throw InputError(
          model.path,
          "was trained on folders that number its structures differently, and the label files have no names",
          expected: options.joined(separator: " or "))
      }
      let taken = own.filter(isNamed).reduce(
        Set(datasetLabels.coding.codes(of: datasetLabels.ignoredValues()))
      ) {
        $0.union(values($1))
      }
      let free = own.reduce(Set<UInt16>()) { $0.union(values($1)) }.subtracting(taken)
      common = ways[0].filter { values($0).isDisjoint(with: taken) && !values($0).isDisjoint(with: free) }
      guard !common.isEmpty else {
        throw InputError(
          datasetLabels.folder, "no structure has a name of the model",
          found: own.map(\.description).joined(separator: " "),
          expected: ways[0].map(\.description).joined(separator: " ")
            + ", or --label to say which values are which")
      }
      onlyModel = ways[0].filter { !common.contains($0) }.map(\.name)
    }
    let measured = common.reduce(into: Set<UInt16>()) { $0.formUnion(values($1)) }
    let onlyFiles = own.filter { measured.isDisjoint(with: values($0)) }
    for (path, other, names) in [
      (model.path, "the label files have", onlyModel),
      (datasetLabels.folder, "the model has", onlyFiles.map(\.name)),
    ] where !names.isEmpty {
      FindingNotes.add(
        "not measured, because \(other) no such structure: \(names.joined(separator: ", "))", of: path)
    }
    return common
  }

  private func parsedTables() throws(InputError) -> [EvaluationReport.Table] {
    var chosen: [EvaluationReport.Table] = []
    for name in tables.split(separator: ",") {
      guard let table = EvaluationReport.Table(rawValue: String(name)) else {
        throw InputError(
          "--tables", "unknown", found: String(name),
          expected: EvaluationReport.Table.allCases.map(\.rawValue).joined(separator: ", "))
      }
      chosen.append(table)
    }
    guard !chosen.isEmpty else {
      throw InputError(
        "--tables", "names no table",
        expected: EvaluationReport.Table.allCases.map(\.rawValue).joined(separator: ", "))
    }
    return chosen
  }

  private func measured(
    _ source: TrainingFolders.Source, _ segmenter: Segmenter, _ settings: RefinementSettings,
    _ notes: OverlapNotes, work: WorkContext
  ) throws -> [EvaluatedStructure] {
    let model = segmenter.model
    let (images, truth) = try source.volumes(work: work.withoutProgress)
    let prediction = try segmenter.prediction(for: images, work: work.part(0...0.6))
    var labels: LabelVolume
    if refine {
      let refinement = try Refinement(
        image: images[0], source: .prediction(prediction), labelValues: model.labelValues,
        coding: model.coding,
        intensityRange: model.preprocessing.normalisation.refinementRange,
        postProcessing: model.postProcessing,
        work: work.withoutProgress)
      labels = try refinement.labels(settings: settings, work: work.part(0.6...0.9))
      for label in try refinement.vanished(in: labels, settings: settings, work: work.withoutProgress) {
        Console.note("\(source.pair.name): \(label.note(model.labelTable))")
      }
    } else {
      labels = try segmenter.labels(
        of: prediction, auxiliaryHeadWeights: settings.auxiliaryHeadWeights, work: work.part(0.6...0.9)
      ).labels
    }
    labels = labels.cleared(where: truth, has: source.coding.codes(of: source.ignoredValues))
    let structures = try source.structures(of: model)
    let extents = try LabelExtents(reference: truth, other: labels, work: work.withoutProgress)
    let overlaps = LabelOverlaps(extents)
    for line in notes.lines(structures, source, truth, model, labels, overlaps: overlaps) {
      Console.note(line)
    }
    let rows = try structures.map { structure in
      let comparison = try StructureComparison(
        structure, reference: truth, other: labels, toleranceMillimetres: 2, extents: extents,
        work: work.withoutProgress)
      return EvaluatedStructure(name: source.pair.name, comparison: comparison)
    }
    work.report(1)
    return rows
  }
}

extension TrainingFolders.Source {
  /// The structures with their values in the label files and in the masks of a model.
  /// - Throws: ``InputError`` for a structure that the model does not have.
  func structures(of model: SegmentationModel) throws(InputError) -> [MatchedStructure] {
    try selections.map { selection throws(InputError) in
      guard let label = model.labels.first(where: { $0.nameKey == selection.nameKey }) else {
        throw InputError(
          "--label \(selection)", "the model has no such structure",
          expected: model.labels.map(\.name).joined(separator: ", "))
      }
      return MatchedStructure(
        name: selection.name, referenceValues: coding.codes(of: selection.values),
        otherValues: [label.value])
    }
  }
}
