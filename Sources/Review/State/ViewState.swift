import Volumes

/// Which side of the patient the screen's left is.
package enum DisplayConvention: String, Equatable, Sendable {
  /// The patient's right on the screen's left, as if seen from the feet.
  case radiological
  /// The patient's left on the screen's left.
  case neurological
}

/// Where and how the reviewer looks.
package struct ViewState: Equatable, Sendable {
  /// How labels lie on the image.
  package struct Overlay: Equatable, Sendable {
    /// How a label is drawn.
    package enum Style: Equatable, Sendable { case fill, outline }
    /// Whether labels are drawn at all.
    package var isShown = true
    /// How they are drawn.
    package var style = Style.outline
    /// Share of the label's colour in a fill, 0.1...1.
    package var opacity = 0.4
  }

  /// The voxel that all planes pass through.
  package var crosshair = VoxelIndex(0, 0, 0)
  /// The plane that keys act on.
  package var activePlane = AnatomicalPlane.axial
  /// Whether only the active plane is shown.
  package var isMaximised = false
  /// 1 shows the whole image in each pane.
  package var zoom = 1.0
  /// The continuous voxel index in the middle of each pane.
  package var centre = SIMD3<Double>(0, 0, 0)
  /// Whether arrows move the picture instead of the crosshair.
  package var isPanning = false
  /// Which side the patient's right is on.
  package var convention = DisplayConvention.radiological
  /// How labels lie on the image.
  package var overlay = Overlay()
  /// Whether the overlay shows where A and B differ.
  package var showsDifference = false
  /// Whether the crosshair is drawn.
  package var showsCrosshair = true
  /// Whether letters are drawn into the panes.
  package var showsAnnotations = true
}

/// What a reviewer made and decided.
package struct Decisions: Equatable, Sendable {
  /// Which of two versions is shown.
  package enum Side: Equatable, Sendable { case a, b }

  /// Every version, oldest first.
  package var versions: [Version] = []
  /// The versions that flip and compare.
  package var a, b: VersionID?
  /// Which of them is shown.
  package var shownSide = Side.a
  /// Which labels of which versions the reviewer said are one structure.
  package var pairings: [LabelPairing] = []
  /// Labels that are not drawn, by ``Version/key(of:)``.
  package var hiddenLabels: Set<String> = []
  /// The only label drawn, by ``Version/key(of:)``.
  package var soloLabel: String?
  /// Black and white.
  package var window = IntensityWindow(lower: 0, upper: 1)
  /// What the window is called; nil when its numbers were typed or dragged.
  package var windowName: String?
  /// The CRF's knobs.
  package var knobs = KnobSettings()
  /// What was decided about the case.
  package var verdict: Verdict?
}

/// A decision about the version shown.
package struct Verdict: Equatable, Sendable {
  /// The decision.
  package enum Kind: String, Equatable, Sendable { case accepted, rejected, flagged }
  /// The decision.
  package var kind: Kind
  /// About this version.
  package var version: VersionID

  /// A verdict.
  package init(kind: Kind, version: VersionID) {
    self.kind = kind
    self.version = version
  }
}

/// Decisions before and after the present ones, each with what was done.
package struct UndoHistory: Equatable, Sendable {
  /// One step.
  package struct Step: Equatable, Sendable {
    /// What was done: "hide spleen".
    package var name: String
    /// The decisions on the other side of it.
    package var decisions: Decisions
  }

  /// Steps that can be undone, the latest last.
  package var past: [Step] = []
  /// Steps that were undone, the next one to redo last.
  package var future: [Step] = []

  /// Steps that are kept.
  private static let depth = 200

  /// Notes a step away from `decisions`; a step of the same name right after another joins it when `joins`.
  mutating func record(_ name: String, from decisions: Decisions, joins: Bool) {
    future = []
    if joins, past.last?.name == name { return }
    past.append(Step(name: name, decisions: decisions))
    if past.count > UndoHistory.depth { past.removeFirst() }
  }
}
