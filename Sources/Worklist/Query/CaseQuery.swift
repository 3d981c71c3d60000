import Work

/// A filter of cases, as a person types it: `dice<0.8 and unread`.
///
/// - Words: `unread`, `opened`, `decided`, `accepted`, `rejected`, `needswork`, `flagged`, `missing`, `disputed`,
///   `outlier`, `commented`.
/// - Comparisons: `COLUMN<VALUE` with `<`, `<=`, `>`, `>=`, `=`, `!=` and `~` (contains). Numbers are compared as
///   numbers, texts regardless of letter case, `<` and `>` of texts in natural order. A case without a value passes
///   `!=` alone. A measure of one label names it in parentheses, in quotes where it begins with one or has single
///   parentheses: `volume(left kidney)>100`, `volume("Kidney (left")>100`.
/// - Any other word, and any text in quotes, is searched for in names, comments, tags and further columns.
/// - `and`, `or`, `not` (or `!`) and parentheses; two terms beside each other both have to hold.
package struct CaseQuery: Equatable, Sendable {
  /// An error in the text of a query, with its position.
  package struct Fault: Error, Equatable, Sendable, CustomStringConvertible {
    /// The character, counted from 1.
    package var column: Int
    /// The error there.
    package var problem: String

    /// "at 6: no column foo".
    package var description: String { "at \(column): \(problem)".printableLine }
  }

  /// A word for a state of a case.
  enum State: String, CaseIterable {
    case unread, opened, unopened, decided, accepted, rejected, needswork, flagged, missing, disputed,
      outlier,
      commented
  }

  enum Comparison: String {
    case less = "<", atMost = "<=", more = ">", atLeast = ">=", equal = "=", unequal = "!=", contains = "~"
  }

  indirect enum Term: Equatable, Sendable {
    case all([Term])
    case any([Term])
    case not(Term)
    case state(State)
    case comparison(CaseColumn, Comparison, String)
    /// A text in lower case.
    case text(String)
  }

  /// A label that a filter names, and its measure.
  struct NamedLabel: Equatable, Sendable {
    var measure: CaseColumn.LabelMeasure
    var label: String
    /// The character at which its term begins, from 1.
    var column: Int
  }

  private let term: Term
  private let labels: [NamedLabel]

  /// The filter that every case passes.
  package init() { (term, labels) = (.all([]), []) }

  /// Reads a filter; an empty text is passed by every case.
  /// - Parameter columns: The further columns of the worklist.
  /// - Throws: ``Fault``.
  /// - Complexity: O(characters).
  package init(_ text: String, columns: [String] = []) throws(Fault) {
    var parser = try QueryParser(text, columns: columns)
    term = try parser.query()
    labels = parser.labels
  }

  /// The first label of the filter that no case has; nil where all are known, or nothing was measured yet.
  ///
  /// Such a filter applies all the same: a case may get the label later.
  /// - Complexity: O(labels of all cases), for each label of the filter.
  package func unknownLabel(in rows: [CaseRow]) -> Fault? {
    for named in labels {
      guard let problem = rows.problem(ofLabel: named.label, named.measure) else { continue }
      return Fault(column: named.column, problem: problem)
    }
    return nil
  }

  /// Whether a filter ends within a word of the language that is not whole yet, such as `unre` or `score>2 and dic`.
  /// - Parameter columns: The further columns of the worklist.
  package static func endsWithinWord(_ text: String, columns: [String] = []) -> Bool {
    guard let word = QueryParser.lastWord(text)?.lowercased() else { return false }
    let words = State.allCases.map(\.rawValue) + CaseColumn.names(columns: columns) + QueryParser.operators
    return words.contains { $0.lowercased().hasPrefix(word) && $0.lowercased() != word }
  }

  /// Whether measures of the masks decide which cases pass the filter.
  package var needsMeasures: Bool { Self.needsMeasures(term) }

  private static func needsMeasures(_ term: Term) -> Bool {
    switch term {
    case .all(let terms), .any(let terms): terms.contains(where: needsMeasures)
    case .not(let term): needsMeasures(term)
    case .state(let state): state == .outlier
    case .comparison(let column, _, _): column.needsMeasures
    case .text: false
    }
  }

  /// Whether a case passes the filter.
  package func matches(_ row: CaseRow) -> Bool { Self.holds(term, row) }

  private static func holds(_ term: Term, _ row: CaseRow) -> Bool {
    switch term {
    case .all(let terms): terms.allSatisfy { holds($0, row) }
    case .any(let terms): terms.contains { holds($0, row) }
    case .not(let term): !holds(term, row)
    case .state(let state): holds(state, row)
    case .comparison(let column, let comparison, let text): holds(row.value(of: column), comparison, text)
    case .text(let text): text.isEmpty || texts(row).contains { $0.lowercased().contains(text) }
    }
  }

  /// The texts that words are searched in.
  private static func texts(_ row: CaseRow) -> [String] {
    [row.item.name] + row.comments + row.tags + row.item.values.values
  }

  private static func holds(_ state: State, _ row: CaseRow) -> Bool {
    let decision = row.decision
    return switch state {
    case .unread: row.isUnread
    case .opened: !row.isUnread
    case .unopened: row.review == nil
    case .decided: decision?.isDecided == true
    case .accepted: decision?.verdict == .accepted
    case .rejected: decision?.verdict == .rejected
    case .needswork: decision?.verdict == .needsWork
    case .flagged: decision?.isFlagged == true
    case .missing: !row.item.missingFiles.isEmpty
    case .disputed: row.review?.isDisputed == true
    case .outlier: !row.flags.isEmpty
    case .commented: !row.comments.isEmpty
    }
  }

  private static func holds(_ value: CaseValue, _ comparison: Comparison, _ text: String) -> Bool {
    switch value {
    case .missing: return comparison == .unequal
    case .number(let number):
      guard let other = Double(text) else {
        return comparison == .unequal || comparison == .contains && "\(number)".contains(text)
      }
      return holds(number, comparison, other)
    case .list(let texts):
      if comparison == .unequal { return texts.allSatisfy { holds($0, .unequal, text) } }
      return texts.contains { holds($0, comparison, text) }
    case .text(let own): return holds(own, comparison, text)
    }
  }

  /// Both as numbers where both are.
  private static func holds(_ text: String, _ comparison: Comparison, _ other: String) -> Bool {
    if comparison != .contains, let one = Double(text), let two = Double(other) {
      return holds(one, comparison, two)
    }
    let (one, two) = (text.lowercased(), other.lowercased())
    return switch comparison {
    case .equal: one == two
    case .unequal: one != two
    case .contains: one.contains(two)
    case .less: NaturalOrder(one) < NaturalOrder(two)
    case .atMost: NaturalOrder(one) <= NaturalOrder(two)
    case .more: NaturalOrder(one) > NaturalOrder(two)
    case .atLeast: NaturalOrder(one) >= NaturalOrder(two)
    }
  }

  private static func holds(_ one: Double, _ comparison: Comparison, _ two: Double) -> Bool {
    switch comparison {
    case .less: one < two
    case .atMost: one <= two
    case .more: one > two
    case .atLeast: one >= two
    case .equal, .contains: one == two
    case .unequal: one != two
    }
  }
}
