import Screen

extension ReviewState {
  /// The maximum number of rows of the list above the command line.
  private var candidateRows: Int { max(1, min(10, screen.rows / 3)) }

  /// The candidates of the list above the command line that the screen shows; the one pointed at is among them.
  func shownCandidates(of count: Int, _ line: CommandLine) -> Range<Int> {
    let visible = min(count, candidateRows)
    let first = min(max(0, (line.pointed ?? 0) - visible / 2), count - visible)
    return first..<first + visible
  }

  /// Draws the candidates and the summary of the command above the command line, and above them the preview of the
  /// candidate that is pointed at.
  func paintCandidates(_ line: CommandLine, above row: Int, into frame: inout Frame) {
    let found = candidates(of: line)
    let usage = commandBeingTyped(line).map { ":\($0.example)  \($0.summary)" }
    let shown = shownCandidates(of: found.count, line)
    let (first, visible) = (shown.lowerBound, shown.count)
    let range = visible < found.count ? "\(first + 1)-\(first + visible) of \(found.count)" : ""
    let foot = usage != nil || !range.isEmpty ? 1 : 0
    let area = Rectangle(
      row: row - visible - foot, column: 0, rows: visible + foot, columns: frame.columns)
    paintPreview(line, above: area.row, into: &frame)
    guard area.rows > 0 else { return }
    frame.fill(area, Cell(" ", Theme.bar))
    let widest = found.reduce(0) { max($0, TextWidth.columns($1.text)) }
    let width = min(max(12, widest), max(12, area.columns * 2 / 5))
    for offset in 0..<visible {
      let candidate = found[first + offset]
      let isPointed = line.pointed == first + offset
      let text = " " + TextWidth.shortened(candidate.text, to: width).fitted(width) + "  "
      frame.write(
        [
          Span(text, isPointed ? Theme.selected : Theme.barStrong),
          Span(candidate.summary, isPointed ? Theme.selected : Theme.barQuiet),
        ], row: area.row + offset, in: area)
      let row = Rectangle(row: area.row + offset, column: 0, rows: 1, columns: area.columns)
      frame.clickAreas.append(ClickArea(row, .candidate(first + offset)))
    }
    guard foot > 0 else { return }
    frame.write([Span(" " + (usage ?? ""), Theme.bar)], row: row - 1, in: area)
    if !range.isEmpty { frame.writeAtRight(" \(range) ", row: row - 1, style: Theme.barQuiet, in: area) }
  }
}
