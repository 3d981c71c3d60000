import Volumes

// The JSON of a review's state in a journal. A field that is missing, because an older program wrote the
// journal, keeps its first value; nothing that was ever written changes its meaning.

extension VersionID: Codable {
  /// The number alone.
  package init(from decoder: any Decoder) throws {
    number = try decoder.singleValueContainer().decode(Int.self)
  }

  /// The number alone.
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(number)
  }
}

extension Verdicts: Codable {
  private enum Key: String, CodingKey {
    case accepted, rejected, caseRejected, flagged, needsWork, score, comment, tags
  }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    self.init(
      accepted: try values.decodeIfPresent(VersionID.self, forKey: .accepted),
      rejected: try values.decodeIfPresent(Set<VersionID>.self, forKey: .rejected) ?? [],
      isCaseRejected: try values.decodeIfPresent(Bool.self, forKey: .caseRejected) ?? false,
      isFlagged: try values.decodeIfPresent(Bool.self, forKey: .flagged) ?? false,
      needsWork: try values.decodeIfPresent(Bool.self, forKey: .needsWork) ?? false,
      score: try values.decodeIfPresent(Int.self, forKey: .score).flatMap {
        Verdicts.scores.contains($0) ? $0 : nil
      },
      comment: cleaned(try values.decodeIfPresent(String.self, forKey: .comment) ?? ""),
      tags: try values.decodeIfPresent([String].self, forKey: .tags)?.map { cleaned($0) } ?? [])
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    try values.encodeIfPresent(accepted, forKey: .accepted)
    try values.encode(rejected.sorted(), forKey: .rejected)
    if isCaseRejected { try values.encode(true, forKey: .caseRejected) }
    try values.encode(isFlagged, forKey: .flagged)
    if needsWork { try values.encode(true, forKey: .needsWork) }
    try values.encodeIfPresent(score, forKey: .score)
    if !comment.isEmpty { try values.encode(comment, forKey: .comment) }
    if !tags.isEmpty { try values.encode(tags, forKey: .tags) }
  }
}

extension Decisions: Codable {
  private enum Key: String, CodingKey {
    case a, b, side, pairings, hidden, solo, kernels, maskConfidence, verdicts
  }

  /// Reads decisions; the versions are written by themselves.
  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    self.init()
    a = try values.decodeIfPresent(VersionID.self, forKey: .a)
    b = try values.decodeIfPresent(VersionID.self, forKey: .b)
    shownSide = try values.decodeIfPresent(Side.self, forKey: .side) ?? shownSide
    pairings = try values.decodeIfPresent([LabelPairing].self, forKey: .pairings) ?? pairings
    hiddenLabels = try values.decodeIfPresent(Set<String>.self, forKey: .hidden) ?? hiddenLabels
    soloLabel = try values.decodeIfPresent(String.self, forKey: .solo)
    knobs = KnobSettings(
      refinement: try values.decodeIfPresent(RefinementSettings.self, forKey: .kernels) ?? knobs.refinement,
      maskConfidence: try values.decodeIfPresent(Double.self, forKey: .maskConfidence)
        ?? knobs.maskConfidence)
    verdicts = try values.decodeIfPresent(Verdicts.self, forKey: .verdicts) ?? verdicts
  }

  /// Writes everything but the versions.
  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    try values.encodeIfPresent(a, forKey: .a)
    try values.encodeIfPresent(b, forKey: .b)
    try values.encode(shownSide, forKey: .side)
    try values.encode(pairings, forKey: .pairings)
    try values.encode(hiddenLabels.sorted(), forKey: .hidden)
    try values.encodeIfPresent(soloLabel, forKey: .solo)
    try values.encode(knobs.refinement, forKey: .kernels)
    try values.encode(knobs.maskConfidence, forKey: .maskConfidence)
    try values.encode(verdicts, forKey: .verdicts)
  }
}

extension LabelPairing: Codable {
  private enum Key: String, CodingKey { case older, newer, partners, kept }

