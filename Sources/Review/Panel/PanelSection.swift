import Screen

/// A section of the panel: what it shows, its list, and its keys.
///
/// A new section is a type that conforms to this, in a file of its own, and an entry of ``PanelSections/all``. Sections
/// have no state of their own.
protocol PanelSection: Sendable {
  /// Creates the section, which has no state.
  init()

  /// The key that focuses the section, its line in the key reference and its word in the key bar.
  var opening: (key: Key, summary: String, barWord: String) { get }

  /// The rank of that key in the key bar: on a narrow screen, higher ranks are omitted first.
  var openingRank: Int { get }

  /// The title of its keys in the key reference, and the sentence below it.
  var keysTitle: String { get }
  var keysIntroduction: String { get }

  /// The section's own keys, in the order of the key reference; ``bind(_:_:_:bar:barKeys:)`` creates them.
  var bindings: [KeyBinding] { get }

  /// The distribution of the panel's height while the section receives keys.
  var heightDistribution: PanelHeightDistribution { get }

  /// Whether its lines depend on the number of rows that the other sections leave; true for at most one section.
  var fillsRemainingHeight: Bool { get }

  /// Whether it is among the sections of the panel while another one, or the picture, receives keys.
  func isShown(_ state: ReviewState) -> Bool

  /// Its lines, `width` columns wide; `rows` is the most that it may show, the heading among them.
  func content(_ state: ReviewState, width: Int, rows: Int) -> SectionContent

  /// The list that its keys move in.
  func list(_ state: ReviewState) -> PointedList

  /// Moves the pointer to an entry of that list.
  func point(at entry: Int, _ state: inout ReviewState)

  /// Prepares the state when the section begins to receive keys.
  func begin(_ state: inout ReviewState) -> [ReviewEffect]
}

extension PanelSection {
  var heightDistribution: PanelHeightDistribution { .all }
  var fillsRemainingHeight: Bool { false }

  func isShown(_ state: ReviewState) -> Bool { true }

  var id: PanelSectionID { PanelSectionID(Self.self) }

  var openingRank: Int { 1 }

  /// The binding of the key that opens the section.
  var openingBinding: KeyBinding {
    KeyTable.bind(
      .picture, [opening.key], .focus(.move(.section(id))), opening.summary, bar: opening.barWord,
      rank: openingRank)
  }

  /// The keys that move in the section's list and search in it.
  func listBindings(entry: String) -> [KeyBinding] {
    Action.PointerMove.bindings(in: .section(id), entry: entry) + Action.SearchStep.bindings(in: .section(id))
  }

  /// The keys that leave the section.
  var closingBindings: [KeyBinding] {
    [
      bind([.escape], .session(.back), "cancel the running job; back to the picture", bar: "back"),
      bind([opening.key, "q"], .focus(.close), "back to the picture"),
    ]
  }

  /// One of its own keys.
  func bind(
    _ keys: [Key], _ action: Action, _ summary: String, bar: String? = nil, barKeys: [Key] = []
  ) -> KeyBinding {
    KeyTable.bind(.section(id), keys, action, summary, bar: bar, barKeys: barKeys)
  }
}

/// The identity of a section: its type.
package struct PanelSectionID: Hashable, Sendable, CustomStringConvertible {
  private let type: any PanelSection.Type

  init(_ type: any PanelSection.Type) { self.type = type }

  var section: any PanelSection { type.init() }

  package var description: String { "\(type)" }

  package static func == (one: PanelSectionID, other: PanelSectionID) -> Bool { one.type == other.type }

  package func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(type)) }
}

extension ReviewState.Focus {
  /// The section that receives keys; nil for the picture.
  var panelSection: (any PanelSection)? {
    switch self {
    case .picture: nil
    case .section(let id): id.section
    }
  }
}

/// The distribution of the panel's height while a section receives keys.
enum PanelHeightDistribution {
  /// Every section is shown, and this one gets rows first.
  case all
  /// Only this section is shown, with at most `rows` rows of another one in panels of at least `ofPanelRows` rows.
  case alone(beside: any PanelSection, rows: Int, ofPanelRows: Int)
}

/// The sections of the panel, from top to bottom.
enum PanelSections {
  static let all: [any PanelSection] = [
    LabelSection(), ComponentSection(), SurfaceSection(), VersionSection(), RefinementSection(),
  ]
}

/// The content of a section: a heading, lines that do not scroll, and entries that do.
struct SectionContent {
  var title: String
  /// Lines between heading and entries.
  var header: [[Span]] = []
  /// The number of entries, and of lines of each.
  var count: Int
  var rowsPerEntry = 1
  /// The entry that must be visible.
  var pointer: Int?
  /// Lines below the entries.
  var footer: [[Span]] = []
  /// The entry of the section's list that a click on an entry selects, nil for none; by default the same entry.
  var clickedEntry: ((Int) -> Int?)?
  /// A word at the right of the heading while the section receives keys.
  var note: String?
  /// The lines of a range of entries; called only for visible entries.
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

  /// Content from finished lines.
  init(title: String, lines: [[Span]], pointer: Int? = nil, note: String? = nil) {
    self.init(title: title, count: lines.count, pointer: pointer) { Array(lines[$0]) }
    self.note = note
  }

  /// The number of rows for the whole content, including the heading.
  var wantedRows: Int { 1 + header.count + count * rowsPerEntry + footer.count }

  /// The number of entries that fit into `rows` rows of the panel.
  func visibleCount(_ rows: Int) -> Int {
    min(count, max(0, (rows - 1 - header.count - footer.count) / rowsPerEntry))
  }
}
