import Volumes

/// The view: plane, crosshair, zoom, window, overlay.
package struct ViewState: Equatable, Sendable {
  /// The label overlay.
  package struct Overlay: Equatable, Sendable {
    package enum Style: String, Equatable, Sendable, Codable { case fill, outline }
    /// Whether labels are drawn at all.
    package var isShown = true
    package var style = Style.outline
    /// Fraction of the label's colour in a fill, 0.1...1.
    package var opacity = 0.4

    package init() {}
  }

  /// The frame of the image that is shown, counted from 0.
  package var frame = 0
  /// The voxel that all planes pass through.
  package var crosshair = VoxelIndex(0, 0, 0)
  /// The plane that keys act on.
  package var activePlane = AnatomicalPlane.axial
  /// Whether only the active plane is shown.
  package var isMaximised = false
  /// Whether the panel is shown beside the panes.
  package var showsPanel = true
  /// The magnification; 1 shows the whole image in each pane.
  package var zoom = 1.0
  /// The continuous voxel index in the middle of each pane.
  package var centre = SIMD3<Double>(0, 0, 0)
  /// Whether arrows move the picture instead of the crosshair.
  package var isPanning = false
  /// The side of the screen that shows the patient's right.
  package var convention = DisplayConvention.radiological
  /// The intensities that are black and white.
  package var window = IntensityWindow(lower: 0, upper: 1)
  /// The window's name; nil for a window that was typed or dragged.
  package var windowName: String?
  package var overlay = Overlay()
  /// The map of the network's probabilities that is shown.
  package var map = ProbabilityMap.off
  /// How the panes show A and B together.
  package var comparison = ComparisonView.off
  /// Whether the crosshair is drawn.
  package var showsCrosshair = true
  /// Whether the letters of the directions (L, R, A, P, S, I) are drawn into the panes.
  package var showsAnnotations = true
  /// Whether strips of all slices are shown beside the panes that are wide enough.
  package var showsStrips = true

  /// The whole image from its first voxel, in a window of 0 to 1.
  package init() {}
}

/// The versions of a case and the reviewer's decisions.
package struct Decisions: Equatable, Sendable {
  /// One of the two versions that are compared, and between which a key flips.
  package enum Side: String, Equatable, Sendable, Codable { case a, b }

  /// Every version, oldest first.
  ///
  /// Undo restores names and colours of labels but never removes a version; ``ReviewState/presentVersions`` are those
  /// without copies whose edits were undone.
  package var versions: [Version] = []
  /// The two versions that are compared.
  package var a, b: VersionID?
  /// The side that is shown.
  package var shownSide = Side.a
  /// The reviewer's pairings of labels.
  package var pairings: [LabelPairing] = []
  /// Labels that are not drawn, by ``Version/key(of:)``.
  package var hiddenLabels: Set<String> = []
  /// The only label drawn, by ``Version/key(of:)``.
  package var soloLabel: String?
  /// The CRF's knobs.
  package var knobs = KnobSettings()
  package var verdicts = Verdicts()

  package init() {}
}
