/// Readers' decisions about a case, by each reader's last record.
package struct CaseReview: Equatable, Sendable {
  /// The place of a record among all: by sequence, then time, then file name.
  package struct Order: Comparable, Equatable, Sendable {
    private let sequence: Int
    private let time, file: String
    private let line: Int

    /// The place of a record that is the `line`th of the file with this name.
    package init(_ event: CaseRecord, file: String, line: Int) {
      (sequence, time) = (event.sequence, event.time)
      (self.file, self.line) = (file, line)
    }

    /// Whether the first is the earlier one.
    package static func < (one: Order, other: Order) -> Bool {
      (one.sequence, one.time, one.file, one.line) < (other.sequence, other.time, other.file, other.line)
    }
  }

  /// The records of one reader.
  package struct Entry: Equatable, Sendable {
    /// The reader's last record about the case, with the whole decision.
    package fileprivate(set) var last: CaseRecord
    fileprivate var order: Order
    /// The place of the last record that decided something; nil where the reader only opened the case.
    fileprivate var decisionOrder: Order?
  }

  /// The records by reader.
  package private(set) var entries: [String: Entry] = [:]

  /// The readers who opened the case or decided about it, in alphabetical order.
  package var readers: [String] { entries.keys.sorted() }

  /// Each reader's present decision.
  package var decisions: [String: CaseDecision] { entries.mapValues(\.last.decision) }

  /// The readers who have the case open now, as far as their records say.
  package var openBy: [String] { readers.filter { entries[$0]?.last.kind == .opened } }

  /// The decision that counts for the case: the one that was taken last, of those that are not withdrawn; nil where no
  /// reader has decided.
  package var decision: CaseDecision? { deciding?.last.decision }

  /// The last record of the reader whose decision counts.
  package var decidingEvent: CaseRecord? { deciding?.last }

  private var deciding: Entry? {
    entries.values.filter { $0.decisionOrder != nil && $0.last.decision.isDecided }
      .max { $0.decisionOrder! < $1.decisionOrder! }
  }

  /// Whether two readers gave different verdicts.
  package var isDisputed: Bool { Set(entries.values.compactMap(\.last.decision.verdict)).count > 1 }

  /// The time that all readers spent, in seconds.
  package var seconds: Double { entries.values.reduce(0) { $0 + $1.last.decision.seconds } }

  package init() {}

  /// Takes a record into account, in whatever order records come.
  package mutating func add(_ event: CaseRecord, order: Order) {
    guard var entry = entries[event.reader] else {
      entries[event.reader] = Entry(
        last: event, order: order, decisionOrder: event.kind == .decided ? order : nil)
      return
    }
    if entry.order < order { (entry.last, entry.order) = (event, order) }
    if event.kind == .decided, entry.decisionOrder.map({ $0 < order }) ?? true { entry.decisionOrder = order }
    entries[event.reader] = entry
  }
}
