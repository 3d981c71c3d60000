import Screen

/// A section with its area of the panel.
struct PlacedSection {
  var section: any PanelSection
  var content: SectionContent
  var rows: Int
}

extension ReviewState {
  /// The visible sections with their rows.
  func panelSections(_ area: Rectangle) -> [PlacedSection] {
    let width = area.columns - 2
    if let focused = focus.panelSection,
      case .alone(let neighbour, let maximumRows, let panelRows) = focused.heightDistribution
    {
      let beside = neighbour.content(self, width: width, rows: area.rows)
      let spare = area.rows >= panelRows ? min(beside.wantedRows, maximumRows) : 0
      let rows = area.rows - spare
      let content = focused.content(self, width: width, rows: rows)
      return [PlacedSection(section: focused, content: content, rows: rows)]
        + (spare > 0 ? [PlacedSection(section: neighbour, content: beside, rows: spare)] : [])
    }
    let sections = PanelSections.all.filter { $0.isShown(self) || focus == .section($0.id) }
    // Where there is no room for a heading and two lines of each, the section that receives keys has all of it.
    if let focused = focus.panelSection, area.rows < 3 * sections.count {
      let content = focused.content(self, width: width, rows: area.rows)
      return [PlacedSection(section: focused, content: content, rows: area.rows)]
    }
    let fixed = sections.filter { !$0.fillsRemainingHeight }.map { section in
      (id: section.id, content: section.content(self, width: width, rows: area.rows))
    }
    // A blank line follows each section.
    let rest = area.rows - fixed.reduce(0) { $0 + $1.content.wantedRows + 1 }
    let contents = sections.map { section in
      fixed.first { $0.id == section.id }?.content ?? section.content(self, width: width, rows: rest)
    }
    let focused = sections.firstIndex { focus == .section($0.id) }
    let rows = sectionRows(of: area.rows, among: contents, focused: focused)
    return zip(sections, zip(contents, rows)).map {
      PlacedSection(section: $0, content: $1.0, rows: $1.1)
    }
  }

  /// The rows of each section: first a heading and two lines for each, then more for the focused section, then for the
  /// others from top to bottom.
  private func sectionRows(of rows: Int, among contents: [SectionContent], focused: Int?) -> [Int] {
    let wanted = contents.map { $0.wantedRows + 1 }
    var heights = wanted.map { min($0, 3) }
    var free = rows - heights.reduce(0, +)
    let order = [focused].compactMap(\.self) + contents.indices.filter { $0 != focused }
    for index in order where free > 0 {
      let added = min(free, wanted[index] - heights[index])
      heights[index] += added
      free -= added
    }
    return heights
  }

  /// The number of entries that the list of a section shows at once.
  func panelPage(_ id: PanelSectionID) -> Int {
    let own = panelSections(layout.panel).first { $0.section.id == id }
    return max(1, (own.map { $0.content.visibleCount($0.rows) } ?? 1) - 1)
  }

  /// Draws the sections from top to bottom; the one that receives keys gets rows first.
  func paintPanel(_ area: Rectangle, into frame: inout Frame) {
    var row = area.row
    for placed in panelSections(area) where placed.rows > 0 {
      let part = Rectangle(row: row, column: area.column, rows: placed.rows, columns: area.columns)
        .intersection(area)
      guard !part.isEmpty else { return }
      paint(placed.content, of: placed.section, in: part, into: &frame)
      row += placed.rows
    }
  }

  /// The style of a selected entry: the pointer while its list receives keys, else a highlight.
  func selectionStyle(_ section: Focus) -> Style { focus == section ? Theme.selected : Theme.highlighted }

  private func paint(
    _ content: SectionContent, of section: any PanelSection, in area: Rectangle, into frame: inout Frame
  ) {
    let isActive = focus == .section(section.id)
    let style = isActive ? Theme.active : Theme.bar
    let (heading, body) = area.splitTop(1)
    frame.fill(heading, Cell(" ", style))
    frame.clickAreas.append(ClickArea(heading, isActive ? .key(.escape) : .pictureKey(section.opening.key)))
    let lines = Rectangle(
      row: body.row, column: body.column + 1, rows: body.rows, columns: max(0, body.columns - 2))
    let visible = content.visibleCount(area.rows)
    // The pointer stays in the middle of a list that is longer than its area.
    let first = min(max(0, (content.pointer ?? 0) - visible / 2), content.count - visible)
    let isPartlyShown = visible > 0 && visible < content.count
    let shownRange = isPartlyShown ? "\(first + 1)-\(first + visible) of \(content.count)" : nil
    // A long title replaces the note beside it, but not the range of entries.
    let title = TextWidth.columns(content.title)
    let word = content.note.flatMap { title + TextWidth.columns($0) + 4 <= heading.columns ? $0 : nil }
    let note = [shownRange, isActive ? word : section.opening.key.label].compactMap(\.self).joined(
      separator: "  ")
    let room = heading.columns - (note.isEmpty ? 1 : TextWidth.columns(note) + 3)
    frame.write(
      TextWidth.shortened(content.title, to: room), row: heading.row, column: heading.column + 1,
      style: style, in: heading)
    frame.writeAtRight(
      note.isEmpty ? "" : note + " ", row: heading.row, style: isActive ? Theme.active : Theme.barQuiet,
      in: heading)
    let shown = content.header + content.lines(first..<first + visible)
    for (offset, line) in shown.prefix(lines.rows).enumerated() {
      let row = Rectangle(row: lines.row + offset, column: lines.column, rows: 1, columns: lines.columns)
      let entry = (offset - content.header.count) / content.rowsPerEntry + first
      if isActive, offset >= content.header.count, content.pointer == entry {
        frame.fill(row, Cell(" ", Theme.selected))
      }
      let clicked = content.clickedEntry.map { $0(entry) } ?? entry
      if offset >= content.header.count, let clicked {
        frame.clickAreas.append(
          ClickArea(row, .entry(clicked, opening: isActive ? nil : section.opening.key)))
      } else {
        frame.clickAreas.append(ClickArea(row, isActive ? .key(.escape) : .pictureKey(section.opening.key)))
      }
      // What is clicked in a line goes before the line.
      frame.write(line, row: row.row, in: row)
    }
    let below = lines.splitTop(shown.count).rest
    for (offset, line) in content.footer.prefix(below.rows).enumerated() {
      // While the section receives keys its details are those of the entry at the pointer.
      let row = Rectangle(row: below.row + offset, column: below.column, rows: 1, columns: below.columns)
      let pointed = content.pointer.flatMap { pointer in content.clickedEntry.map { $0(pointer) } ?? pointer }
      if let pointed, isActive, !line.isEmpty {
        frame.clickAreas.append(ClickArea(row, .entry(pointed, opening: nil)))
      }
      frame.write(line, row: below.row + offset, in: below)
    }
  }
}
