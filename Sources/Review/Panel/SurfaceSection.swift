import Metrics
import Screen
import Volumes
import Work

/// The distances between the borders of A and B for each label, which a job measures in the background.
struct SurfaceSection: PanelSection {
  var opening: (key: Key, summary: String, barWord: String) {
    ("B", "distances between the borders of A and B", "borders")
  }
  var openingRank: Int { 4 }
  var keysTitle: String { "Borders" }
  var keysIntroduction: String {
    "After B, until Esc. Each label's distances between the borders of A and B, the worst label first; the pointer takes the crosshair to the point that is furthest away."
  }

  var bindings: [KeyBinding] {
    listBindings(entry: "label") + Action.JumpStep.borderTableBindings + closingBindings
  }

  func isShown(_ state: ReviewState) -> Bool { state.decisions.a != nil && state.decisions.b != nil }

  func content(_ state: ReviewState, width: Int, rows: Int) -> SectionContent {
    state.surfaceContent(width: width)
  }

  func list(_ state: ReviewState) -> PointedList {
    let distances = state.surfaceDistances
    let rows = distances?.worstFirst ?? []
    return PointedList(
      name: .section(id), count: rows.count,
      text: { distances?.request.pairs[rows[$0].pair].name ?? "" }, position: state.furthestPosition,
      page: { state.panelPage(id) })
  }

  func point(at entry: Int, _ state: inout ReviewState) { state.goToFurthestPoint(at: entry) }

  func begin(_ state: inout ReviewState) -> [ReviewEffect] { [] }
}

extension ReviewState.Focus {
  static let surfaces = Self.section(SurfaceSection().id)
}

extension ReviewState {
  /// The width of the panel, in columns, from which all numbers fit.
  ///
  /// A narrower panel omits one, which the message line or the list shows.
  private static let allSurfaceMeasuresColumns = 44

  /// The distances of the selected label in the title; while the section receives keys, those of each label.
  fileprivate func surfaceContent(width: Int) -> SectionContent {
    guard let distances = surfaceDistances else {
      let text = decisions.b == nil ? "there is no other version" : "being measured"
      return SectionContent(
        title: "Borders", lines: focus == .surfaces ? [[Span(text, Theme.quiet)]] : [])
    }
    let isWide = width >= ReviewState.allSurfaceMeasuresColumns
    let remaining = distances.remaining.count
    let unfinished = "Borders, \(remaining) to measure"
    guard focus == .surfaces else {
      guard let measures = selectedRow(distances)?.measures else {
        return SectionContent(title: "Borders", lines: [])
      }
      // The worst label is not known before all of them are measured.
      if selectedLabelShown == nil, remaining > 0 { return SectionContent(title: unfinished, lines: []) }
      let title =
        "Borders: HD95 \(decimals(measures.percentile95Millimetres, 1)), "
        + "ASSD \(decimals(measures.averageMillimetres, 2)) mm"
      return SectionContent(
        title: title + (isWide ? ", sDice \(decimals(measures.surfaceDice, 2))" : ""), lines: [])
    }
    // The list is in the order of the first number.
    var columns = [NameTable.Column("max", widest: "000.0"), NameTable.Column("HD95", widest: "000.0")]
    if isWide { columns.append(NameTable.Column("ASSD", widest: "00.00")) }
    columns.append(NameTable.Column("sDice", widest: "0.000"))
    let table = NameTable(width: width - 2, columns)
    let rows = distances.worstFirst
    var content = SectionContent(
      title: remaining == 0 ? "Borders" : unfinished,
      header: [[Span("  " + table.header("mm"), Theme.quiet)]], count: rows.count, pointer: furthestPosition
    ) { range in
      range.map {
        surfaceLine(rows[$0], distances, table, isWide: isWide, isSelected: $0 == furthestPosition)
      }
    }
    if let failure = distances.failure {
      content.footer = wrapped(failure, width: width).map { [Span($0, Theme.warning)] }
    }
    return content
  }

  /// The row of the selected label; the worst row where no label is selected.
  private func selectedRow(_ distances: SurfaceDistances) -> SurfaceDistances.Row? {
    guard let label = selectedLabelShown else { return distances.worstFirst.first }
    return distances.row(of: label.value, inA: shownVersion?.id == decisions.a)
  }

  /// The selected label of the version shown; nil for none.
  private var selectedLabelShown: Label? { shownVersion?.label(selectedLabel) }

  private func surfaceLine(
    _ row: SurfaceDistances.Row, _ distances: SurfaceDistances, _ table: NameTable, isWide: Bool,
    isSelected: Bool
  ) -> [Span] {
    let style = isSelected ? selectionStyle(.surfaces) : Theme.plain
    let measures = row.measures
    let numbers =
      [decimals(measures.maximumMillimetres, 1), decimals(measures.percentile95Millimetres, 1)]
      + (isWide ? [decimals(measures.averageMillimetres, 2)] : []) + [decimals(measures.surfaceDice, 3)]
    let name = TextWidth.shortened(
      cleaned(distances.request.pairs[row.pair].name), to: max(0, table.nameWidth))
    return [Span(isSelected ? " ›" : "  ", style), Span(table.line(name, numbers), style)]
  }
}
