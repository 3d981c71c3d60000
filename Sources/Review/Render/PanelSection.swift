import Screen

/// A section of the panel: what it shows, the list that its keys move in, and those keys.
///
/// A new section is a type that conforms to this, in a file of its own, and its line in ``PanelSections/all``. It gives its
/// names to a case of ``ReviewState/Focus``, of ``KeyContext`` and of ``PointedList/Name``, and gets a key in ``KeyTable``.
protocol PanelSection: Sendable {
  /// What the section is called while it takes keys before the picture does.
  var focus: ReviewState.Focus { get }

  /// Where its keys have their meaning.
  var keyContext: KeyContext { get }

  /// Its own keys, in the order of the key reference.
  var bindings: [KeyBinding] { get }

  /// How the panel is shared while the section takes keys.
  var sharing: PanelSharing { get }

  /// Whether its lines depend on how many rows the other sections leave; at most one section says so.
  var takesRest: Bool { get }

  /// What it shows in lines of `width` columns; `rows` are all that it may take, the heading among them.
  func content(_ state: ReviewState, width: Int, rows: Int) -> SectionContent

  /// The list that its keys move in.
  func list(_ state: ReviewState) -> PointedList

  /// Points at an entry of that list.
  func point(at entry: Int, _ state: inout ReviewState)

  /// Begins what the section shows while it takes keys.
  func begin(_ state: inout ReviewState) -> [ReviewEffect]
}

extension PanelSection {
  var sharing: PanelSharing { .all }
  var takesRest: Bool { false }

  /// The key that takes the reviewer there, as it is printed.
  var key: String { KeyTable.bindings.first { $0.action == .session(.focus(focus)) }?.keyText ?? "" }

  /// One of its own keys.
  func bind(
    _ keys: [Key], _ action: Action, _ summary: String, bar: String? = nil, barKeys: [Key] = []
  ) -> KeyBinding {
    KeyTable.bind(keyContext, keys, action, summary, bar: bar, barKeys: barKeys)
  }
}

/// How the panel is shared while a section takes keys.
enum PanelSharing {
  /// Every section is shown, and this one gets rows first.
  case all
  /// Only this section is shown, and at most so many rows of another where the panel has at least so many.
  case alone(beside: any PanelSection, rows: Int, ofPanelRows: Int)
}

/// The sections of the panel, from above.
enum PanelSections {
  static let all: [any PanelSection] = [LabelSection(), VersionSection(), RefinementSection()]

  /// The section that takes keys; nil where the picture does.
  static func section(_ focus: ReviewState.Focus) -> (any PanelSection)? { all.first { $0.focus == focus } }
}

/// What a section shows: a heading, lines that stay, and entries of which a part is in sight.
struct SectionContent {
  var title: String
  /// Lines between heading and entries.
  var header: [[Span]] = []
  /// How many entries there are, and lines of each.
  var count: Int
  var rowsPerEntry = 1
  /// The entry that must be in sight.
  var pointer: Int?
  /// Lines below the entries.
  var footer: [[Span]] = []
  /// A word at the right of the heading while the section takes keys.
  var note: String?
  /// The lines of a range of entries: only those in sight are made.
  var lines: (Range<Int>) -> [[Span]]

  init(
    title: String, header: [[Span]] = [], count: Int, rowsPerEntry: Int = 1, pointer: Int?,
    lines: @escaping (Range<Int>) -> [[Span]]
  ) {
    self.title = title
    self.header = header
    self.count = count
    self.rowsPerEntry = rowsPerEntry
    self.pointer = pointer
    self.lines = lines
  }

  /// Content of lines that are there already.
  init(title: String, lines: [[Span]], pointer: Int? = nil, note: String? = nil) {
    self.init(title: title, count: lines.count, pointer: pointer) { Array(lines[$0]) }
    self.note = note
  }

  /// Rows for all of it, the heading among them.
  var wantedRows: Int { 1 + header.count + count * rowsPerEntry + footer.count }

  /// Entries that a part of the panel of `rows` rows has room for.
  func visibleCount(_ rows: Int) -> Int {
    min(count, max(0, (rows - 1 - header.count - footer.count) / rowsPerEntry))
  }
}
