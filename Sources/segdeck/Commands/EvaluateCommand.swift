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
      by structure name. Means leave out measures that are not defined and say of how many cases they are.
      """)

  @OptionGroup var folders: TrainingFolders

  @Option(name: .long, help: "A bundled model's name or a model file.")
  var model = "liver"

  @Option(name: .long, help: "Only these cases, names separated by commas.")
  var cases: String?

  @Flag(name: .long, help: "Also run the CRF with the model's settings.")
  var refine = false

  @OptionGroup var options: RefinementOptions

  @Flag(name: .long, help: "Print JSON.")
  var json = false

  @OptionGroup var threads: CommandWork

  func run() throws {
    let work = threads.context("evaluating")
    let model = try ModelLibrary.model(model)
    let settings = try options.settings(over: model.refinement)
    var sources = try folders.sources()
    if let cases {
      let wanted = Set(cases.split(separator: ",").map(String.init))
      if let unknown = wanted.subtracting(sources.map(\.pair.name)).sorted().first {
        throw InputError("--cases", "no case has this name", found: unknown)
      }
      sources = sources.filter { wanted.contains($0.pair.name) }
    }
    let segmenter = try Segmenter(
      model: model, usesAuxiliaryHeads: settings.auxiliaryHeadWeights.contains { $0 != 0 }, work: work.silent)
    var rows: [CaseRow] = []
    for (index, source) in sources.enumerated() {
      let share = 1 / Double(sources.count)
      let part = work.part(Double(index) * share...min(1, Double(index + 1) * share))
      rows += try measured(source, segmenter, settings, work: part)
    }
    let report = EvaluationReport(
      model: model.path, refinement: refine ? settings : nil, cases: rows,
      summaries: EvaluationReport.summaries(of: rows))
    print(json ? try report.json() : report.table)
  }

  private func measured(
    _ source: TrainingFolders.Source, _ segmenter: Segmenter, _ settings: RefinementSettings,
    work: WorkContext
  ) throws -> [CaseRow] {
    let model = segmenter.model
    let image = try ImageFile.open(source.pair.image).scalarVolume(context: work.silent)
    let truth = try ImageFile.open(source.pair.labels).labelVolume(context: work.silent)
      .fitted(to: image.grid, subject: source.pair.labels, work: work.silent)
    let prediction = try segmenter.prediction(for: image, work: work.part(0...0.6))
    let labels: LabelVolume
    if refine {
      let refinement = try Refinement(
        image: image, source: .prediction(prediction), labelValues: model.labelValues,
        intensityRange: model.preprocessing.normalisation.refinementRange,
        postProcessing: model.postProcessing,
        work: work.silent)
      labels = try refinement.labels(settings: settings, work: work.part(0.6...0.9))
    } else {
      labels = try segmenter.labels(
        of: prediction, auxiliaryHeadWeights: settings.auxiliaryHeadWeights, work: work.part(0.6...0.9))
    }
    let rows = try source.selections.map { selection in
      guard let label = model.labels.first(where: { $0.name.lowercased() == selection.name.lowercased() })
      else {
        throw InputError(
          "--label \(selection)", "the model has no such structure",
          expected: model.labels.map(\.name).joined(separator: ", "))
      }
      let structure = MatchedStructure(
        name: selection.name, referenceValues: selection.values, otherValues: [label.value])
      let comparison = try StructureComparison(
        structure, reference: truth, other: labels, toleranceMillimetres: 2, work: work.silent)
      return CaseRow(name: source.pair.name, measures: ComparisonRow(comparison))
    }
    work.report(1)
    return rows
  }
}

/// The measures of one structure of one case.
struct CaseRow: Encodable {
  var name: String
  var measures: ComparisonRow
}

/// What `segdeck evaluate` prints.
struct EvaluationReport: Encodable {
  /// Statistics of one measure of one structure over the cases in which it is defined.
  struct Summary: Encodable {
    var structure: String
    var measure: String
    var mean, median, worst: Double
    var cases: Int
  }

  var model: String
  var refinement: RefinementSettings?
  var cases: [CaseRow]
  var summaries: [Summary]

  func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    return String(decoding: try encoder.encode(self), as: UTF8.self)
  }

  private static let measures:
    [(name: String, digits: Int, isBetterLarge: Bool, value: @Sendable (ComparisonRow) -> Double?)] = [
      ("Dice", 4, true, { $0.dice }), ("VOE %", 2, false, { $0.voePercent }),
      ("|RVD| %", 2, false, { $0.rvdPercent.map(abs) }), ("ASSD mm", 2, false, { $0.assdMm }),
      ("RMSD mm", 2, false, { $0.rmsdMm }), ("max mm", 1, false, { $0.maximumMm }),
      ("HD95 mm", 2, false, { $0.hd95Mm }), ("SLIVER07", 1, true, { $0.sliver07Score }),
    ]

  /// Names of the structures, in the order in which they come first.
  private static func structures(of rows: [CaseRow]) -> [String] {
    var names: [String] = []
    for row in rows where !names.contains(row.measures.name) { names.append(row.measures.name) }
    return names
  }

  static func summaries(of rows: [CaseRow]) -> [Summary] {
    structures(of: rows).flatMap { structure in
      measures.compactMap { measure in
        let values = rows.filter { $0.measures.name == structure }.compactMap { measure.value($0.measures) }
          .sorted()
        guard let first = values.first, let last = values.last else { return nil }
        let middle = values.count / 2
        let median = values.count % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2
        return Summary(
          structure: structure, measure: measure.name, mean: values.reduce(0, +) / Double(values.count),
          median: median, worst: measure.isBetterLarge ? first : last, cases: values.count)
      }
    }
  }

  /// A line per case and structure, then mean, median and worst of each measure.
  var table: String {
    var table = TextTable(heading: ["case", "structure"] + Self.measures.map(\.name))
    for row in cases {
      table.rows.append(
        [row.name, row.measures.name]
          + Self.measures.map { TextTable.cell($0.value(row.measures), $0.digits) })
    }
    for structure in Self.structures(of: cases) {
      for (title, value) in [("mean", \Summary.mean), ("median", \.median), ("worst", \.worst)] {
        table.rows.append(
          [title, structure]
            + Self.measures.map { measure -> String in
              let found = summaries.first { $0.structure == structure && $0.measure == measure.name }
              return TextTable.cell(found.map { $0[keyPath: value] }, measure.digits)
            })
      }
    }
    return table.text
  }
}
