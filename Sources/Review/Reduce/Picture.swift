import Screen
import Volumes

extension Action {
  /// Changes of the picture in the panes: plane, zoom, window and annotations.
  package enum PictureChange: ActionGroup {
    case choosePlane(AnatomicalPlane), goTo, recentre
    case toggleLayout, zoom(Int), fit, pan, chooseWindow, automaticWindow, toggleConvention, toggleCrosshair,
      toggleAnnotations, toggleStrips, togglePanel
    case nudgeWindow(width: Int, centre: Int), cine

    /// Whether it only changes what is seen of the image, without a dialog or a mode.
    var isOfView: Bool {
      switch self {
      case .choosePlane, .recentre, .toggleLayout, .zoom, .fit, .automaticWindow, .toggleConvention,
        .toggleCrosshair, .toggleAnnotations, .toggleStrips, .togglePanel, .nudgeWindow:
        true
      case .goTo, .pan, .chooseWindow, .cine: false
      }
    }

    static let bindings: [KeyBinding] = [
      KeyTable.bind(
        .picture, ["a"], .picture(.choosePlane(.axial)), "axial plane", bar: "plane",
        barKeys: ["a", "c", "s"],
        rank: 4),
      KeyTable.bind(.picture, ["c"], .picture(.choosePlane(.coronal)), "coronal plane"),
      KeyTable.bind(.picture, ["s"], .picture(.choosePlane(.sagittal)), "sagittal plane"),
      KeyTable.bind(
        .picture, ["g"], .picture(.goTo), "go to a slice, i,j,k, x,y,zmm or a label", bar: "go to", rank: 4),
      KeyTable.bind(.picture, ["r"], .picture(.recentre), "centre the panes on the crosshair"),
      KeyTable.bind(.picture, [.enter, "o"], .picture(.toggleLayout), "one plane or all three"),
      KeyTable.bind(.picture, ["+", "="], .picture(.zoom(1)), "closer"),
      KeyTable.bind(.picture, ["-"], .picture(.zoom(-1)), "further away"),
      KeyTable.bind(.picture, ["0"], .picture(.fit), "the whole image"),
      KeyTable.bind(.picture, ["P"], .picture(.pan), "move the picture with the arrows"),
      KeyTable.bind(.picture, ["w"], .picture(.chooseWindow), "choose a window", bar: "window", rank: 3),
      KeyTable.bind(.picture, ["W"], .picture(.automaticWindow), "automatic window"),
      KeyTable.bind(.picture, ["6"], .picture(.nudgeWindow(width: -1, centre: 0)), "narrower window"),
      KeyTable.bind(.picture, ["7"], .picture(.nudgeWindow(width: 1, centre: 0)), "wider window"),
      KeyTable.bind(
        .picture, ["8"], .picture(.nudgeWindow(width: 0, centre: -1)), "lower window, brighter picture"),
      KeyTable.bind(
        .picture, ["9"], .picture(.nudgeWindow(width: 0, centre: 1)), "higher window, darker picture"),
      KeyTable.bind(.picture, ["O"], .picture(.toggleConvention), "radiological or neurological sides"),
      KeyTable.bind(.picture, ["x"], .picture(.toggleCrosshair), "crosshair on or off"),
      KeyTable.bind(.picture, ["X"], .picture(.toggleAnnotations), "letters in the panes on or off"),
      KeyTable.bind(
        .picture, ["|"], .picture(.toggleStrips), "strips of all slices beside the panes on or off"),
      KeyTable.bind(.picture, ["\\"], .picture(.togglePanel), "panel on or off", bar: "panel", rank: 4),
      KeyTable.bind(.picture, ["V"], .picture(.cine), "cine: slices one after the other; any key stops it"),
    ]
  }
}

extension ReviewState {
  private static let zoomStep = 1.25
  private static let zoomRange = 1.0...40.0

