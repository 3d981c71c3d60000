import ArgumentParser
import ImageFormats
import Work
import Worklist

/// The options that choose and order the cases of a folder or worklist file.
struct CaseListOptions: ParsableArguments {
  @Option(help: "A folder of masks, one version; may be given more than once.", completion: .directory)
  var labels: [String] = []

  @Option(help: "Of a BIDS dataset, only images with this suffix, as T1w; by default the anatomical ones.")
  var suffix: String?

  @Option(help: "Only cases that pass this filter.")
  var filter: String?

  @Option(help: "The column to sort by.")
  var sort: String?

  @Flag(help: "Sort from the largest to the smallest.")
  var descending = false

  /// The options that were given, by name.
  var given: [String] {
    [
      ("--labels", !labels.isEmpty), ("--suffix", suffix != nil), ("--filter", filter != nil),
      ("--sort", sort != nil),
      ("--descending", descending),
    ].filter(\.1).map(\.0)
  }

  /// The cases of a folder or file.
  /// - Throws: ``InputError`` when it cannot be read, or an option does not fit it; ``Cancelled``.
  func listing(of place: String, work: WorkContext) throws -> CaseListing {
    try listing(of: worklist(of: place, work: work), recordsOf: place)
  }

  /// The cases of a list, with the verdicts of readers of a place.
  /// - Throws: ``InputError`` when an option does not fit the list.
  func listing(of list: Worklist, recordsOf place: String) throws(InputError) -> CaseListing {
    guard sort != nil || !descending else {
      throw InputError("--descending", "reverses an order", expected: "--sort COLUMN with it")
    }
    var worklist = list
    var records = ReviewRecords(worklist: place)
    records.poll()
    records.addCases(to: &worklist)
    return CaseListing(
      place: place, worklist: worklist, records: records, query: try query(worklist.columns),
      order: try order(worklist.columns))
  }

  /// The cases of a folder or file, before a filter and without those that readers added.
  /// - Throws: As ``listing(of:work:)``.
  func worklist(of place: String, work: WorkContext) throws -> Worklist {
    guard !FileSystem.isFolder(place) else {
      return try Worklist.discover(
        place, labelFolders: labels, imageSuffix: suffix, work: work.withoutProgress)
    }
    if let suffix {
      throw InputError(
        "--suffix", "chooses images of a BIDS dataset", found: "\(suffix) of the file \(place)",
        expected: "a folder with folders sub-*")
    }
    guard labels.isEmpty else {
      throw InputError("--labels", "adds masks to the images of a folder", found: "the file \(place)")
    }
    guard ImageName.suffix(of: place) == nil || !FileSystem.exists(place) else {
      throw InputError(
        place, "is an image, not a list of cases",
        expected:
          "a folder or a .csv file; \(CommandLineText.text(["segdeck", "review", place])) opens an image")
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

/// The cases of a folder or worklist file, with the filter and order that were asked for.
struct CaseListing {
  /// The folder or file as it was given.
  let place: String
  let worklist: Worklist
  /// The records of its readers.
  let records: ReviewRecords
  let query: CaseQuery
  let order: CaseOrder?

  /// Sees to it that no file of a case, and no record of a reader, becomes an output.
  /// - Throws: ``InputError`` when one of them is an output already.
  func registerFiles() throws(InputError) {
    for file in worklist.cases.flatMap(\.files) + RecordFolder.files(ofWorklist: place) {
      try ReadFiles.register(file)
    }
  }

  /// Says which labels of the filter and of the order no case has.
  private func noteUnknownLabels(_ rows: [CaseRow]) {
    if let fault = query.unknownLabel(in: rows) { Console.note("--filter: \(fault)") }
    if case .labelMeasure(let measure, let label?)? = order?.column,
      let problem = rows.problem(ofLabel: label, measure)
    {
      Console.note("--sort: \(problem.printableLine)")
    }
  }

  /// The cases that pass the filter, in order, with what readers decided; notes say what could not be used.
  ///
  /// - Parameters:
  ///   - measuring: The work of measuring the masks; nil for cases that are not measured.
  ///   - problem: Receives what is wrong with the masks of a case.
  ///   - read: Receives masks that had to be read, also of cases that the filter leaves out.
  /// - Throws: ``Cancelled``.
  func rows(
    measuring work: WorkContext?, problem: (WorklistCase, String) -> Void,
    read: (CaseRow, [ReadCase.Mask], WorkContext) throws(Cancelled) -> Void = { _, _, _ in }
  ) throws(Cancelled) -> [CaseRow] {
    for note in records.notes { Console.note(note) }
    if let note = records.unlistedNote(worklist) { Console.note(note.printableLine) }
    let pairings = WorklistPairings(records.reviews)
    var rows = worklist.cases.map { item in
      CaseRow(item, review: records.reviews[item.name], pairings: pairings.pairings(of: item))
    }
    if let work { try WorklistMeasuring.measure(&rows, work: work, problem: problem, read: read) }
    noteUnknownLabels(rows)
    rows = rows.filter(query.matches)
    if let order { rows = order.sorted(rows) }
    for note in worklist.notes { Console.note(note) }
    return rows
  }
}
