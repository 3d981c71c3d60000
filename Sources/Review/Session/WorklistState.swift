import Volumes
import Worklist

/// The cases of a session, what all readers decided about them, and the order in which the reviewer goes through them.
package struct WorklistState: Equatable, Sendable {
  /// Every case, by ``CaseID``.
  package let cases: [WorklistCase]
  /// Names of further columns of the worklist's table.
  package let columns: [String]
  /// Names of labels that were given for all masks.
  package let selections: [LabelSelection]
  /// The number of the first version that a case gets in this session.
  let firstVersionNumber: Int
  /// Unused files and lines of the worklist and its records, a line each.
  package let notes: [String]
  /// The files of the one case where there is no worklist.
  private let only: OpenCaseRequest?
  /// The name under which this reviewer's verdicts are kept.
  package let reader: String
  /// Readers' decisions, by the name of the case.
  package internal(set) var reviews: [String: CaseReview]
  /// The cases that the filter leaves, in the order of the list.
  package internal(set) var order: [CaseID]
  /// The condition that the cases in the list fulfil, as it was typed; empty for none.
  package internal(set) var filter = ""
  /// The error in the filter that is being typed; the last valid one still holds.
  package internal(set) var filterProblem: String?
  private var query = CaseQuery()
  /// The position of the column that the list is sorted by; nil for the worklist's own order.
  private var sortColumn: Int?
  private var isDescending = false
  /// Measures of the masks of cases.
  package internal(set) var measures: [CaseID: CaseMeasures] = [:]
  /// Measures of cases that are outliers in the cohort.
  package internal(set) var flags: [CaseID: [CohortFlag]] = [:]
  /// The list on the screen; nil while a case is there.
  package internal(set) var list: CaseList?
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
    only = nil
    order = cases.indices.map { CaseID($0) }
  }

  /// One case, whose verdicts only its journal keeps.
  package init(_ request: OpenCaseRequest) {
    cases = [WorklistCase(name: "", images: [request.imagePath ?? ""])]
    columns = []
    (reviews, reader) = ([:], "")
    (selections, firstVersionNumber) = ([], request.firstVersionNumber)
    notes = []
    only = request
    order = [CaseID(0)]
  }

  /// Whether there is no worklist: one case is reviewed by itself.
  package var isAbsent: Bool { only != nil }

  /// The files that a case opens.
  package func request(of id: CaseID) -> OpenCaseRequest {
    if let only { return only }
    let entry = cases[id.position]
    var request = OpenCaseRequest(
      imagePath: entry.images[0], maskPaths: entry.masks.map(\.path), selections: selections)
    request.firstVersionNumber = firstVersionNumber
    return request
  }

  /// Readers' decisions about a case; nil where none opened it.
  package func review(of id: CaseID) -> CaseReview? { reviews[cases[id.position].name] }

  /// This reviewer's decision about a case; nil where the reviewer never opened it.
  func ownDecision(of id: CaseID) -> CaseDecision? { review(of: id)?.decisions[reader] }

  /// The case that this reader had on the screen last; the first one where there is none.
  package var lastOnScreen: CaseID {
    let events = cases.indices.compactMap { position in
      review(of: CaseID(position))?.entries[reader].map { (position, $0.last.sequence) }
    }
    return CaseID(events.max { $0.1 < $1.1 }?.0 ?? 0)
  }

  /// The position of a case in the list, "3/40"; "-/40" for a case that the filter leaves out.
  func place(of id: CaseID) -> String {
    order.firstIndex(of: id).map { "\($0 + 1)/\(order.count)" } ?? "-/\(order.count)"
  }

  /// The case that stands `count` after another in the list; nil beyond its ends.
  ///
  /// From a case that the filter leaves out, the list goes on where that case would stand.
  func neighbour(of id: CaseID, by count: Int) -> CaseID? {
    guard let position = order.firstIndex(of: id) else {
      return count > 0 ? order.first { $0 > id } : order.last { $0 < id }
    }
    let next = position + count
    return order.indices.contains(next) ? order[next] : nil
  }

  /// The next case after this one that no reader opened yet, from the top again at the end; nil where all were opened.
  func nextUnread(after id: CaseID) -> CaseID? {
    let start = order.firstIndex(of: id).map { $0 + 1 } ?? 0
    return (order[start...] + order[..<start]).first { review(of: $0) == nil && $0 != id }
  }

  /// All that is known of a case.
  package func row(_ id: CaseID) -> CaseRow {
    CaseRow(
      cases[id.position], review: review(of: id), measures: measures[id], flags: flags[id] ?? [])
  }

  /// Takes what was measured of cases, and compares all cases again.
  mutating func take(_ measures: [CaseID: CaseMeasures]) {
    self.measures.merge(measures) { $1 }
    let found = CohortFlags.flags(of: cases.indices.map { self.measures[CaseID($0)] })
    flags = Dictionary(uniqueKeysWithValues: found.enumerated().map { (CaseID($0.offset), $0.element) })
    arrange()
  }

  // MARK: Filter and order

  /// The columns that the list can be sorted by, in the order in which a key goes through them.
  private static let sortColumns: [(name: String, column: CaseColumn)] = [
    ("name", .name), ("verdict", .status), ("score", .score), ("Dice", .labelMeasure(.dice, label: nil)),
    ("flags", .flagCount), ("time spent", .seconds),
  ]

  /// The order of the list, "Dice, ascending".
  var sortText: String {
    let name = sortColumn.map { WorklistState.sortColumns[$0].name } ?? "the worklist's order"
    return name + (isDescending ? ", descending" : "")
  }

  /// Sorts by another column; before the first one stands the worklist's own order.
  mutating func sort(by count: Int) {
    let columns = WorklistState.sortColumns.count + 1
    let next = ((sortColumn.map { $0 + 1 } ?? 0) + count + columns) % columns
    sortColumn = next == 0 ? nil : next - 1
    arrange()
  }

  /// Sorts the other way round.
  mutating func reverse() {
    isDescending.toggle()
    arrange()
  }

  /// Sets the filter; where it is none, the last right one still holds.
  ///
  /// - Parameter isBeingTyped: Whether more may follow. `dic` on the way to `dice<0.8` does not empty the list.
  mutating func setFilter(_ text: String, isBeingTyped: Bool = false) {
    do {
      let typed = try CaseQuery(text, columns: columns)
      filterProblem = nil
      guard !isBeingTyped || !CaseQuery.endsWithinWord(text, columns: columns) || isPassed(typed) else {
        return
      }
      query = typed
      filter = text
      arrange()
    } catch {
      filterProblem = error.description
    }
  }

  /// Whether any case passes a filter.
  private func isPassed(_ query: CaseQuery) -> Bool {
    cases.indices.contains { query.matches(row(CaseID($0))) }
  }

  /// Filters and sorts again.
  /// - Complexity: O(n log n) in cases.
  mutating func arrange() {
    let rows = cases.indices.map { (id: CaseID($0), row: row(CaseID($0))) }.filter { query.matches($0.row) }
    guard let sortColumn else {
      order = isDescending ? rows.reversed().map(\.id) : rows.map(\.id)
      return
    }
    let column = WorklistState.sortColumns[sortColumn].column
    let positions = Dictionary(
      cases.indices.map { (cases[$0].name, $0) }, uniquingKeysWith: { first, _ in first })
    order = CaseOrder(column, isDescending: isDescending).sorted(rows.map(\.row)).compactMap {
      positions[$0.item.name].map { CaseID($0) }
    }
  }
}
