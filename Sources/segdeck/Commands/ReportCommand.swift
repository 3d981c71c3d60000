import ArgumentParser
import Foundation
import Report
import Work
import Worklist

/// `segdeck report`: tables, JSON, Markdown and a page about the cases of a folder or worklist file.
struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report", abstract: "Write tables and a page with pictures about many cases.",
    discussion: """
      The folder of -o gets report.html (one page with pictures, which needs no network), report.md, report.json, and \
      the tables report.csv (a row for each case), report.labels.csv (for each label) and report.verdicts.csv (for each \
      reader): all of them or none. Masks are measured as `worklist --measure` does; the first two of a case, A and B, \
      are compared as `compare` does. Agreement between readers is Cohen's kappa, for scores with quadratic weights, \
      and Fleiss' kappa of three readers or more.

        segdeck report data --labels nnunet --labels experts -o report
        segdeck report list.csv --filter 'disputed or outlier' --sort dice -o report

      A file that cannot be read is a problem of its case; the report goes on.
      """)

  @Argument(help: "A folder of cases, or a worklist file.", completion: .file())
  var place: String

  @OptionGroup var cases: CaseListOptions

  @Option(
    name: .shortAndLong, help: "The folder to write to; created if it does not exist.", completion: .directory
  )
  var output: String

  @Flag(help: "Replace an existing report.")
  var force = false

  @Flag(help: "Omit pictures; images are not read.")
  var noPictures = false

  @Option(help: "Width of a picture in pixels.", transform: OptionParsing.wholeNumber)
  var width = 660

  @Option(
    help: "Show only the masks and a margin around them, in millimetres.", transform: OptionParsing.number)
  var margin: Double?

  @Option(
    help: "Millimetres within which borders count as the same in the surface Dice.",
    transform: OptionParsing.number)
  var tolerance = 2.0

  @OptionGroup var threads: WorkOptions

  func validate() throws {
    try OptionParsing.require(tolerance, in: 0...1e6, option: "--tolerance", unit: " mm")
    if let margin { try PictureOptions.requireMargin(margin) }
    try OptionParsing.require(width, in: PictureOptions.widths, option: "--width", unit: " pixels")
  }

  func run() throws {
    guard !noPictures || margin == nil else {
      throw InputError("--margin", "is about pictures", expected: "no --no-pictures with it")
    }
    let listing = try cases.listing(of: place, work: threads.context("searching"))
    try listing.registerFiles()
    try OutputFolder.filled(output) { try write(listing) }
  }

  private func write(_ listing: CaseListing) throws {
    func path(_ ending: String) -> String { FilePath.joined(output, "report." + ending) }
    let page = try OutputPath(
      path("html"), kind: .page, isForced: force,
      companions: ["md", "json", "csv", "labels.csv", "verdicts.csv"].map(path))
    let report = try report(of: listing)
    let contents = [
      (path("md"), report.markdown), (path("json"), try report.json()),
      (path("csv"), report.casesTable), (path("labels.csv"), report.labelsTable),
      (path("verdicts.csv"), report.verdictsTable),
    ]
    var file = try AtomicFile(path: page.path)
    try report.writePage(to: &file)
    let others = try contents.map { path, data throws(InputError) in try AtomicFile.pending(data, for: path) }
    try PendingFile.commit([file.complete()] + others)
    let problems = report.cases.count { !$0.problems.isEmpty }
    let note = problems > 0 ? ", \(problems) with problems" : ""
    try Console.print("\(counted(report.cases.count, "case"))\(note) in \(page.path.printableLine)")
  }

  private func report(of listing: CaseListing) throws -> CohortReport {
    let work = threads.context("reporting")
    var problems: [String: [String]] = [:]
    let style = noPictures ? nil : PictureStyle(width: width, marginMillimetres: margin)
    var contents: [String: ReportedContent] = [:]
    // A filter may need the measures of all cases, and most of them are not drawn then.
    let readsAtOnce = cases.filter == nil
    let measuredPart = readsAtOnce ? 0.7 : 0.3
    let rows = try listing.rows(measuring: work.part(0...measuredPart)) { item, problem in
      problems[item.name, default: []].append(problem)
    } read: { row, masks, part throws(Cancelled) in
      guard readsAtOnce else { return }
      contents[row.item.name] = try ReportedContent(
        row.item, pairings: row.pairings, masks: masks, toleranceMillimetres: tolerance, style: style,
        work: part)
    }
    var reported: [ReportedCase] = []
    for (position, row) in rows.enumerated() {
      let part = work.part(measuredPart...1).part(
        Double(position) / Double(rows.count)...Double(position + 1) / Double(rows.count))
      let content =
        try contents.removeValue(forKey: row.item.name)
        ?? ReportedContent(
          row.item, pairings: row.pairings, masks: nil, toleranceMillimetres: tolerance, style: style,
          work: part)
      let one = content.reported(row, problems: problems[row.item.name] ?? [])
      for problem in one.problems { Console.note("\(row.item.name): \(problem)") }
      reported.append(one)
    }
    work.report(1)
    return CohortReport(
      place: place, created: CaseRecord.time(Date()), program: "segdeck \(SegdeckVersion.text)",
      listedCaseCount: listing.worklist.cases.count, filter: cases.filter, toleranceMillimetres: tolerance,
      columns: listing.worklist.columns, cases: reported)
  }
}
