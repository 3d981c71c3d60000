import Screen
import Volumes

/// Makes the label layers of all panes of one frame; created once for all planes.
struct OverlayPainter {
  /// The content of the overlay.
  private enum Content {
    case nothing
    case labels(LabelLayer)
    case difference(DifferenceLayer)
    /// Two versions: A and B, or the labels before and after refinement.
    case compared(LabelLayer, LabelLayer)
    /// Versions of which each pane shows one.
    case versions([VersionID: LabelLayer])
  }

  private let content: Content
  private let comparison: ComparisonView
  /// The one of the two versions that is shown.
  private let shownSide: Decisions.Side
  private let style: ViewState.Overlay.Style
  private let opacity: Double
  private let blends: Bool
  private let crosshair: VoxelIndex
  private let pixelsPerCell: PixelsPerCell

  /// The overlay of a frame whose pictures have `pixelsPerCell`.
  init(_ state: ReviewState, _ pixelsPerCell: PixelsPerCell) {
    self.pixelsPerCell = pixelsPerCell
    // A fill would hide the probability map below it.
    style = state.mappedVersion(nil) == nil ? state.view.overlay.style : .outline
    opacity = state.view.overlay.opacity
    blends = state.capabilities.colourDepth == .trueColour
    crosshair = state.view.crosshair
    shownSide = state.shownSide
    let shown = state.shownComparison
    comparison = shown?.view ?? .off
    if !state.view.overlay.isShown {
      content = .nothing
    } else if let shown {
      let versions = state.versionsInGrid
      content =
        versions.isEmpty
        ? OverlayPainter.content(shown.view, shown.labels, state)
        : .versions(
          Dictionary(
            versions.map { version in (version.id, LabelLayer(version) { state.isVisible($0, of: version) })
            },
            uniquingKeysWith: { first, _ in first }))
    } else if state.view.map == .entropy, state.mappedVersion(nil) != nil {
      // Entropy is high along the borders, where outlines would hide it.
      content = .nothing
    } else {
      content = OverlayPainter.shownLabels(state)
    }
  }

  /// The labels of the version shown, or of its live refinement.
  private static func shownLabels(_ state: ReviewState) -> Content {
    guard var shown = state.shownVersion else { return .nothing }
    if let live = state.live, state.focus == .refinement, let base = state.version(live.base) {
      shown = state.shownLive.map(base.refined) ?? base
    }
    return .labels(
      LabelLayer(shown, live: state.shownLive?.region?.part) { state.isVisible($0, of: shown) })
  }

  private static func content(
    _ view: ComparisonView, _ compared: ComparedLabels, _ state: ReviewState
  ) -> Content {
    let (a, b): (Version, Version)
    var (live, pairs) = (RefinedPart?.none, state.comparedPairs)
    switch compared {
    case .pair(let one, let other): (a, b) = (one, other)
    case .refinement(let base, let refinement):
      (a, b) = (base, base.refined(refinement))
      live = refinement.region?.part
      pairs = base.table.labels.map { LabelPair($0, $0) }
    }
    if view == .difference { return .difference(DifferenceLayer(a, b, pairs, live: live, state)) }
    return .compared(
      LabelLayer(a) { state.isVisible($0, of: a) }, LabelLayer(b, live: live) { state.isVisible($0, of: b) })
  }

