import Volumes
import Work
import Worklist

/// The cases of a session, what all readers decided about them, and the order in which the reviewer goes through them.
package struct WorklistState: Equatable, Sendable {
  /// Every case, by ``CaseID``.
  package internal(set) var cases: [WorklistCase]
  /// Names of further columns of the worklist's table.
  package let columns: [String]
  /// Names of labels that were given for all masks.
  package let selections: [LabelSelection]
  /// The number of the first version of the next case that is opened.
  private var firstVersionNumber: Int
  /// Unused files and lines of the worklist and its records, a line each.
  package let notes: [String]
  /// The files of the only case where there is no worklist; nil where there is one.
  private let singleCase: OpenCaseRequest?
  /// The name under which this reviewer's verdicts are kept.
  package let reader: String
  /// The reasons why cases could not be opened in this session.
  var failures: [CaseID: String] = [:]
  /// Readers' decisions, by the name of the case.
  package internal(set) var reviews: [String: CaseReview]
  /// This reader's decisions that could not be written to the records yet, by the name of the case.
  private(set) var unwritten: [String: CaseDecision] = [:]
  /// The cases that match the filter, in the order of the list.
  package internal(set) var order: [CaseID]
  /// All cases in the order of the list.
  private var arrangement: [CaseID]
  /// The condition that the cases in the list fulfil, as it was typed; empty for none.
  package internal(set) var filter = ""
  /// The error in the filter that is being typed, or the label in the present one that no case has; nil for neither.
  package var filterProblem: String? { textProblem ?? labelProblem }
  /// The error in the filter that is being typed; the last valid filter still applies.
  private var textProblem: String?
  /// The label in the present filter that no case has.
  private var labelProblem: String?
  private var query = CaseQuery()
  /// The position of the column that the list is sorted by; nil for the worklist's own order.
  private var sortColumn: Int?
  private var isDescending = false
  /// The tags that any reader gave any case, in alphabetical order.
  package private(set) var knownTags: [String] = []
  /// Measures of the masks of cases.
  package internal(set) var measures: [CaseID: CaseMeasures] = [:]
  /// The cases whose masks are still to be measured in the background.
  var unmeasured: Set<CaseID> = []
  /// How uncertain networks were about the labels of cases.
  package internal(set) var uncertainties: [CaseID: [LabelUncertainty]] = [:]
  /// Measures of cases that are outliers in the cohort.
  package internal(set) var flags: [CaseID: [CohortFlag]] = [:]
  /// Those of them that are about networks.
  var uncertaintyFlags: [CaseID: [CohortFlag]] = [:]
  /// The list on the screen; nil while a case is there.
  package var list: CaseList?
  /// The reason why verdicts cannot be written now; nil where they can.
  package internal(set) var recordFailure: String?

  /// The cases of a worklist; there is at least one.
  ///
  /// - Parameters:
  ///   - reviews: What readers decided so far, by the name of the case.
  ///   - reader: The name under which this reviewer's verdicts are kept.
  ///   - selections: Names of labels of all masks.
  ///   - firstVersionNumber: The number of the first version that a case gets in this session.
  ///   - notes: What was not used, a line each.
  package init(
    _ worklist: Worklist, reviews: [String: CaseReview] = [:], reader: String,
    selections: [LabelSelection] = [], firstVersionNumber: Int = 1, notes: [String] = []
  ) {
    precondition(!worklist.cases.isEmpty, "a session has a case")
    cases = worklist.cases
    columns = worklist.columns
    self.reviews = reviews
    self.reader = reader
    self.selections = selections
    self.firstVersionNumber = firstVersionNumber
    self.notes = notes
    singleCase = nil
    order = cases.indices.map { CaseID($0) }
    arrangement = order
    collectTags()
  }

  /// One case, whose verdicts only its journal keeps.
  package init(_ request: OpenCaseRequest) {
    cases = [WorklistCase(name: "", images: [request.imagePath ?? ""])]
    columns = []
    (reviews, reader) = ([:], "")
    (selections, firstVersionNumber) = ([], request.firstVersionNumber)
    notes = []
    singleCase = request
    (order, arrangement) = ([CaseID(0)], [CaseID(0)])
  }

  /// Adds readers' decisions about cases, by name, and arranges the list again.
  mutating func update(_ changed: [String: CaseReview]) {
    reviews.merge(changed) { $1 }
    collectTags()
    arrange()
  }

  private mutating func collectTags() {
    knownTags = Set(reviews.values.flatMap { $0.decisions.values.flatMap(\.tags) }).sorted()
  }

  /// Keeps a number from being given again that a version of a closed case had.
  ///
  /// The journal of a case that is opened again has versions with the numbers that they got before.
  mutating func retireNumbers(of state: ReviewState) {
    firstVersionNumber = max(firstVersionNumber, state.nextVersionNumber)
  }

  /// Whether there is no worklist: one case is reviewed by itself.
  package var isAbsent: Bool { singleCase != nil }

  /// The files that a case opens.
  package func request(of id: CaseID) -> OpenCaseRequest {
    if var request = singleCase, id == CaseID(0) {
      request.firstVersionNumber = firstVersionNumber
      return request
    }
    let entry = cases[id.position]
    var request = OpenCaseRequest(
      imagePath: entry.images[0], maskPaths: entry.masks.map(\.path), selections: selections)
    request.firstVersionNumber = firstVersionNumber
    request.imageSeries = entry.series
    for mask in entry.masks {
      let part = MaskPart(segment: entry.segment(of: mask), layer: entry.layer(of: mask))
      if part != MaskPart() { request.maskParts[mask.path] = part }
    }
    request.maskNames = entry.versionNames
    request.worklistMaskNames = Dictionary(
      entry.masks.map { ($0.path, $0.name) }, uniquingKeysWith: { first, _ in first })
    request.probabilitiesPath = entry.probabilities.first
    return request
  }

  /// Readers' decisions about a case, those of this reader that could not be written yet included; nil where none opened it.
  package func review(of id: CaseID) -> CaseReview? {
    let item = cases[id.position]
    guard let decision = unwritten[item.name] else { return reviews[item.name] }
    var review = reviews[item.name] ?? CaseReview()
    let record = CaseRecord(
      sequence: .max, time: "", reader: reader, host: "", caseName: item.name, image: item.images[0],
      kind: .decided, decision: decision)
    review.add(record, order: CaseReview.Order(record, file: "", line: 0))
    return review
  }

  /// Sets this reader's decisions that could not be written, and arranges the list again where they are others.
  mutating func setUnwritten(_ decisions: [String: CaseDecision]) {
    guard decisions != unwritten else { return }
    unwritten = decisions
    arrange()
  }

  /// This reviewer's decision about a case; nil where the reviewer never opened it.
  func ownDecision(of id: CaseID) -> CaseDecision? { review(of: id)?.decisions[reader] }

  /// The case that this reader opened last; the first case where the reader opened none.
  package var lastOnScreen: CaseID {
    let events = cases.indices.compactMap { position in
      review(of: CaseID(position))?.entries[reader].map { (position, $0.last.sequence) }
    }
    return CaseID(events.max { $0.1 < $1.1 }?.0 ?? 0)
  }

  /// The position of a case in the list: "3/40", with a filter "3/12 of 40"; "12 others of 40" for a case that the filter
  /// leaves out, as `unread` does with the one that is being read.
  func listPosition(of id: CaseID) -> String {
    let position =
      order.firstIndex(of: id).map { "\($0 + 1)/\(order.count)" } ?? counted(order.count, "other")
    return position + (filter.isEmpty ? "" : " of \(cases.count)")
  }

  /// The case `count` rows after another in the list; nil beyond the ends of the list.
  ///
  /// A case that the filter excludes counts at the position that it would have.
  func neighbour(of id: CaseID, by count: Int) -> CaseID? {
    // Without a worklist, one image replaces another, and there is no list.
    guard !isAbsent else { return nil }
    let next: Int
    if let position = order.firstIndex(of: id) {
      next = position + count
    } else {
      let listed = Set(order)
      let position = arrangement.prefix { $0 != id }.count { listed.contains($0) }
      // The case after one that is not listed has its position.
      next = position + count - (count > 0 ? 1 : 0)
    }
    return order.indices.contains(next) ? order[next] : nil
  }

  /// The next case after this one that this reader has not opened yet, from the top again at the end; nil where all
  /// were opened.
  func nextUnread(after id: CaseID) -> CaseID? {
    let start = order.firstIndex(of: id).map { $0 + 1 } ?? 0
    return (order[start...] + order[..<start]).first {
      row($0).isUnread && failures[$0] == nil && $0 != id
    }
  }

  /// Everything that is known about a case.
  package func row(_ id: CaseID) -> CaseRow {
    CaseRow(
      cases[id.position], review: review(of: id), measures: measures[id],
      uncertainties: (uncertainties[id] ?? []).named(by: measures[id]), flags: flags[id] ?? [],
      reader: reader, failure: failures[id])
  }

  /// Stores measures of cases, and looks for outliers among all cases again.
  mutating func update(_ measures: [CaseID: CaseMeasures]) {
    self.measures.merge(measures) { $1 }
    compareCases()
  }

  /// Stores how uncertain networks were, in place of what was known of the same networks, and compares all cases again.
  mutating func update(_ uncertainties: [CaseID: [LabelUncertainty]]) {
    self.uncertainties.merge(uncertainties) { $0.merged(with: $1) }
    compareCases()
  }

  /// Whether these uncertainties of a case are stored.
  func holds(_ uncertainties: [LabelUncertainty], of id: CaseID) -> Bool {
    uncertainties.allSatisfy { (self.uncertainties[id] ?? []).contains($0) }
  }

  /// Finds what is unusual in every case.
  private mutating func compareCases() {
    let ids = cases.indices.map { CaseID($0) }
    let ofMasks = CohortFlags.flags(of: ids.map { measures[$0] })
    let ofNetworks = CohortFlags.flags(of: ids.map { (uncertainties[$0] ?? []).named(by: measures[$0]) })
    flags = Dictionary(uniqueKeysWithValues: zip(ids, zip(ofMasks, ofNetworks).map { $0 + $1 }))
    uncertaintyFlags = Dictionary(uniqueKeysWithValues: zip(ids, ofNetworks))
    arrange()
  }

  // MARK: Filter and order

  /// The columns that the list can be sorted by, in the order in which a key goes through them.
  private static let sortColumns: [(name: String, title: String, column: CaseColumn)] = [
    ("name", "case", .name), ("verdict", "verdict", .status), ("score", "score", .score),
    ("Dice", "Dice", .labelMeasure(.dice, label: nil)), ("flags", "flags", .flagCount),
    ("time spent", "", .seconds),
  ]

  /// The position of the column that has a title in the list; nil where the list is not sorted by it.
  static func sortPosition(ofTitle title: String) -> Int? { sortColumns.firstIndex { $0.title == title } }

  /// Sorts by the column at a position; by the same one once more in the reverse order.
  mutating func sort(byColumn position: Int) {
    if sortColumn == position {
      isDescending.toggle()
    } else {
      (sortColumn, isDescending) = (position, false)
    }
    arrange()
  }

  /// Whether the list has another order than the worklist's own.
  var isSorted: Bool { sortColumn != nil || isDescending }

  /// The order of the list, "Dice, descending".
  var sortText: String {
    let name = sortColumn.map { WorklistState.sortColumns[$0].name } ?? "the worklist's order"
    return name + (isDescending ? ", descending" : "")
  }

  /// The filter and the order, which is the same text for the same arrangement.
  var arrangementText: String { "\(sortText) \(filter)" }

  /// Sorts by another column; the worklist's own order comes before the first column.
  mutating func sort(by count: Int) {
    let columns = WorklistState.sortColumns.count + 1
    let next = ((sortColumn.map { $0 + 1 } ?? 0) + count + columns) % columns
    sortColumn = next == 0 ? nil : next - 1
    arrange()
  }

  /// Reverses the order of the list.
  mutating func reverse() {
    isDescending.toggle()
    arrange()
  }

  /// Sets the filter; where the text is not valid, the last valid filter still applies.
  ///
  /// A filter with a label that no case has applies, with a problem: the label may be found while cases are measured.
  ///
  /// - Parameter isBeingTyped: Whether more may follow. `dic` on the way to `dice<0.8` does not empty the list.
  mutating func setFilter(_ text: String, isBeingTyped: Bool = false) {
    do {
      let typed = try CaseQuery(text, columns: columns)
      textProblem = nil
      guard !isBeingTyped || !CaseQuery.endsWithinWord(text, columns: columns) || hasMatch(typed) else {
        return
      }
      query = typed
      filter = text
      arrange()
    } catch {
      textProblem = error.description
    }
  }

  /// Whether any case matches a filter.
  private func hasMatch(_ query: CaseQuery) -> Bool {
    cases.indices.contains { query.matches(row(CaseID($0))) }
  }

  /// Filters and sorts again.
  /// - Complexity: O(n log n) in cases.
  mutating func arrange() {
    let all = cases.indices.map { (id: CaseID($0), row: row(CaseID($0))) }
    labelProblem = query.unknownLabel(in: all.map(\.row))?.description
    arrangement = sorted(all)
    let matching = Set(all.filter { query.matches($0.row) }.map(\.id))
    order = arrangement.filter { matching.contains($0) }
  }

  /// Cases, which ascend by their positions in the worklist, in the order of the list.
  private func sorted(_ rows: [(id: CaseID, row: CaseRow)]) -> [CaseID] {
    guard let sortColumn else { return isDescending ? rows.reversed().map(\.id) : rows.map(\.id) }
    let column = WorklistState.sortColumns[sortColumn].column
    let ids = Dictionary(rows.map { ($0.row.item.name, $0.id) }, uniquingKeysWith: { first, _ in first })
    return CaseOrder(column, isDescending: isDescending).sorted(rows.map(\.row)).compactMap {
      ids[$0.item.name]
    }
  }
}
