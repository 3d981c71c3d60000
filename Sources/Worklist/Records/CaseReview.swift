/// The decisions of all readers about a case.
///
/// For each reader, the decision that was recorded last counts. A process that has a case open without knowing of a
/// later decision in another process does not withdraw it by leaving the case.
package struct CaseReview: Equatable, Sendable {
  /// The position of a record in the order of all records: by sequence number, then time, then file name.
  package struct Order: Comparable, Equatable, Sendable {
    private let sequence: Int
    private let time: String
    fileprivate let file: String
    private let line: Int

    /// The position of line `line` of the file with this name.
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
    /// The last record of one file, and its position.
    private struct FileEnd: Equatable, Sendable {
      var last: CaseRecord
      var order: Order
      /// The last record of a decision; nil where the reader only opened the case.
      var decided: OrderedRecord?
    }

    /// A record and its position.
    private struct OrderedRecord: Equatable, Sendable {
      var record: CaseRecord
      var order: Order
    }

    private var ends: [String: FileEnd] = [:]
    /// The reader's last record about the case, with the decision that counts and the time spent.
    package private(set) var last: CaseRecord
    /// The last record of a decision, with the decision that counts; ``last`` where nothing was decided.
    package private(set) var decided: CaseRecord
    /// The position of the last record with a decision; nil where the reader only opened the case.
    fileprivate private(set) var decisionOrder: Order?
    /// The file with the decision that counts; nil where nothing was decided.
    package var decidingFile: String? { decisionOrder?.file }

    fileprivate init(_ event: CaseRecord, order: Order) {
      (last, decided) = (event, event)
      add(event, order: order)
    }

    fileprivate mutating func add(_ event: CaseRecord, order: Order) {
      var end = ends[order.file] ?? FileEnd(last: event, order: order)
      if end.order < order { (end.last, end.order) = (event, order) }
      if event.kind == .decided, end.decided.map({ $0.order < order }) ?? true {
        end.decided = OrderedRecord(record: event, order: order)
      }
      ends[order.file] = end
      let newest = ends.values.max { $0.order < $1.order } ?? end
      let deciding = ends.values.filter { $0.decided != nil }.max { $0.decided!.order < $1.decided!.order }
      decisionOrder = deciding?.decided?.order
      last = newest.last
      last.decision = (deciding ?? newest).last.decision
      last.decision.seconds = ends.values.reduce(0) { max($0, $1.last.decision.seconds) }
      decided = deciding?.decided?.record ?? last
      decided.decision = last.decision
    }
  }

  /// The records by reader.
  package private(set) var entries: [String: Entry] = [:]

  /// The readers who opened the case or decided about it, in alphabetical order.
  package var readers: [String] { entries.keys.sorted() }

  /// Each reader's current decision.
  package var decisions: [String: CaseDecision] { entries.mapValues(\.last.decision) }

  /// The readers who have the case open now, according to their records.
  package var openBy: [String] { readers.filter { entries[$0]?.last.kind == .opened } }

  /// The decision that counts for the case; nil where no reader gave a verdict, a flag or a score.
  ///
  /// Verdict, version, comment and tags are those of the reader who gave a verdict last; where none did, of the reader
  /// who flagged or scored last. The case is flagged where any reader flags it, and where that reader did not
  /// score, it has the last score that was given without a verdict. Withdrawn verdicts, flags and scores do not count.
  package var decision: CaseDecision? {
    guard var decision = deciding?.last.decision else { return nil }
    decision.isFlagged = entries.values.contains { $0.last.decision.isFlagged }
    decision.score = decision.score ?? latest { $0.score != nil && !$0.isDecided }?.last.decision.score
    return decision
  }

  /// The record of the verdict that counts or, without a verdict, of the last flag or score.
  package var decidingEvent: CaseRecord? { deciding?.decided }

  private var deciding: Entry? { latest(where: \.isDecided) ?? latest(where: \.isAssessed) }

  /// The reader who decided last, of those whose present decision fulfils a condition; nil for none.
  private func latest(where isWanted: (CaseDecision) -> Bool) -> Entry? {
    entries.values.filter { $0.decisionOrder != nil && isWanted($0.last.decision) }
      .max { $0.decisionOrder! < $1.decisionOrder! }
  }

  /// Whether two readers gave different verdicts.
  package var isDisputed: Bool { Set(entries.values.compactMap(\.last.decision.verdict)).count > 1 }

  /// The time that all readers spent, in seconds.
  package var seconds: Double { entries.values.reduce(0) { $0 + $1.last.decision.seconds } }

  package init() {}

  /// Adds a record; the order of records does not matter.
  package mutating func add(_ event: CaseRecord, order: Order) {
    if entries[event.reader] == nil {
      entries[event.reader] = Entry(event, order: order)
    } else {
      entries[event.reader]?.add(event, order: order)
    }
  }
}
