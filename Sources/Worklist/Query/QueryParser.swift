/// Reads filters: terms joined by `and` and `or`, by recursive descent over words.
struct QueryParser {
  private enum Token: Equatable {
    case open, close
    case comparison(CaseQuery.Comparison)
    case word(String)
    case quoted(String)
  }

  private struct PlacedToken {
    var token: Token
    /// The character it begins at, from 1.
    var column: Int
  }

  /// Words that join terms.
  static let operators = ["and", "or", "not"]

  /// Characters that texts stand in; within a text, its own quote is written twice.
  static let quotes: Set<Character> = ["\"", "'"]

  /// The maximum depth of nested parentheses.
  private static let maximumDepth = 50

  private let tokens: [PlacedToken]
  private let endColumn: Int
  private let columns: [String]
  private var position = 0
  private var depth = 0
  /// The labels that were read so far.
  private(set) var labels: [CaseQuery.NamedLabel] = []

  init(_ text: String, columns: [String]) throws(CaseQuery.Fault) {
    self.columns = columns
    let characters = Array(text)
    tokens = try Self.tokens(characters)
    endColumn = characters.count + 1
  }

  /// The word at the end of a text that begins a term; nil where the text ends with anything else, or is not valid.
  static func lastWord(_ text: String) -> String? {
    guard text.last?.isWhitespace == false, let tokens = try? tokens(Array(text)),
      case .word(let word)? = tokens.last?.token
    else { return nil }
    if case .comparison? = tokens.dropLast().last?.token { return nil }
    return word
  }

  /// The whole text as a term.
  mutating func query() throws(CaseQuery.Fault) -> CaseQuery.Term {
    guard !tokens.isEmpty else { return .all([]) }
    let term = try disjunction()
    if let rest = next { throw fault(rest.column, "a parenthesis closes that none opens") }
    return term
  }

  // MARK: Grammar

  private var next: PlacedToken? { position < tokens.count ? tokens[position] : nil }

  private func isNext(_ word: String) -> Bool {
    if case .word(let text)? = next?.token { text.lowercased() == word } else { false }
  }

  private mutating func disjunction() throws(CaseQuery.Fault) -> CaseQuery.Term {
    var terms = [try conjunction()]
    while isNext("or") {
      position += 1
      terms.append(try conjunction())
    }
    return terms.count == 1 ? terms[0] : .any(terms)
  }

  private mutating func conjunction() throws(CaseQuery.Fault) -> CaseQuery.Term {
    var terms = [try negation()]
    while let token = next?.token, token != .close, !isNext("or") {
      if isNext("and") { position += 1 }
      terms.append(try negation())
    }
    return terms.count == 1 ? terms[0] : .all(terms)
  }

  private mutating func negation() throws(CaseQuery.Fault) -> CaseQuery.Term {
    var isNegated = false
    while isNext("not") {
      isNegated.toggle()
      position += 1
    }
    let term = try primary()
    return isNegated ? .not(term) : term
  }

  private mutating func primary() throws(CaseQuery.Fault) -> CaseQuery.Term {
    guard let token = next else { throw fault(endColumn, "a term is missing") }
    position += 1
    switch token.token {
    case .open:
      depth += 1
      guard depth <= Self.maximumDepth else { throw fault(token.column, "too many parentheses") }
      let term = try disjunction()
      guard next?.token == .close else { throw fault(token.column, "the parenthesis is not closed") }
      position += 1
      depth -= 1
      return term
    case .close: throw fault(token.column, "a term is missing before the parenthesis")
    case .comparison(let comparison):
      throw fault(token.column, "a column is missing before \(comparison.rawValue)")
    case .word(let text), .quoted(let text):
      if case .comparison(let comparison)? = next?.token {
        return try self.comparison(token, text, comparison)
      }
      guard case .word = token.token else { return .text(text.lowercased()) }
      if text.last == ")", case .labelMeasure(_, .some)? = CaseColumn(text, columns: columns) {
        throw fault(next?.column ?? endColumn, "a comparison is missing after \(text)")
      }
      let word = text.lowercased()
      if ["and", "or"].contains(word) { throw fault(token.column, "a term is missing before \(word)") }
      let state = word == "needs-work" ? .needswork : CaseQuery.State(rawValue: word)
      return state.map { .state($0) } ?? .text(word)
    }
  }

