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
      holes, gaps and dice, of one label as volume(liver). Words are unread, opened, decided, accepted, rejected, \
      needswork, flagged, missing, disputed, outlier, commented; any other word is sought in names, comments, tags and \
      columns. Terms are joined with and, or, not and parentheses.
      """)

  @Argument(help: "A folder of cases, or a worklist file.", completion: .file())
  var place: String

  @Option(help: "A folder of masks, one version; may be given more than once.", completion: .directory)
  var labels: [String] = []

  @Option(name: .shortAndLong, help: "The worklist file to write, comma-separated.", completion: .file())
  var output: String?

  @Flag(help: "Replace the file if it exists.")
  var force = false

  @Option(help: "Only cases that pass this filter.")
  var filter: String?

  @Option(help: "The column to sort by.")
  var sort: String?

  @Flag(help: "Sort from the largest to the smallest.")
  var descending = false

  @Flag(help: "Measure the masks, compare the first two, and say what is unusual.")
  var measure = false

  @Flag(help: "Print JSON.")
  var json = false

  @OptionGroup var threads: WorkOptions

  func run() throws {
    guard sort != nil || !descending else {
      throw InputError("--descending", "reverses an order", expected: "--sort COLUMN with it")
    }
    guard output == nil || !json else {
      throw InputError("--json", "prints what -o writes", expected: "one of both")
    }
    let worklist = try opened()
    let query = try self.query(worklist.columns)
    let order = try self.order(worklist.columns)
    let outputPath = try output.map { path in
      // The output must not replace one of the listed files.
      for file in worklist.cases.flatMap(\.files) { try ReadFiles.register(file) }
      return try OutputPath(path, kind: .worklist, isForced: force)
    }
    var records = ReviewRecords(worklist: place)
    records.poll()
    for note in records.notes { Console.note(note) }
    var rows = worklist.cases.map { CaseRow($0, review: records.reviews[$0.name]) }
    if measure { try WorklistMeasuring.measure(&rows, work: threads.context("measuring")) }
    rows = rows.filter(query.matches)
    if let order { rows = order.sorted(rows) }
    for note in worklist.notes { Console.note(note) }
    if let outputPath {
      let listed = Worklist(cases: rows.map(\.item), columns: worklist.columns)
      try AtomicFile.write(listed.bytes(forFile: outputPath.path), to: outputPath.path)
      let isWithVerdicts = try RecordFolder.copyRecords(ofWorklist: place, to: outputPath.path) > 0
      return try Console.print(
        "\(counted(rows.count, "case")) in \(outputPath.path.printableLine)"
          + (isWithVerdicts ? ", with the verdicts so far beside it" : ""))
    }
    let report = WorklistReport(
      place: place, rows: rows, caseCount: worklist.cases.count, isMeasured: measure)
    if json { try Console.print(json: report.json()) } else { try Console.print(report.text) }
  }

  /// The cases of the folder or file.
  private func opened() throws -> Worklist {
    guard !FileSystem.isFolder(place) else {
      return try Worklist.discover(
        place, labelFolders: labels, work: threads.context("searching").withoutProgress)
    }
    guard labels.isEmpty else {
      throw InputError("--labels", "adds masks to the images of a folder", found: "the file \(place)")
    }
    return try Worklist(file: place)
  }

  private func query(_ columns: [String]) throws(InputError) -> CaseQuery {
    do throws(CaseQuery.Fault) { return try CaseQuery(filter ?? "", columns: columns) } catch {
      throw InputError("--filter", error.description)
    }
  }

  private func order(_ columns: [String]) throws(InputError) -> CaseOrder? {
    guard let sort else { return nil }
    guard let column = CaseColumn(sort, columns: columns) else {
      throw InputError(
        "--sort", "no such column", found: sort,
        expected: CaseColumn.names(columns: columns).joined(separator: ", "))
    }
    return CaseOrder(column, isDescending: descending)
  }
}