  /// Changes what the panes show and how.
  mutating func changePicture(_ change: Action.PictureChange) -> [ReviewEffect] {
    switch change {
    case .choosePlane(let plane): view.activePlane = plane
    case .goTo: return openLine(.goTo)
    case .recentre: view.centre = continuous(view.crosshair)
    case .toggleLayout where !versionsInGrid.isEmpty:
      message = Message("versions are shown of one plane (a, c, s); # shows one version again", .warning)
    case .toggleLayout:
      view.isMaximised.toggle()
      if !hasRoomForThreePlanes {
        let three = ScreenLayout.threePlanes
        message = Message(
          isSideBySide
            ? "three planes side by side need a larger screen"
            : "three planes need a screen of \(three.columns)x\(three.rows)"
              + (view.showsPanel ? ", or fewer columns without the panel (\\)" : ""), .warning)
      }
      scrollToCrosshair()
    case .zoom(let steps): zoom(steps)
    case .fit:
      view.zoom = 1
      view.centre = gridCentre
    case .pan:
      view.isPanning = true
      if view.zoom == 1 { message = Message("the whole image is visible; + zooms in") }
    case .chooseWindow: dialog = .windows(selected: selectedWindow)
    case .automaticWindow: choose(intensities.presets[0])
    case .toggleConvention:
      view.convention = view.convention == .radiological ? .neurological : .radiological
      message = Message(
        view.convention == .radiological
          ? "radiological: the patient's right is on the left"
          : "neurological: the patient's left is on the left")
    case .toggleCrosshair: view.showsCrosshair.toggle()
    case .toggleAnnotations: view.showsAnnotations.toggle()
    case .toggleStrips: toggleStrips()
    case .nudgeWindow(let width, let centre): nudgeWindow(width: width, centre: centre)
    case .cine: startCine()
    case .togglePanel:
      view.showsPanel.toggle()
      scrollToCrosshair()
    }
    return []
  }

  /// Whether all three planes are shown where none is alone.
  private var hasRoomForThreePlanes: Bool {
    var state = self
    state.view.isMaximised = false
    return Set(state.layout.panes.map(\.plane)).count == 3
  }

  /// Zooms in for positive steps; the crosshair stays visible.
  mutating func zoom(_ steps: Int) {
    var zoom = view.zoom
    for _ in 0..<abs(steps) { zoom *= steps > 0 ? ReviewState.zoomStep : 1 / ReviewState.zoomStep }
    // Rounding leaves 0.9999 or 1.0001 where the reviewer means the whole image.
    if abs(zoom - 1) < 0.01 { zoom = 1 }
    if view.zoom == 1, zoom > 1 { view.centre = continuous(view.crosshair) }
    view.zoom = min(max(zoom, ReviewState.zoomRange.lowerBound), ReviewState.zoomRange.upperBound)
    scrollToCrosshair()
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

/// The settings of a view that also apply to the next case.
package struct DisplaySettings: Equatable, Sendable {
  private let view: ViewState
  private let isCT: Bool

  /// The settings of a view; `isCT` is whether its window is in Hounsfield units.
  init(_ view: ViewState, isCT: Bool) {
    self.view = view
    self.isCT = isCT
  }
}

extension DisplaySettings {
  /// Shows another case with these settings.
  ///
  /// A window without a name applies only from CT to CT.
  func apply(to state: inout ReviewState) {
    if state.onlyPlane == nil { state.view.activePlane = view.activePlane }
    state.view.isMaximised = view.isMaximised
    state.view.convention = view.convention
    state.view.overlay = view.overlay
    state.view.showsCrosshair = view.showsCrosshair
    state.view.showsAnnotations = view.showsAnnotations
    state.view.showsStrips = view.showsStrips
    state.view.showsPanel = view.showsPanel
    if view.comparison != .difference, state.comparedLabels != nil { state.view.comparison = view.comparison }
    if let name = view.windowName {
      if let preset = state.intensities.presets.first(where: { $0.name == name }) { state.choose(preset) }
    } else if isCT, state.intensities.looksLikeCT {
      state.choose(view.window)
    }
  }
}

extension ReviewState {
  /// The settings of this case's view that also apply to the next case.
  var displaySettings: DisplaySettings { DisplaySettings(view, isCT: intensities.looksLikeCT) }

  /// Shows this case with the settings of another, unless its view was changed since it was opened.
  mutating func apply(_ settings: DisplaySettings) {
    guard phase == .reviewing else {
      previousDisplaySettings = settings
      if isImageShownEarly, view == viewAtOpening {
        settings.apply(to: &self)
        viewAtOpening = view
      }
      return
    }
    guard view == viewAtOpening else { return }
    settings.apply(to: &self)
    viewAtOpening = view
  }
}
