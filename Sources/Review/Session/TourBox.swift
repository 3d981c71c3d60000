import Screen

extension SessionState {
  /// Draws the step of the tour into a box above the lines at the foot or, where a list or question is open, below the
  /// title.
  func paintTour(into frame: inout Frame) {
    guard let step = tourStep, case .step(let position, _) = tour else { return }
    let width = min(frame.columns, 84)
    let lines = wrapped(step.text, width: width - 4)
    let rows = lines.count + 2
    let row = review.dialog == nil ? frame.rows - 4 - rows : 1
    let area = Rectangle(row: max(0, row), column: 0, rows: rows, columns: width)
    frame.fill(area, Cell(" ", Theme.plain))
    frame.drawBox(
      area, title: "Tour, \(position + 1) of \(Tour.steps.count); Esc ends it", titleStyle: Theme.strong)
    let body = area.inset(1)
    for (offset, line) in lines.enumerated() {
      frame.write([Span(" " + line, Theme.strong)], row: body.row + offset, in: body)
    }
  }
}
