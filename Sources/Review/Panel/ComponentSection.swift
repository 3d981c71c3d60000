import Screen
import Volumes
import Work

/// The components of the selected label in the version shown, with the volume of each and its overlap with the other
/// version.
struct ComponentSection: PanelSection {
  var opening: (key: Key, summary: String, barWord: String) {
    ("T", "islands of the selected label", "islands")
  }
  var openingRank: Int { 4 }
  var keysTitle: String { "Islands" }
  var keysIntroduction: String {
    "After T, until Esc. The connected components of the selected label, the largest first; the pointer takes the crosshair along."
  }

  var bindings: [KeyBinding] {
    listBindings(entry: "island") + Action.ComponentStep.bindings + closingBindings
  }

  func content(_ state: ReviewState, width: Int, rows: Int) -> SectionContent {
    state.componentContent(width: width)
  }

  func list(_ state: ReviewState) -> PointedList {
    let shown = state.shownComponents
    return PointedList(
      name: .section(id), count: shown.count, text: { "\(shown[$0] + 1)" },
      position: state.islandPosition.flatMap { shown.firstIndex(of: $0) }, page: { state.panelPage(id) })
  }

  func point(at entry: Int, _ state: inout ReviewState) { state.goToIsland(at: state.shownComponents[entry]) }

  func begin(_ state: inout ReviewState) -> [ReviewEffect] {
    if state.selectedLabel == nil, !state.shownLabels.isEmpty { state.selectLabel(1) }
    if state.islandPosition == nil, state.islands?.list?.entries.isEmpty == false { state.islandPosition = 0 }
    return []
  }
}

extension ReviewState.Focus {
  static let components = Self.section(ComponentSection().id)
}

extension ReviewState {
  /// The number of components of the selected label; while the section receives keys, each of them.
  fileprivate func componentContent(width: Int) -> SectionContent {
    guard let version = shownVersion, let label = version.label(selectedLabel) else {
      return SectionContent(title: "Islands", lines: [])
    }
    let count = version.statistics(of: label.value)?.componentCount ?? 0
    let title = "\(counted(count, "island")) of \(cleaned(label.name))"
    guard focus == .components else { return SectionContent(title: title, lines: []) }
    guard let islands else {
      return SectionContent(title: title, lines: [[Span("being counted", Theme.quiet)]])
    }
    guard let list = islands.list else {
      return SectionContent(
        title: title,
        lines: wrapped(islands.failure ?? "", width: width).map { [Span($0, Theme.warning)] })
    }
    let digits = VolumeDigits(greatest: millilitres(list.entries.first))
    var columns = [NameTable.Column("mL", widest: digits.widest(millilitres(list.entries.first)))]
    let side = version.id == decisions.a ? "B" : "A"
    if islands.commonVoxelCounts != nil { columns.append(NameTable.Column("in \(side)", widest: "100%")) }
    if shownComponentProbabilities != nil { columns.append(NameTable.Column("prob.", widest: "1.00")) }
    let table = NameTable(width: width - 2, columns)
    let shown = shownComponents
    var content = SectionContent(
      title: title, header: [[Span("  " + table.header("slice"), Theme.quiet)]], count: shown.count,
      pointer: islandPosition.flatMap { shown.firstIndex(of: $0) }
    ) { range in
      shown[range].map { componentLine($0, list.entries[$0], islands, table, digits) }
    }
    if showsOnlyUnmatchedComponents, islands.commonVoxelCounts != nil { content.note = "not in \(side)" }
    if list.count > list.entries.count {
      content.footer = [[Span("and \(list.count - list.entries.count) smaller ones", Theme.quiet)]]
    }
    return content
  }

  private func millilitres(_ entry: ComponentList.Entry?) -> Double {
    Double(entry?.voxelCount ?? 0) * grid.voxelVolume / 1000
  }

  private func componentLine(
    _ position: Int, _ entry: ComponentList.Entry, _ islands: Islands, _ table: NameTable,
    _ digits: VolumeDigits
  ) -> [Span] {
    let isSelected = position == islandPosition
    let style = isSelected ? selectionStyle(.components) : Theme.plain
    let axis = geometry(view.activePlane).sliceAxis
    var numbers = [digits.text(millilitres(entry))]
    if let common = islands.commonVoxelCounts {
      let percent = Double(common[position]) / Double(max(1, entry.voxelCount)) * 100
      numbers.append("\(Int(saturating: percent.rounded()))%")
    }
    if let means = shownComponentProbabilities { numbers.append(decimals(means[position], 2)) }
    let mark = markedComponents.contains(position) ? "✓" : " "
    let text = "\(position + 1)  \(view.activePlane.rawValue) \(entry.centre(across: axis)[axis])"
    return [Span(mark + (isSelected ? "›" : " "), style), Span(table.line(text, numbers), style)]
  }
}
