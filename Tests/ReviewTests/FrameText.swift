import Screen

/// A frame as text that a person can read, and review as a diff.
///
/// Every row of the screen is two lines: its characters, and a letter for the style of each cell. The letters stand in
/// a legend above; "." is always the terminal's own style.
struct FrameText: Equatable {
  /// One row of the screen; both texts take as many columns as the screen has.
  struct Row: Equatable {
    var characters: String
    var styles: String
  }

  /// The content of the frame, in a few words.
  var title: String
  /// The cell of the text cursor.
  var cursor: String
  /// The letter of each style.
  var legend: [String: Character]
  /// From the top.
  var rows: [Row]

  private static let plain: Character = "."
  /// The letters in the order in which styles get them.
  private static let letters =
    Array(
      ".abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789αβγδεζηθικλμνξοπρςστυφχψωбвгджзийклмнптфцчшщъыьэюяàáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞ"
    )
    + [0x100...0x131, 0x134...0x148, 0x14A...0x17E, 0x1E00...0x1E99, 0x1EA0...0x1EF9].flatMap { block in
      block.compactMap { Unicode.Scalar($0 as UInt32).map(Character.init) }
    }

  /// The text of a frame.
  ///
  /// - Parameter earlier: The text of the same screen as it was: styles keep their letters, so that a diff shows what
  ///   changed and nothing else.
  init(_ frame: Frame, title: String, keepingLettersOf earlier: FrameText? = nil) {
    self.title = title
    cursor = frame.cursor.map { "text cursor in row \($0.row), column \($0.column)" } ?? "no text cursor"
    let styles = frame.cells.map(\.style.text)
    let used = Set(styles)
    var legend = (earlier?.legend ?? [:]).filter { used.contains($0.key) }
    legend[Style().text] = FrameText.plain
    // Nor does a new style take the letter of one that is gone, which would read as no change.
    let taken = Set(legend.values).union((earlier?.legend ?? [:]).values)
    var free = FrameText.letters.filter { !taken.contains($0) }.makeIterator()
    for style in styles where legend[style] == nil {
      guard let letter = free.next() else { preconditionFailure("a frame of \(used.count) styles") }
      legend[style] = letter
    }
    self.legend = legend
    rows = zip(frame.text, 0..<frame.rows).map { characters, row in
      let cells = styles[row * frame.columns..<(row + 1) * frame.columns]
      return Row(characters: characters, styles: String(cells.compactMap { legend[$0] }))
    }
  }

  /// Parses the form of ``text``; nil for any other text.
  init?(parsing text: String) {
    let parts = text.split(separator: "\n\n", maxSplits: 2).map { $0.split(separator: "\n") }
    guard parts.count == 3, parts[0].count == 2 else { return nil }
    (title, cursor) = (String(parts[0][0]), String(parts[0][1]))
    legend = [:]
    for line in parts[1] {
      guard let letter = line.first else { return nil }
      legend[String(line.dropFirst(3))] = letter
    }
    func cells(_ line: Substring) -> String? {
      guard let start = line.firstIndex(of: "|"), line.last == "|" else { return nil }
      return String(line[start...].dropFirst().dropLast())
    }
    rows = []
    for index in stride(from: 0, to: parts[2].count, by: 2) {
      guard index + 1 < parts[2].count, let characters = cells(parts[2][index]),
        let styles = cells(parts[2][index + 1])
      else { return nil }
      rows.append(Row(characters: characters, styles: styles))
    }
  }

  /// The whole text, as it is stored.
  var text: String {
    let order = FrameText.letters.filter(legend.values.contains)
    let styles = Dictionary(legend.map { ($0.value, $0.key) }, uniquingKeysWith: { first, _ in first })
    var lines = [title, cursor, ""] + order.map { "\($0)  \(styles[$0] ?? "")" } + [""]
    for (index, row) in rows.enumerated() {
      lines.append("\(FrameText.number(index)) |\(row.characters)|")
      lines.append("    |\(row.styles)|")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// The differences to `found`, row by row; empty where there are none.
  func differences(to found: FrameText) -> [String] {
    var lines: [String] = []
    func compare(_ name: String, _ expected: String, _ found: String) {
      guard expected != found else { return }
      let pairs = FrameText.filled(expected, found)
      let marks = zip(pairs.0, pairs.1).map { $0 == $1 ? " " : "^" as Character }
      lines += [
        "\(name):", "  expected |\(expected)|", "  found    |\(found)|", "            \(String(marks))",
      ]
    }
    compare("title", title, found.title)
    compare("cursor", cursor, found.cursor)
    if rows.count != found.rows.count {
      lines.append("rows: expected \(rows.count), found \(found.rows.count)")
    }
    for (index, (row, other)) in zip(rows, found.rows).enumerated() {
      compare("row \(index), characters", row.characters, other.characters)
      compare("row \(index), styles", row.styles, other.styles)
    }
    for (style, letter) in found.legend.sorted(by: { $0.key < $1.key }) where legend[style] == nil {
      lines.append("new style \(letter): \(style)")
    }
    for (style, letter) in legend.sorted(by: { $0.key < $1.key }) where found.legend[style] == nil {
      lines.append("style \(letter) is gone: \(style)")
    }
    return lines
  }

  /// Two texts as characters, the shorter one filled with spaces.
  private static func filled(_ one: String, _ other: String) -> ([Character], [Character]) {
    let count = max(one.count, other.count)
    func filled(_ text: String) -> [Character] {
      Array(text) + Array(repeating: " ", count: count - text.count)
    }
    return (filled(one), filled(other))
  }

  private static func number(_ row: Int) -> String { (row < 10 ? "  " : " ") + "\(row)" }
}

extension Style {
  /// "#e0e0e8 on #303440, bold".
  fileprivate var text: String {
    let attributes = [
      (isBold, "bold"), (isDim, "dim"), (isReversed, "reversed"), (isUnderlined, "underlined"),
    ].filter(\.0).map { ", " + $0.1 }
    return "\(foreground.text) on \(background.text)" + attributes.joined()
  }
}

extension Colour {
  fileprivate var text: String {
    switch self {
    case .terminal: return "default"
    case .rgb(let red, let green, let blue):
      return "#"
        + [red, green, blue].map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
  }
}
