import Screen
import Volumes

extension ReviewState {
  /// Handles a click, a drag or the wheel.
  mutating func handleMouse(_ event: MouseEvent) -> [ReviewEffect] {
    if event.action == .release {
      lastDrag = nil
      draggedStrip = nil
      return []
    }
    switch event.action {
    case .wheelUp, .wheelDown:
      let steps = event.action == .wheelUp ? 1 : -1
      if event.isControlHeld {
        zoom(steps)
      } else if let pane = layout.pane(at: event.cell) {
        scroll(steps, pane.plane)
      } else if layout.panel.contains(event.cell) {
        movePointer(.entries(-steps))
      }
    case .press, .drag: drag(event)
    case .release: break
    }
    return []
  }

  /// Performs the action of what the screen shows at a cell: a key of the key bar, an entry of a list, or a part of the
  /// status lines.
  mutating func click(_ cell: ScreenCell) -> [ReviewEffect] {
    switch clickTarget(at: cell) {
    case nil: return []
    case .key(let key): return handleKey(key)
    case .pictureKey(let key): return pressInPicture(key)
    case .candidate(let position): return clickCandidate(position)
    case .labelOfOther(let value):
      if let label = otherVersion?.table.labels.first(where: { Int($0.value) == value }) {
        jumpInOther(to: label)
      }
      return []
    // Tables of the case are not sorted.
    case .heading: return []
    case .entry(let entry, let opening):
      let effects = opening.map { pressInPicture($0) } ?? []
      guard let list = pointedList, list.count > entry else { return effects }
      // A click on the selected entry accepts it.
      if opening == nil, list.position == entry { return handleKey(.enter) }
      pointTo(entry)
      return effects
    }
  }

  private mutating func drag(_ event: MouseEvent) {
    if event.action == .press {
      draggedStrip = event.button == 1 ? layout.panes.firstIndex { $0.strip.contains(event.cell) } : nil
    }
    let panes = layout.panes
    if let position = draggedStrip, panes.indices.contains(position) {
      let pane = panes[position]
      view.activePlane = pane.plane
      var voxel = view.crosshair
      let scale = StripScale(geometry(pane.plane), rows: pane.strip.rows)
      voxel[scale.geometry.sliceAxis] = scale.slice(atRow: event.cell.row - pane.strip.row)
      return moveCrosshair(to: voxel)
    }
    guard let pane = layout.pane(at: event.cell), event.action == .press || lastDrag != nil else { return }
    if event.action == .press {
      view.activePlane = pane.plane
      lastDrag = event.cell
    }
    let before = lastDrag ?? event.cell
    lastDrag = event.cell
    let columns = event.cell.column - before.column
    let rows = event.cell.row - before.row
    let pixels = capabilities.pixelsPerCell(.full)
    switch event.button {
    case 1: if pane.picture.contains(event.cell) { moveCrosshair(to: voxel(at: event.point, in: pane)) }
    case 2: pan(pane, columns: Double(-columns * pixels.columns), rows: Double(-rows * pixels.rows))
    default:
      guard columns != 0 || rows != 0 else { return }
      let window = view.window
      let step = max(window.width, 1e-6) / 60
      choose(
        IntensityWindow(
          centre: window.centre + Double(rows) * step,
          width: max(window.width + Double(columns) * step, step)))
    }
  }
}
