import ArgumentParser
import Foundation
import Work
import Worklist

/// `segdeck worklist`: the cases of a folder or of a worklist file, with what readers decided.
struct WorklistCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "worklist", abstract: "List the cases of a folder, with their masks and verdicts.",
    discussion: """
      Cases are found as data sets are laid out: images/ beside labels/, nnU-Net's imagesTr/ and labelsTr/ with channels, \
      a folder for each case, BIDS with its derivatives, or images with masks beside them (x.nii.gz, x_seg.nii.gz). Each \
      --labels is one version of the masks, whose files are named as the images.

        segdeck worklist data --labels nnunet --labels experts -o list.csv
        segdeck worklist list.csv --filter 'unread or score<3' --sort case
        segdeck worklist data --measure --filter 'dice<0.8 or outlier' --sort dice

      Filters compare columns (case, mask, masks, status, verdict, score, reader, tag, comment, seconds, decided, open, \
      flags, and those of the file) with <, <=, >, >=, =, != and ~ (contains); with --measure also volume, components, \
      holes, gaps, dice and entropy (of a network's probabilities), of one label as volume(liver). Words are unread, opened, unopened, decided, accepted, rejected, \
      needswork, flagged, missing, disputed, outlier, commented; any other word is sought in names, comments, tags and \
      columns. Terms are joined with and, or, not and parentheses.
      """)

  @Argument(help: "A folder of cases, or a worklist file.", completion: .file())
  var place: String

  @OptionGroup var cases: CaseListOptions

  @Option(name: .shortAndLong, help: "The worklist file to write, comma-separated.", completion: .file())
  var output: String?

  @Flag(help: "Replace the file if it exists.")
  var force = false

  @Flag(help: "Measure the masks, compare the first two, and say what is unusual.")
  var measure = false

  @Flag(help: "Print JSON.")
  var json = false

  @OptionGroup var threads: WorkOptions

  func run() throws {
    guard output == nil || !json else {
      throw InputError("--json", "prints what -o writes", expected: "one of both")
    }
    let listing = try cases.listing(of: place, work: threads.context("searching"))
    let outputPath = try output.map { path in
      // The output must not replace one of the listed files.
      try listing.registerFiles()
      return try OutputPath(path, kind: .worklist, isForced: force)
    }
    let rows = try listing.rows(measuring: measure ? threads.context("measuring") : nil) { item, problem in
      Console.note("\(item.name): \(problem)")
    }
    if let outputPath {
      let listed = Worklist(cases: rows.map(\.item), columns: listing.worklist.columns)
      try AtomicFile.write(listed.bytes(forFile: outputPath.path), to: outputPath.path)
      let isWithVerdicts = try RecordFolder.copyRecords(ofWorklist: place, to: outputPath.path) > 0
      return try Console.print(
        "\(counted(rows.count, "case")) in \(outputPath.path.printableLine)"
          + (isWithVerdicts ? ", with the verdicts so far beside it" : ""))
    }
    let report = WorklistReport(
      place: place, rows: rows, caseCount: listing.worklist.cases.count, isMeasured: measure)
    if json { try Console.print(json: report.json()) } else { try Console.print(report.text) }
  }
}
