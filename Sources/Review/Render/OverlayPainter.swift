import Screen
import Volumes

/// Draws the labels of all panes of one frame; created once for all planes.
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

  init(_ state: ReviewState) {
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

  /// Draws labels onto a pane's picture.
  ///
  /// - Parameter version: The version that the pane shows of several beside each other; nil for all.
  func paint(
    _ picture: inout PixelBuffer, _ projection: PaneProjection, version: PaneVersion?, size: GridSize,
    slice: VoxelIndex, samples: inout PaneSamples
  ) {
    switch content {
    case .nothing: return
    case .versions(let layers):
      guard case .version(let id) = version, let layer = layers[id] else { return }
      let classes = samples.classes(of: layer, projection, size: size, slice: slice)
      forEachPixel(classes: classes) { x, y in draw(classes, layer.colours, x, y, style, into: &picture) }
    case .labels(let layer):
      let classes = samples.classes(of: layer, projection, size: size, slice: slice)
      forEachPixel(classes: classes) { x, y in draw(classes, layer.colours, x, y, style, into: &picture) }
    case .difference(let layer):
      let classes = samples.classes(of: layer, projection, size: size, slice: slice)
      forEachPixel(classes: classes) { x, y in drawDifference(classes, x, y, into: &picture) }
    case .compared(let a, let b):
      let pane = comparedPane(projection, version)
      // A pane of one version does not need the labels of the other.
      let layers = shownSide == .a ? (shown: a, other: b) : (shown: b, other: a)
      let shown =
        pane.only == .other
        ? PixelClasses(projection) : samples.classes(of: layers.shown, projection, size: size, slice: slice)
      let other =
        pane.only == .shown
        ? PixelClasses(projection) : samples.classes(of: layers.other, projection, size: size, slice: slice)
      forEachPixel(classes: shown) { x, y in
        drawCompared((shown, layers.shown.colours), (other, layers.other.colours), x, y, pane, into: &picture)
      }
    }
  }

  private func drawCompared(
    _ shown: (PixelClasses, colours: [RGB]), _ other: (PixelClasses, colours: [RGB]), _ x: Int, _ y: Int,
    _ pane: ComparedPane, into picture: inout PixelBuffer
  ) {
    switch comparison.content(ofPixel: x, y, in: pane) {
    case .difference: break
    case .labels(of: .shown): draw(shown.0, shown.colours, x, y, style, into: &picture)
    case .labels(of: .other):
      // Without labels the squares would look alike.
      if comparison == .checkerboard {
        picture[x, y] = picture[x, y].blended(with: RGB(grey: 0), opacity: 0.35)
      }
      draw(other.0, other.colours, x, y, style, into: &picture)
    case .fillAndContour:
      draw(shown.0, shown.colours, x, y, .fill, into: &picture)
      draw(other.0, other.colours, x, y, .outline, into: &picture)
    }
    if comparison == .spyglass, abs(pane.distance(x, y) - pane.spyglassRadius) < 0.5 {
      picture[x, y] = Theme.spyglass
    }
  }

  private func comparedPane(_ projection: PaneProjection, _ version: PaneVersion?) -> ComparedPane {
    var only: ComparedVersion?
    if case .side(let side) = version { only = side == shownSide ? .shown : .other }
    return ComparedPane(
      only: only, crosshair: projection.pixel(of: crosshair),
      width: projection.width, height: projection.height,
      pixelAspect: projection.millimetresPerRow / projection.millimetresPerColumn)
  }

  private func forEachPixel(classes: PixelClasses, _ body: (Int, Int) -> Void) {
    for y in 0..<classes.height {
      for x in 0..<classes.width { body(x, y) }
    }
  }

  private func draw(
    _ classes: PixelClasses, _ colours: [RGB], _ x: Int, _ y: Int, _ style: ViewState.Overlay.Style,
    into picture: inout PixelBuffer
  ) {
    let pixel = y * classes.width + x
    let own = classes.values[pixel]
    guard own != 0 else { return }
    let colour = colours[Int(own) - 1]
    if style == .outline {
      if classes.isBorder(x, y) { picture.pixels[pixel] = colour }
    } else if blends {
      picture.pixels[pixel] = picture.pixels[pixel].blended(with: colour, opacity: opacity)
    } else if OverlayPainter.isCovered(x, y, opacity) {
      // With few colours a blend would be grey. Ordered dithering keeps both the hue and the image.
      picture.pixels[pixel] = colour
    }
  }

  private func drawDifference(_ classes: PixelClasses, _ x: Int, _ y: Int, into picture: inout PixelBuffer) {
    let pixel = y * classes.width + x
    let own = classes.values[pixel]
    guard own != 0 else { return }
    let (colour, isCommon) = DifferenceLayer.colour(own)
    // Common labels are outlined even in a fill, so that the difference is visible.
    if isCommon {
      if classes.isBorder(x, y) { picture.pixels[pixel] = colour }
    } else if blends {
      picture.pixels[pixel] = picture.pixels[pixel].blended(with: colour, opacity: max(opacity, 0.6))
    } else {
      picture.pixels[pixel] = colour
    }
  }

  /// Whether a pixel is covered by an ordered dither of 2x2 pixels: a quarter, half, three quarters or all of them.
  private static func isCovered(_ x: Int, _ y: Int, _ opacity: Double) -> Bool {
    let threshold = [0, 2, 3, 1][(y & 1) << 1 | (x & 1)]
    return Double(threshold) < (opacity * 4).rounded()
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