  /// The layers of a pane, from the lowest to the highest.
  ///
  /// - Parameter version: The version that the pane shows of several beside each other; nil for all.
  func layers(
    _ projection: PaneProjection, version: PaneVersion?, size: GridSize, slice: VoxelIndex,
    samples: inout PaneSamples
  ) -> [PixelLayer] {
    func layer(_ labels: LabelLayer, _ style: ViewState.Overlay.Style) -> PixelLayer {
      let classes = samples.classes(of: labels, projection, size: size, slice: slice)
      switch style {
      case .fill: return PixelLayer(numbers: classes.values, entries: labels.entries(opacity: opacity))
      case .outline:
        return PixelLayer(
          numbers: samples.borders(of: classes, thickness: pixelsPerCell.lineWidth),
          entries: labels.entries(opacity: 1))
      }
    }
    switch content {
    case .nothing: return []
    case .versions(let layers):
      guard case .version(let id) = version, let labels = layers[id] else { return [] }
      return [layer(labels, style)]
    case .labels(let labels): return [layer(labels, style)]
    case .difference(let difference):
      return [
        differenceLayer(
          samples.numbers(
            of: difference, projection, size: size, slice: slice, thickness: pixelsPerCell.lineWidth))
      ]
    case .compared(let a, let b):
      let labels = shownSide == .a ? (shown: a, other: b) : (shown: b, other: a)
      let pane = comparedPane(projection, version)
      // A pane of one version does not need the labels of the other.
      switch (comparison, pane.only) {
      case (.contours, _): return [layer(labels.shown, .fill), layer(labels.other, .outline)]
      case (_, .shown?): return [layer(labels.shown, style)]
      case (_, .other?): return [layer(labels.other, style)]
      case (_, nil): break
      }
      var (shown, other) = (layer(labels.shown, style), layer(labels.other, style))
      let division = samples.divided(shown.numbers, other.numbers, comparison, pane)
      (shown.numbers, other.numbers) = (division.shown, division.other)
      guard comparison == .checkerboard else { return [shown, other] }
      // Without labels the squares would look alike.
      let shade = PixelLayer.Entry(RGB(grey: 0), opacity: 0.35)
      return [PixelLayer(numbers: division.isOther, entries: [shade]), shown, other]
    }
  }

  /// Marks the edge of the circle that shows the other version.
  func markSpyglass(_ projection: PaneProjection, version: PaneVersion?, on marks: inout MarkLayer) {
    guard comparison == .spyglass, case .compared = content else { return }
    let pane = comparedPane(projection, version)
    let half = Double(pixelsPerCell.lineWidth) / 2
    for y in 0..<projection.height {
      let outer = pane.columns(ofRow: y, within: pane.spyglassRadius + half)
      let inner = pane.columns(ofRow: y, within: pane.spyglassRadius - half)
      let rows = y..<y + 1
      if inner.isEmpty {
        marks.set(.spyglass, columns: outer, rows: rows)
      } else {
        marks.set(.spyglass, columns: outer.lowerBound..<inner.lowerBound, rows: rows)
        marks.set(.spyglass, columns: inner.upperBound..<outer.upperBound, rows: rows)
      }
    }
  }

  private func comparedPane(_ projection: PaneProjection, _ version: PaneVersion?) -> ComparedPane {
    var only: ComparedVersion?
    if case .side(let side) = version { only = side == shownSide ? .shown : .other }
    return ComparedPane(
      only: only, crosshair: projection.pixel(of: crosshair),
      width: projection.width, height: projection.height,
      pixelAspect: projection.millimetresPerRow / projection.millimetresPerColumn,
      pixelsPerCell: pixelsPerCell)
  }

  /// The difference of two versions: what one has alone is filled, what both have is outlined even in a fill, so that the
  /// difference is visible.
  private func differenceLayer(_ numbers: [UInt16]) -> PixelLayer {
    let looks = [MaskAgreement.onlyA, MaskAgreement.onlyB, MaskAgreement.conflict, 0].map { agreement in
      let isCommon = agreement == 0
      return PixelLayer.Entry(
        MaskAgreement.colour(agreement).rgb, opacity: isCommon || !blends ? 1 : max(opacity, 0.6),
        letter: MaskAgreement.letter(agreement))
    }
    return PixelLayer(numbers: numbers, entries: looks)
  }
}

extension Version {
  /// The version with the refined labels of the whole image; unchanged where only a box was refined.
  fileprivate func refined(_ live: LiveRefinement) -> Version {
    guard let whole = live.whole?.part else { return self }
    var refined = self
    refined.replaceLabels(whole.labels, whole.components)
    return refined
  }
}