  /// Reads a pairing; the partners are a list in which each label is followed by its partner.
  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    self.init(
      try values.decode(VersionID.self, forKey: .older), try values.decode(VersionID.self, forKey: .newer),
      partners: try values.decode([UInt16: UInt16].self, forKey: .partners),
      isConfirmed: try values.decodeIfPresent(Bool.self, forKey: .kept) != true)
  }

  /// Writes a pairing, its labels ascending.
  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    try values.encode(older, forKey: .older)
    try values.encode(newer, forKey: .newer)
    try values.encode(partners.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] }, forKey: .partners)
    if !isConfirmed { try values.encode(true, forKey: .kept) }
  }
}

extension ViewState: Codable {
  private enum Key: String, CodingKey {
    case crosshair, plane, maximised, zoom, centre, convention, window, windowName, labels, style, opacity,
      difference
    case crosshairShown, annotations, frame, strips, comparison, panel, map
  }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    self.init()
    frame = try values.decodeIfPresent(Int.self, forKey: .frame) ?? frame
    crosshair = try values.decodeIfPresent(VoxelIndex.self, forKey: .crosshair) ?? crosshair
    activePlane = try values.decodeIfPresent(AnatomicalPlane.self, forKey: .plane) ?? activePlane
    isMaximised = try values.decodeIfPresent(Bool.self, forKey: .maximised) ?? isMaximised
    zoom = try values.decodeIfPresent(Double.self, forKey: .zoom) ?? zoom
    centre = try values.decodeIfPresent(SIMD3<Double>.self, forKey: .centre) ?? centre
    convention = try values.decodeIfPresent(DisplayConvention.self, forKey: .convention) ?? convention
    let window = try values.decodeIfPresent(IntensityWindow.self, forKey: .window) ?? self.window
    // Bounds that do not ascend, or are not numbers, would leave nothing to see.
    if window.lower.isFinite, window.upper.isFinite {
      self.window = IntensityWindow(lower: window.lower, upper: window.upper)
    }
    windowName = try values.decodeIfPresent(String.self, forKey: .windowName)
    overlay.isShown = try values.decodeIfPresent(Bool.self, forKey: .labels) ?? overlay.isShown
    overlay.style = try values.decodeIfPresent(Overlay.Style.self, forKey: .style) ?? overlay.style
    overlay.opacity = try values.decodeIfPresent(Double.self, forKey: .opacity) ?? overlay.opacity
    let showsDifference = try values.decodeIfPresent(Bool.self, forKey: .difference) ?? false
    // A later program may know more views.
    comparison =
      try values.decodeIfPresent(String.self, forKey: .comparison).flatMap(ComparisonView.init(rawValue:))
      ?? (showsDifference ? .difference : .off)
    showsCrosshair = try values.decodeIfPresent(Bool.self, forKey: .crosshairShown) ?? showsCrosshair
    showsAnnotations = try values.decodeIfPresent(Bool.self, forKey: .annotations) ?? showsAnnotations
    showsStrips = try values.decodeIfPresent(Bool.self, forKey: .strips) ?? showsStrips
    map =
      try values.decodeIfPresent(String.self, forKey: .map).flatMap(ProbabilityMap.init(rawValue:)) ?? map
    showsPanel = try values.decodeIfPresent(Bool.self, forKey: .panel) ?? showsPanel
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    if frame != 0 { try values.encode(frame, forKey: .frame) }
    try values.encode(crosshair, forKey: .crosshair)
    try values.encode(activePlane, forKey: .plane)
    try values.encode(isMaximised, forKey: .maximised)
    try values.encode(zoom, forKey: .zoom)
    try values.encode(centre, forKey: .centre)
    try values.encode(convention, forKey: .convention)
    try values.encode(window, forKey: .window)
    try values.encodeIfPresent(windowName, forKey: .windowName)
    try values.encode(overlay.isShown, forKey: .labels)
    try values.encode(overlay.style, forKey: .style)
    try values.encode(overlay.opacity, forKey: .opacity)
    try values.encode(comparison == .difference, forKey: .difference)
    if comparison != .off, comparison != .difference { try values.encode(comparison, forKey: .comparison) }
    try values.encode(showsCrosshair, forKey: .crosshairShown)
    try values.encode(showsAnnotations, forKey: .annotations)
    if !showsStrips { try values.encode(false, forKey: .strips) }
    if map != .off { try values.encode(map, forKey: .map) }
    if !showsPanel { try values.encode(false, forKey: .panel) }
  }
}
