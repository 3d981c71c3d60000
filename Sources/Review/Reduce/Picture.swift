extension ReviewState {
  private static let zoomStep = 1.25
  private static let zoomRange = 1.0...40.0

  /// Changes what the panes show and how.
  mutating func changePicture(_ change: Action.PictureChange) {
    switch change {
    case .choosePlane(let plane): view.activePlane = plane
    case .recentre: view.centre = continuous(view.crosshair)
    case .toggleLayout:
      view.isMaximised.toggle()
      let three = ScreenLayout.threePlanes
      if screen.rows < three.rows || screen.columns < three.columns {
        message = Message("three planes need a screen of \(three.columns)x\(three.rows)", .warning)
      }
      keepCrosshairInSight()
    case .zoom(let steps): zoom(steps)
    case .fit:
      view.zoom = 1
      view.centre = gridCentre
    case .pan:
      view.isPanning = true
      if view.zoom == 1 { message = Message("the whole image is in sight; + comes closer") }
    case .automaticWindow: choose(intensities.presets[0])
    case .toggleConvention:
      view.convention = view.convention == .radiological ? .neurological : .radiological
      message = Message(
        view.convention == .radiological
          ? "radiological: the patient's right is on the left"
          : "neurological: the patient's left is on the left")
    case .toggleCrosshair: view.showsCrosshair.toggle()
    case .toggleAnnotations: view.showsAnnotations.toggle()
    }
  }

  /// Comes closer for positive steps; the crosshair stays in sight.
  mutating func zoom(_ steps: Int) {
    var zoom = view.zoom
    for _ in 0..<abs(steps) { zoom *= steps > 0 ? ReviewState.zoomStep : 1 / ReviewState.zoomStep }
    // Rounding leaves 0.9999 or 1.0001 where the reviewer means the whole image.
    if abs(zoom - 1) < 0.01 { zoom = 1 }
    if view.zoom == 1, zoom > 1 { view.centre = continuous(view.crosshair) }
    view.zoom = min(max(zoom, ReviewState.zoomRange.lowerBound), ReviewState.zoomRange.upperBound)
    keepCrosshairInSight()
  }

  /// Sets a window with a name.
  mutating func choose(_ preset: WindowPreset) {
    view.window = preset.window
    view.windowName = preset.name
  }

  /// Sets a window that was typed or dragged.
  mutating func choose(_ window: IntensityWindow) {
    view.window = window
    view.windowName = nil
  }

  /// The preset in use, else the first.
  var selectedWindow: Int { intensities.presets.firstIndex { $0.name == view.windowName } ?? 0 }
}
