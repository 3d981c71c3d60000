import Screen
import Volumes
import Work

extension Action {
  /// Changes of how labels are shown and of the selected label.
  package enum OverlayChange: ActionGroup {
    case toggle, toggleStyle, opacity(Int), flip, toggleDifference, toggleVersions, nextComparison, nextMap
    case selectLabel(Int), jumpToLabel, pickLabel

    static let bindings: [KeyBinding] = [
      KeyTable.bind(.picture, [" "], .overlay(.toggle), "labels on or off", bar: "labels", rank: 4),
      KeyTable.bind(
        .picture, ["u"], .overlay(.toggleStyle), "labels filled or outlined", bar: "outline", rank: 4),
      KeyTable.bind(.picture, ["}"], .overlay(.opacity(1)), "fill more opaque"),
      KeyTable.bind(.picture, ["{"], .overlay(.opacity(-1)), "fill more transparent"),
      KeyTable.bind(.picture, [.tab], .overlay(.flip), "flip between versions A and B", bar: "A/B", rank: 2),
      KeyTable.bind(
        .picture, ["d"], .overlay(.toggleDifference), "show where A and B differ", bar: "difference", rank: 2),
      KeyTable.bind(
        .picture, ["D"], .overlay(.nextComparison),
        "compare in the next way: difference, side by side, contours, checkerboard, spyglass, versions, off",
        bar: "compare", rank: 3),
      KeyTable.bind(
        .picture, ["#"], .overlay(.toggleVersions),
        "A, B and two more versions of the active plane, each in a pane of its own"),
      KeyTable.bind(
        .picture, ["%"], .overlay(.nextMap),
        "the network's probability of the selected label over the image, then its entropy, then neither"),
      KeyTable.bind(.picture, ["."], .overlay(.selectLabel(1)), "select the next label"),
      KeyTable.bind(.picture, [","], .overlay(.selectLabel(-1)), "select the previous label"),
      KeyTable.bind(.picture, ["G"], .overlay(.jumpToLabel), "go to the selected label's largest slice"),
      KeyTable.bind(.picture, ["p"], .overlay(.pickLabel), "select the label under the crosshair"),
    ]

    /// The key that jumps to the selected label of the label table.
    static let labelTableBindings: [KeyBinding] = [
      KeyTable.bind(
        .section(LabelSection().id), [.enter], .overlay(.jumpToLabel), "go to the label's largest slice",
        bar: "go to")
    ]
  }
}

extension ReviewState {
  /// Changes how labels are shown, or which label is selected.
  mutating func changeOverlay(_ change: Action.OverlayChange) -> [ReviewEffect] {
    switch change {
    case .toggle: view.overlay.isShown.toggle()
    case .toggleStyle:
      view.overlay.style = view.overlay.style == .fill ? .outline : .fill
      view.overlay.isShown = true
      isOverlayStyleChosen = true
    case .opacity(let steps):
      let tenths = (view.overlay.opacity * 10).rounded() + Double(steps)
      view.overlay.opacity = min(max(tenths, 1), 10) / 10
      message = Message("fill opacity \(Int(saturating: (view.overlay.opacity * 100).rounded()))%")
    case .flip: flip()
    case .toggleDifference: compare(shownComparison?.view == .difference ? .off : .difference)
    case .toggleVersions: compareWithMessage(view.comparison == .versions ? .off : .versions)
    case .nextComparison: compareWithMessage(view.comparison.next)
    case .nextMap: return showNextMap()
    case .selectLabel(let count):
      selectLabel(count)
      showSelectedLabelMessage()
    case .pickLabel: pickLabel()
    case .jumpToLabel: jumpToSelectedLabel()
    }
    return []
  }

  /// Moves the selection through the labels of the shown version, wrapping around.
  mutating func selectLabel(_ count: Int) {
    guard let version = shownVersion, !version.table.labels.isEmpty else {
      message = Message("no labels: open a mask, or run a network (m)", .warning)
      return
    }
    let labels = version.table.labels
    let position = version.position(selectedLabel) ?? (count > 0 ? -1 : labels.count)
    selectedLabel = version.key(of: labels[(position + count + labels.count) % labels.count])
  }

  /// The label at the crosshair as the panes show it; nil on background.
  package var labelAtCrosshair: Label? {
    if let live = shownLive, let base = version(live.base) {
      let value =
        live.region?.part.label(at: view.crosshair) ?? live.whole?.part.label(at: view.crosshair)
        ?? base.labels[view.crosshair]
      return value == 0 ? nil : base.table[value]
    }
    guard let version = shownVersion else { return nil }
    let value = version.labels[view.crosshair]
    return value == 0 ? nil : version.table[value]
  }

  private mutating func pickLabel() {
    guard let label = labelAtCrosshair else {
      message = Message("no label under the crosshair", .warning)
      return
    }
    selectedLabel = shownVersion?.key(of: label)
    showSelectedLabelMessage()
  }

  /// Shows the name of the selected label, and whether it is visible.
  private mutating func showSelectedLabelMessage() {
    guard let version = shownVersion, let position = version.position(selectedLabel) else { return }
    let label = version.table.labels[position]
    let state =
      version.statistics(of: label.value) == nil
      ? "it has no voxel in this version" : isVisible(label, of: version) ? "G goes there" : "it is hidden"
    message = Message("selected \(label.name), \(position + 1) of \(version.table.labels.count); \(state)")
  }

  private mutating func jumpToSelectedLabel() {
    if selectedLabel == nil { selectLabel(1) }
    guard let label = shownVersion?.label(selectedLabel) else { return }
    jump(to: label)
  }

  /// Moves the crosshair to the largest slice of the label's largest component.
  mutating func jump(to label: Label) {
    guard let statistics = shownVersion?.statistics(of: label.value) else {
      message = Message("\(label.name) has no voxel in this version", .warning)
      return
    }
    selectedLabel = shownVersion?.key(of: label)
    moveCrosshair(to: statistics.centre)
    if view.zoom > 1 { view.centre = continuous(view.crosshair) }
  }
}
