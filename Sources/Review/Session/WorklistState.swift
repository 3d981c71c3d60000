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
  /// What was not used of the worklist and its records, a line each.
  package let notes: [String]
  /// What the one case opens where there is no worklist.
  private let only: OpenCaseRequest?
  /// Under which name this reviewer's verdicts are kept.
  package let reader: String
  /// What readers decided, by the name of the case.
  package internal(set) var reviews: [String: CaseReview]
  /// The cases that the filter leaves, in the order of the list.
  package internal(set) var order: [CaseID]
  /// What the cases in the list have to fulfil, as it was typed; empty for nothing.
  package internal(set) var filter = ""
  /// What is wrong with the filter that is being typed; the last right one still holds.
  package internal(set) var filterProblem: String?
  /// The list on the screen; nil while a case is there.
  package internal(set) var list: CaseList?
  /// Why verdicts cannot be written now; nil where they can.
  package internal(set) var recordFailure: String?

  /// The cases of a worklist; there is at least one.
  ///
  /// - Parameters:
  ///   - reviews: What readers decided so far, by the name of the case.
  ///   - reader: Under which name this reviewer's verdicts are kept.
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

  /// Which files a case opens.
  package func request(of id: CaseID) -> OpenCaseRequest {
    if let only { return only }
    let entry = cases[id.position]
    var request = OpenCaseRequest(
      imagePath: entry.images[0], maskPaths: entry.masks.map(\.path), selections: selections)
    request.firstVersionNumber = firstVersionNumber
    return request
  }

  /// What readers decided about a case; nil where none opened it.
  package func review(of id: CaseID) -> CaseReview? { reviews[cases[id.position].name] }

  /// What this reviewer decided about a case; nil where the reviewer never opened it.
  func ownDecision(of id: CaseID) -> CaseDecision? { review(of: id)?.decisions[reader] }

  /// The case that this reader had on the screen last; the first one where there is none.
  package var lastOnScreen: CaseID {
    let events = cases.indices.compactMap { position in
      review(of: CaseID(position))?.entries[reader].map { (position, $0.last.sequence) }
    }
    return CaseID(events.max { $0.1 < $1.1 }?.0 ?? 0)
  }

  /// Where a case stands in the list, "3/40"; a case that the filter leaves out stands in none.
  func place(of id: CaseID) -> String {
    order.firstIndex(of: id).map { "\($0 + 1)/\(order.count)" } ?? "-/\(order.count)"
  }

  /// The case that stands `count` behind another in the list; nil beyond its ends.
  ///
  /// From a case that the filter leaves out, the list goes on where that case would stand.
  func neighbour(of id: CaseID, by count: Int) -> CaseID? {
    guard let position = order.firstIndex(of: id) else {
      return count > 0 ? order.first { $0 > id } : order.last { $0 < id }
    }
    let next = position + count
    return order.indices.contains(next) ? order[next] : nil
  }

  /// The next case behind this one that nobody opened yet, from the top again at the end; nil where all were opened.
  func nextUnread(after id: CaseID) -> CaseID? {
    let start = order.firstIndex(of: id).map { $0 + 1 } ?? 0
    return (order[start...] + order[..<start]).first { review(of: $0) == nil && $0 != id }
  }

  /// Whether a case was accepted, rejected or needs work; else whether somebody has it open or opened it.
  func status(of id: CaseID) -> String {
    guard cases[id.position].missingFiles.isEmpty else { return "missing" }
    guard let review = review(of: id) else { return "unread" }
    let decision = review.decision
    return decision?.verdict?.rawValue ?? (decision?.isFlagged == true ? "flagged" : "read")
  }

  /// What makes a case stand out, a sentence each.
  func flags(of id: CaseID) -> [String] { [] }

  /// How far A and B agree; nil where that is not known.
  func dice(of id: CaseID) -> Double? { nil }

  /// The column that the list is sorted by.
  var sortText: String { "name" }

  mutating func sort(by count: Int) {}

  mutating func reverse() {}

  mutating func setFilter(_ text: String) { filter = text }

  /// Filters and sorts again.
  mutating func arrange() {}
}
