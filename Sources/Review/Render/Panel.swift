import Screen

/// A part of the panel: a heading, lines that stay, and entries of which a window is shown.
struct PanelSection {
  var focus: ReviewState.Focus
  var title: String
  /// The key that takes the reviewer there.
  var key: String
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
    focus: ReviewState.Focus, title: String, key: String, header: [[Span]] = [], count: Int,
    rowsPerEntry: Int = 1, pointer: Int?, lines: @escaping (Range<Int>) -> [[Span]]
  ) {
    self.focus = focus
    self.title = title
    self.key = key
    self.header = header
    self.count = count
    self.rowsPerEntry = rowsPerEntry
    self.pointer = pointer
    self.lines = lines
  }

  /// A section of lines that are there already.
  init(
    focus: ReviewState.Focus, title: String, key: String, lines: [[Span]], pointer: Int? = nil,
    note: String? = nil
  ) {
    self.init(focus: focus, title: title, key: key, count: lines.count, pointer: pointer) { Array(lines[$0]) }
    self.note = note
  }

  /// Rows for all of it, the heading among them.
  var wantedRows: Int { 1 + header.count + count * rowsPerEntry + footer.count }

  /// Entries that a part of the panel of `rows` rows has room for.
  func visibleCount(_ rows: Int) -> Int {
    min(count, max(0, (rows - 1 - header.count - footer.count) / rowsPerEntry))
  }
}

extension ReviewState {
  /// Labels, versions and knobs, with the rows that each gets.
  func panelSections(_ area: Rectangle) -> [(section: PanelSection, rows: Int)] {
    let width = area.columns - 2
    let versions = versionSection(width: width)
    if focus == .refinement {
      // The CRF's panel lists the labels itself. Its rows depend on nothing that a key or a result changes.
      let spare = area.rows >= 26 ? min(versions.wantedRows, 6) : 0
      let own = area.rows - spare
      let section = refinementSection(width: width, rows: own - 1)
      return [(section, own)] + (spare > 0 ? [(versions, spare)] : [])
    }
    let knobs = refinementSection(width: width, rows: area.rows)
    let labels = labelSection(
      width: width, rows: area.rows - 2 - versions.wantedRows - knobs.wantedRows)
    let sections = [labels, versions, knobs]
    return Array(zip(sections, shares(of: area.rows, among: sections)))
  }

  /// Rows for each section: heading and two lines for all, then the focused one, then from above.
  private func shares(of rows: Int, among sections: [PanelSection]) -> [Int] {
    let wanted = sections.map { $0.wantedRows + 1 }
    var heights = wanted.map { min($0, 3) }
    var free = rows - heights.reduce(0, +)
    let order = sections.indices.sorted { one, other in
      let (first, second) = (sections[one].focus == focus, sections[other].focus == focus)
      return first == second ? one < other : first
    }
    for index in order where free > 0 {
      let added = min(free, wanted[index] - heights[index])
      heights[index] += added
      free -= added
    }
    return heights
  }

  /// Entries that the list of a section shows at once.
  func panelPage(_ focus: Focus) -> Int {
    let own = panelSections(layout.panel).first { $0.section.focus == focus }
    return max(1, (own.map { $0.section.visibleCount($0.rows) } ?? 1) - 1)
  }

  /// Labels, versions and knobs; the section that takes keys gets room first.
  func paintPanel(_ area: Rectangle, into frame: inout Frame) {
    var row = area.row
    for (section, height) in panelSections(area) where height > 0 {
      let part = Rectangle(row: row, column: area.column, rows: height, columns: area.columns)
      paint(section, in: part, into: &frame)
      row += height
    }
  }

  /// How a selected entry looks: the pointer while its list takes keys, else a highlight.
  func selectionStyle(_ section: Focus) -> Style { focus == section ? Theme.selected : Theme.highlighted }

  private func paint(_ section: PanelSection, in area: Rectangle, into frame: inout Frame) {
    let isActive = section.focus == focus
    let style = isActive ? Theme.active : Theme.bar
    let (heading, body) = area.splitTop(1)
    frame.fill(heading, Cell(" ", style))
    let lines = Rectangle(
      row: body.row, column: body.column + 1, rows: body.rows, columns: max(0, body.columns - 2))
    let visible = section.visibleCount(area.rows)
    // The pointer stays in the middle of a list that is longer than its place.
    let first = min(max(0, (section.pointer ?? 0) - visible / 2), section.count - visible)
    let place = visible < section.count ? "\(first + 1)-\(first + visible) of \(section.count)" : nil
    // A word beside the title gives way to it; where the list stands does not.
    let title = TextWidth.columns(section.title)
    let word = section.note.flatMap { title + TextWidth.columns($0) + 4 <= heading.columns ? $0 : nil }
    let note = [place, isActive ? word : section.key].compactMap(\.self).joined(separator: "  ")
    let room = heading.columns - (note.isEmpty ? 1 : TextWidth.columns(note) + 3)
    frame.write(
      TextWidth.shortened(section.title, to: room), row: heading.row, column: heading.column + 1,
      style: style, in: heading)
    frame.writeAtRight(
      note.isEmpty ? "" : note + " ", row: heading.row, style: isActive ? Theme.active : Theme.barQuiet,
      in: heading)
    let shown = section.header + section.lines(first..<first + visible)
    for (offset, line) in shown.prefix(lines.rows).enumerated() {
      let row = Rectangle(row: lines.row + offset, column: lines.column, rows: 1, columns: lines.columns)
      let entry = (offset - section.header.count) / section.rowsPerEntry + first
      if isActive, offset >= section.header.count, section.pointer == entry {
        frame.fill(row, Cell(" ", Theme.selected))
      }
      frame.write(line, row: row.row, in: row)
    }
    let below = lines.splitTop(shown.count).rest
    for (offset, line) in section.footer.prefix(below.rows).enumerated() {
      frame.write(line, row: below.row + offset, in: below)
    }
  }
}