  private mutating func comparison(
    _ token: PlacedToken, _ name: String, _ comparison: CaseQuery.Comparison
  ) throws(CaseQuery.Fault) -> CaseQuery.Term {
    guard let column = CaseColumn(name, columns: columns) else {
      let names = CaseColumn.names(columns: columns).joined(separator: ", ")
      throw fault(token.column, "no column \(name); there are \(names)")
    }
    position += 1
    guard let value = next else { throw fault(endColumn, "a value is missing after \(comparison.rawValue)") }
    position += 1
    switch value.token {
    case .word(let text), .quoted(let text):
      guard !column.isNumeric || Double(text)?.isFinite == true else {
        throw fault(value.column, "\(name) is compared with a number")
      }
      if case .labelMeasure(let measure, let label?) = column {
        labels.append(.init(measure: measure, label: label, column: token.column))
      }
      return .comparison(column, comparison, text)
    default: throw fault(value.column, "a value is missing after \(comparison.rawValue)")
    }
  }

  private func fault(_ column: Int, _ problem: String) -> CaseQuery.Fault {
    CaseQuery.Fault(column: column, problem: problem)
  }

  // MARK: Words

  private static func tokens(_ characters: [Character]) throws(CaseQuery.Fault) -> [PlacedToken] {
    var tokens: [PlacedToken] = []
    var position = 0
    while position < characters.count {
      let start = position
      let character = characters[position]
      if character.isWhitespace {
        position += 1
      } else if character == "(" || character == ")" {
        tokens.append(PlacedToken(token: character == "(" ? .open : .close, column: start + 1))
        position += 1
      } else if let (comparison, count) = Self.comparison(characters[position...]) {
        tokens.append(PlacedToken(token: .comparison(comparison), column: start + 1))
        position += count
      } else if character == "!" {
        tokens.append(PlacedToken(token: .word("not"), column: start + 1))
        position += 1
      } else if quotes.contains(character) {
        position = try end(ofQuote: characters, from: start)
        let two = String(repeating: character, count: 2)
        let text = String(characters[(start + 1)..<(position - 1)]).replacing(two, with: String(character))
        tokens.append(PlacedToken(token: .quoted(text), column: start + 1))
      } else {
        position = try end(ofWord: characters, from: start)
        tokens.append(PlacedToken(token: .word(String(characters[start..<position])), column: start + 1))
      }
    }
    return tokens
  }

  private static func comparison(_ rest: ArraySlice<Character>) -> (CaseQuery.Comparison, count: Int)? {
    for count in [2, 1] {
      let text = String(rest.prefix(count))
      if text.count == count, let comparison = CaseQuery.Comparison(rawValue: text == "==" ? "=" : text) {
        return (comparison, count)
      }
    }
    return nil
  }

  /// The position after the quote that closes the one at `start`.
  private static func end(ofQuote characters: [Character], from start: Int) throws(CaseQuery.Fault) -> Int {
    var position = start + 1
    while position < characters.count {
      guard characters[position] == characters[start] else {
        position += 1
        continue
      }
      let isDoubled = position + 1 < characters.count && characters[position + 1] == characters[start]
      guard isDoubled else { return position + 1 }
      position += 2
    }
    throw CaseQuery.Fault(column: start + 1, problem: "the quote is not closed")
  }

  /// The position after the parenthesis that closes the one at `start`, around the name of a label.
  ///
  /// Parentheses in the name come in pairs, or the name stands in quotes.
  private static func end(ofLabel characters: [Character], from start: Int) throws(CaseQuery.Fault) -> Int {
    var position = start + 1
    while position < characters.count, characters[position].isWhitespace { position += 1 }
    if position < characters.count, quotes.contains(characters[position]) {
      position = try end(ofQuote: characters, from: position)
    }
    var depth = 1
    while position < characters.count {
      if characters[position] == "(" { depth += 1 }
      if characters[position] == ")" { depth -= 1 }
      position += 1
      if depth == 0 { return position }
    }
    throw CaseQuery.Fault(column: start + 1, problem: "the parenthesis is not closed")
  }

  /// The end of a word; the parentheses of "volume(left kidney)" belong to it.
  private static func end(ofWord characters: [Character], from start: Int) throws(CaseQuery.Fault) -> Int {
    var end = start
    while end < characters.count, !characters[end].isWhitespace, !"()\"<>=~".contains(characters[end]),
      comparison(characters[end...]) == nil
    {
      end += 1
    }
    let isMeasure = CaseColumn.LabelMeasure(rawValue: String(characters[start..<end]).lowercased()) != nil
    guard isMeasure, end < characters.count, characters[end] == "(" else { return end }
    return try self.end(ofLabel: characters, from: end)
  }
}
