import Screen
import Volumes

extension Action {
  /// Moves of the crosshair; while the picture is panned, `step` pans it.
  package enum Move: ActionGroup {
    case scroll(Int), firstSlice, lastSlice, step(Direction, Int), stepOnScreen(Direction)

    package enum Direction: Hashable, Sendable { case left, right, up, down }

    static let bindings: [KeyBinding] = [
      KeyTable.bind(
        .picture, [.pageUp, "]"], .move(.scroll(1)), "next slice, towards head, front or right", bar: "slice",
        barKeys: [.pageUp, .pageDown], rank: 3),
      KeyTable.bind(.picture, [.pageDown, "["], .move(.scroll(-1)), "previous slice"),
      KeyTable.bind(.picture, [">"], .move(.scroll(10)), "ten slices on"),
      KeyTable.bind(.picture, ["<"], .move(.scroll(-10)), "ten slices back"),
      KeyTable.bind(.picture, [.end], .move(.lastSlice), "last slice"),
      KeyTable.bind(.picture, [.home], .move(.firstSlice), "first slice"),
      KeyTable.bind(
        .picture, [.left], .move(.stepOnScreen(.left)),
        "crosshair left, a pixel of the screen, at least a voxel"),
      KeyTable.bind(.picture, [.right], .move(.stepOnScreen(.right)), "crosshair right"),
      KeyTable.bind(.picture, [.up], .move(.stepOnScreen(.up)), "crosshair up"),
      KeyTable.bind(.picture, [.down], .move(.stepOnScreen(.down)), "crosshair down"),
      KeyTable.bind(.picture, ["h"], .move(.step(.left, 1)), "a voxel left"),
      KeyTable.bind(.picture, ["l"], .move(.step(.right, 1)), "a voxel right"),
      KeyTable.bind(.picture, ["k"], .move(.step(.up, 1)), "a voxel up"),
      KeyTable.bind(.picture, ["j"], .move(.step(.down, 1)), "a voxel down"),
      KeyTable.bind(.picture, ["H"], .move(.step(.left, 10)), "ten voxels left"),
      KeyTable.bind(.picture, ["L"], .move(.step(.right, 10)), "ten voxels right"),
      KeyTable.bind(.picture, ["K"], .move(.step(.up, 10)), "ten voxels up"),
      KeyTable.bind(.picture, ["J"], .move(.step(.down, 10)), "ten voxels down"),
      KeyTable.bind(
        .pan, [.left, "h"], .move(.step(.left, 1)), "show more of the left", bar: "move",
        barKeys: [.left, .right, .up, .down]),
      KeyTable.bind(.pan, [.right, "l"], .move(.step(.right, 1)), "show more of the right"),
      KeyTable.bind(.pan, [.up, "k"], .move(.step(.up, 1)), "show more of the top"),
      KeyTable.bind(.pan, [.down, "j"], .move(.step(.down, 1)), "show more of the bottom"),
    ]
  }
}

extension ReviewState {
  /// Moves the crosshair, or pans the picture while that is what the arrows do.
  mutating func move(_ move: Action.Move) {
    switch move {
    case .scroll(let count): scroll(count, view.activePlane)
    case .firstSlice: scroll(-.max, view.activePlane)
    case .lastSlice: scroll(.max, view.activePlane)
    case .step(let direction, let count): view.isPanning ? pan(direction) : step(direction, count)
    case .stepOnScreen(let direction):
      view.isPanning ? pan(direction) : step(direction, pixelVoxels(direction))
    }
  }

  /// Moves the crosshair across a plane's slices, towards right, front or head for positive counts.
  mutating func scroll(_ count: Int, _ plane: AnatomicalPlane) {
    let geometry = geometry(plane)
    let position = view.crosshair[geometry.sliceAxis]
    // Clamped first, so that "to the last slice" does not overflow.
    let steps = min(max(count, -geometry.sliceCount), geometry.sliceCount) * geometry.sliceSign
    view.crosshair[geometry.sliceAxis] = min(max(0, position + steps), geometry.sliceCount - 1)
    scrollToCrosshair()
  }

