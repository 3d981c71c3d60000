import Screen

/// A part of the panel: a heading and its lines.
struct PanelSection {
  var focus: ReviewState.Focus
  var title: String
  /// The key that takes the reviewer there.
  var key: String
  /// How many lines there are.
  var lineCount: Int
  /// Makes a line; only those in sight are made.
  var line: (Int) -> [Span]
  /// The line that must be in sight.
  var pointer: Int?
  /// A word at the right of the heading while the section takes keys.
  var note: String?

  /// A section of few lines.
  init(
    focus: ReviewState.Focus, title: String, key: String, lines: [[Span]], pointer: Int?, note: String? = nil
  ) {
    self.init(
      focus: focus, title: title, key: key, lineCount: lines.count, pointer: pointer, note: note
    ) {
      lines[$0]
    }
  }

  /// A section whose lines are made when they are in sight.
  init(
    focus: ReviewState.Focus, title: String, key: String, lineCount: Int, pointer: Int?, note: String? = nil,
    line: @escaping (Int) -> [Span]
  ) {
    self.focus = focus
    self.title = title
    self.key = key
    self.lineCount = lineCount
    self.line = line
    self.pointer = pointer
    self.note = note
  }
}

extension ReviewState {
  /// Labels, versions and knobs; the section that takes keys gets room first.
  func paintPanel(_ area: Rectangle, into frame: inout Frame) {
    let width = area.columns - 2
    let sections = [
      labelSection(width: width), versionSection(width: width),
      refinementSection(width: width, rows: area.rows - 1),
    ]
    let heights = shares(of: area.rows, among: sections)
    var row = area.row
    for (section, height) in zip(sections, heights) where height > 0 {
      let part = Rectangle(row: row, column: area.column, rows: height, columns: area.columns)
      paint(section, in: part, into: &frame)
      row += height
    }
  }

  /// Rows for each section: heading and two lines for all, then the focused one, then from above.
  private func shares(of rows: Int, among sections: [PanelSection]) -> [Int] {
    let wanted = sections.map { $0.lineCount + 2 }
    if focus == .refinement {
      // Knobs and what they do belong together: the others take what is left, or nothing.
      let own = min(rows, sections[2].lineCount + 1)
      let rest = rows - own
      guard rest >= 6 else { return [0, 0, rows] }
      let labels = max(3, min(wanted[0], rest - min(wanted[1], rest - 3)))
      return [labels, min(wanted[1], rest - labels), own]
    }
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

  private func paint(_ section: PanelSection, in area: Rectangle, into frame: inout Frame) {
    let isActive = section.focus == focus
    let style = isActive ? Theme.active : Theme.bar
    let (heading, body) = area.splitTop(1)
    frame.fill(heading, Cell(" ", style))
    frame.write(section.title, row: heading.row, column: heading.column + 1, style: style, in: heading)
    if !isActive {
      frame.writeAtRight(section.key + " ", row: heading.row, style: Theme.barQuiet, in: heading)
    } else if let note = section.note,
      TextWidth.columns(section.title) + TextWidth.columns(note) + 4 <= heading.columns
    {
      frame.writeAtRight(note + " ", row: heading.row, style: Theme.active, in: heading)
    }
    let lines = Rectangle(row: body.row, column: body.column, rows: body.rows, columns: body.columns - 1)
    let visible = max(0, min(lines.rows, section.lineCount))
    guard visible > 0 else { return }
    // The pointer stays in the middle of a list that is longer than its place.
    let first = min(max(0, (section.pointer ?? 0) - visible / 2), section.lineCount - visible)
    for offset in 0..<visible {
      let line = Rectangle(
        row: lines.row + offset, column: lines.column + 1, rows: 1, columns: max(0, lines.columns - 1))
      if isActive, section.pointer == first + offset { frame.fill(line, Cell(" ", Theme.selected)) }
      frame.write(section.line(first + offset), row: line.row, in: line)
    }
    if first + visible < section.lineCount, lines.columns > 3 {
      frame.write(
        "▾", row: lines.row + visible - 1, column: lines.column + lines.columns, style: Theme.strong)
    }
  }
}
