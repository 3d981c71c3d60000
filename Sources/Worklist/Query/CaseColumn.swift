/// A column that cases are filtered and sorted by.
package enum CaseColumn: Hashable, Sendable {
  /// A measure of labels.
  package enum LabelMeasure: String, Hashable, Sendable, CaseIterable {
    /// Volume in mL; without a label, the sum over all labels.
    case volume
    /// The number of connected components; without a label, the maximum over all labels.
    case components
    /// The number of holes; without a label, the sum over all labels.
    case holes
    /// The number of slices missing within a label; without a label, the sum over all labels.
    case gaps
    /// The Dice coefficient of the first two masks; without a label, the lowest over all labels.
    case dice
    /// Mean entropy of a network inside a label; of all labels and networks the highest.
    case entropy
  }

  case name, image, mask, maskCount, status, verdict, score, reader, tag, comment, seconds, decided, open,
    flag
  case flagCount
  /// A measure of one label, or of all labels together.
  case labelMeasure(LabelMeasure, label: String?)
  /// A further column of the worklist file.
  case other(String)

  private static let ownColumns: [(name: String, column: CaseColumn)] = [
    ("case", .name), ("name", .name), ("image", .image), ("mask", .mask), ("masks", .maskCount),
    ("status", .status),
    ("verdict", .verdict), ("score", .score), ("reader", .reader), ("readers", .reader), ("tag", .tag),
    ("tags", .tag),
    ("comment", .comment), ("seconds", .seconds), ("decided", .decided), ("open", .open), ("flag", .flag),
    ("flags", .flagCount),
  ]

  /// The column with a name, regardless of letter case: "score", "volume(liver)", or a further column of the
  /// worklist, which takes precedence over a measure of the same name; nil where there is none.
  ///
  /// The name of a label may stand in quotes, as in `volume("left kidney")`; a quote in it is written twice.
  package init?(_ name: String, columns: [String]) {
    let key = name.lowercased()
    if let own = Self.ownColumns.first(where: { $0.name == key }) {
      self = own.column
    } else if let other = columns.first(where: { $0 == name })
      ?? columns.first(where: { $0.lowercased() == key })
    {
      self = .other(other)
    } else if let measure = LabelMeasure(rawValue: key) {
      self = .labelMeasure(measure, label: nil)
    } else if name.hasSuffix(")"), let open = name.firstIndex(of: "("),
      let measure = LabelMeasure(rawValue: name[..<open].lowercased())
    {
      self = .labelMeasure(measure, label: Self.unquoted(name[name.index(after: open)...].dropLast()))
    } else {
      return nil
    }
  }

  /// The name of a label without the blanks and quotes around it.
  private static func unquoted(_ text: Substring) -> String {
    let trimmed = String(text).trimmingSpaces
    guard let quote = trimmed.first, QueryParser.quotes.contains(quote), trimmed.count > 1,
      trimmed.last == quote
    else { return trimmed }
    let inner = String(trimmed.dropFirst().dropLast())
    let (one, two) = (String(quote), String(repeating: quote, count: 2))
    // In the name of `"a" and "b"` the quotes are part of the name.
    return inner.replacing(two, with: "").contains(quote) ? trimmed : inner.replacing(two, with: one)
  }

  /// The names of all columns, for messages and completion; measures as "volume(LABEL)".
  package static func names(columns: [String]) -> [String] {
    // Each column once: these are second names of case, reader and tag.
    ownColumns.map(\.name).filter { !["name", "readers", "tags"].contains($0) } + columns
      + LabelMeasure.allCases.flatMap { [$0.rawValue, "\($0.rawValue)(LABEL)"] }
  }

  /// Whether values depend on measures of the masks; the status says where an accepted mask changed.
  package var needsMeasures: Bool {
    switch self {
    case .status, .flag, .flagCount, .labelMeasure: true
    case .name, .image, .mask, .maskCount, .verdict, .score, .reader, .tag, .comment, .seconds, .decided,
      .open,
      .other:
      false
    }
  }

  /// Whether values are numbers wherever there are any.
  var isNumeric: Bool {
    switch self {
    case .maskCount, .score, .seconds, .flagCount, .labelMeasure: true
    case .name, .image, .mask, .status, .verdict, .reader, .tag, .comment, .decided, .open, .flag, .other:
      false
    }
  }
}