  private mutating func step(_ direction: Action.Move.Direction, _ count: Int) {
    let geometry = geometry(view.activePlane)
    let isHorizontal = direction == .left || direction == .right
    let axis = isHorizontal ? geometry.horizontalAxis : geometry.verticalAxis
    let sign = isHorizontal ? geometry.horizontalSign : geometry.verticalSign
    let steps = (direction == .right || direction == .down ? count : -count) * sign
    view.crosshair[axis] = min(max(0, view.crosshair[axis] + steps), grid.size[axis] - 1)
    scrollToCrosshair()
  }

  /// The voxels that a pixel of the active pane covers in a direction, at least one.
  private func pixelVoxels(_ direction: Action.Move.Direction) -> Int {
    guard let pane = layout.panes.first(where: { $0.plane == view.activePlane }) else { return 1 }
    let visible = visibleVoxels(pane)
    let voxels = direction == .left || direction == .right ? visible.across : visible.down
    // The step must move the crosshair by about a pixel; a tenth of a pixel less is still visible.
    return max(1, Int(saturating: (voxels - 0.1).rounded(.up)))
  }

  /// Pans the active pane by an eighth of its size.
  private mutating func pan(_ direction: Action.Move.Direction) {
    guard let pane = layout.panes.first(where: { $0.plane == view.activePlane }) else { return }
    let projection = projection(pane)
    let right = direction == .left ? -1 : direction == .right ? 1 : 0
    let down = direction == .up ? -1 : direction == .down ? 1 : 0
    pan(pane, columns: Double(right * projection.width) / 8, rows: Double(down * projection.height) / 8)
  }

  /// Pans a pane by pixels, limited to the image.
  mutating func pan(_ pane: ScreenLayout.Pane, columns: Double, rows: Double) {
    let projection = projection(pane)
    let geometry = projection.geometry
    view.centre[geometry.horizontalAxis] =
      projection.horizontalIndex(atPixel: Double(projection.width) / 2 + columns)
    view.centre[geometry.verticalAxis] =
      projection.verticalIndex(atPixel: Double(projection.height) / 2 + rows)
    clampCentre()
  }

  /// Moves the crosshair, and pans so that it stays visible.
  mutating func moveCrosshair(to index: VoxelIndex) {
    for axis in 0..<3 { view.crosshair[axis] = min(max(0, index[axis]), grid.size[axis] - 1) }
    scrollToCrosshair()
  }

  /// Pans each pane by the least amount that makes the crosshair visible.
  mutating func scrollToCrosshair() {
    guard view.zoom > 1 else {
      view.centre = gridCentre
      return
    }
    for pane in layout.panes {
      let projection = projection(pane)
      let geometry = projection.geometry
      func shifted(_ axis: Int, _ one: Double, _ other: Double) {
        let (low, high) = (min(one, other), max(one, other))
        let position = Double(view.crosshair[axis])
        if position < low { view.centre[axis] -= low - position }
        if position > high { view.centre[axis] += position - high }
      }
      guard projection.width > 2, projection.height > 2 else { continue }
      shifted(
        geometry.horizontalAxis, projection.horizontalIndex(atPixel: 1),
        projection.horizontalIndex(atPixel: Double(projection.width) - 1))
      shifted(
        geometry.verticalAxis, projection.verticalIndex(atPixel: 1),
        projection.verticalIndex(atPixel: Double(projection.height) - 1))
    }
    clampCentre()
  }

  /// The middle of the image.
  var gridCentre: SIMD3<Double> {
    SIMD3(Double(grid.size.i - 1) / 2, Double(grid.size.j - 1) / 2, Double(grid.size.k - 1) / 2)
  }

  /// A voxel's centre.
  func continuous(_ index: VoxelIndex) -> SIMD3<Double> {
    SIMD3(Double(index.i), Double(index.j), Double(index.k))
  }

  private mutating func clampCentre() {
    for axis in 0..<3 { view.centre[axis] = min(max(0, view.centre[axis]), Double(grid.size[axis] - 1)) }
  }
}
