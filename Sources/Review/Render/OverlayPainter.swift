import Screen
import Volumes

/// Draws the labels of all panes of one frame; created once for all planes.
struct OverlayPainter {
  /// The content of the overlay.
  private enum Content {
    case nothing
    case labels(ChunkedLabels, LabelRanks, live: RefinedPart?)
    case difference(ChunkedLabels, LabelRanks, ChunkedLabels, LabelRanks, live: RefinedPart?)
  }

  private let content: Content
  /// The colour of each rank from 1; a difference has colours of its own.
  private var colours: [RGB]
  private let style: ViewState.Overlay.Style
  private let opacity: Double
  private let blends: Bool

  init(_ state: ReviewState) {
    style = state.view.overlay.style
    opacity = state.view.overlay.opacity
    blends = state.capabilities.colourDepth == .trueColour
    colours = []
    guard state.view.overlay.isShown, var shown = state.shownVersion else {
      content = .nothing
      return
    }
    switch state.shownDifference {
    case .pair(let a, let b)?:
      let (ranksA, ranksB) = OverlayPainter.pairRanks(state.comparedPairs, a, b, state)
      content = .difference(a.labels, ranksA, b.labels, ranksB, live: nil)
      return
    case .refinement(let base, let live)?:
      let refined = base.refined(live)
      let pairs = base.table.labels.map { LabelPair($0, $0) }
      let (ranksA, ranksB) = OverlayPainter.pairRanks(pairs, base, refined, state)
      content = .difference(base.labels, ranksA, refined.labels, ranksB, live: live.region?.part)
      return
    case nil: break
    }
    if let live = state.live, state.focus == .refinement, let base = state.version(live.base) {
      shown = state.shownLive.map(base.refined) ?? base
    }
    let visible = LabelRanks.visible(of: shown) { state.isVisible($0, of: shown) }
    content = .labels(shown.labels, visible.ranks, live: state.shownLive?.region?.part)
    colours = visible.colours.map(\.rgb)
  }

  /// One rank for each structure that is compared and visible.
  private static func pairRanks(
    _ pairs: [LabelPair], _ a: Version, _ b: Version, _ state: ReviewState
  ) -> (LabelRanks, LabelRanks) {
    var ranksA: [UInt16: UInt16] = [:]
    var ranksB: [UInt16: UInt16] = [:]
    for (pair, rank) in zip(pairs, pairs.comparedStructures) where rank > 0 {
      let isVisible =
        pair.valueA.flatMap { a.table[$0] }.map { state.isVisible($0, of: a) }
        ?? pair.valueB.flatMap { b.table[$0] }.map { state.isVisible($0, of: b) }
      guard isVisible == true else { continue }
      if let value = pair.valueA { ranksA[value] = rank }
      if let value = pair.valueB { ranksB[value] = rank }
    }
    return (LabelRanks(ranksA, of: a), LabelRanks(ranksB, of: b))
  }

  /// Draws labels onto a pane's picture.
  func paint(_ picture: inout PixelBuffer, _ projection: PaneProjection, size: GridSize, slice: VoxelIndex) {
    var classes = [UInt16](repeating: 0, count: picture.width * picture.height)
    let sampler = SliceSampler(projection, size: size, slice: slice)
    switch content {
    case .nothing: return
    case .labels(let labels, let ranks, let live):
      sampler.classify(labels, ranks, into: &classes)
      if let live {
        SliceSampler(projection, size: live.box.size, slice: slice, box: live.box)
          .classify(live.labels, ranks.anywhere(in: live.box.size), into: &classes)
      }
    case .difference(let a, let ranksA, let b, let ranksB, let live):
      sampler.classify(a, ranksA, b, ranksB, into: &classes, combine: MaskAgreement.of)
      if let live {
        let size = live.box.size
        SliceSampler(projection, size: size, slice: slice, box: live.box).classify(
          live.labelsBefore, ranksA.anywhere(in: size), live.labels, ranksB.anywhere(in: size),
          into: &classes,
          combine: MaskAgreement.of)
      }
    }
    blend(classes, into: &picture)
  }

  private func blend(_ classes: [UInt16], into picture: inout PixelBuffer) {
    let (width, height) = (picture.width, picture.height)
    var isDifference = false
    if case .difference = content { isDifference = true }
    for y in 0..<height {
      for x in 0..<width {
        let pixel = y * width + x
        let own = classes[pixel]
        guard own != 0 else { continue }
        // Common labels are outlined even in a fill, so that the difference is visible.
        let isOutlined = isDifference ? own < MaskAgreement.onlyB : style == .outline
        let colour = isDifference ? MaskAgreement.colour(own).rgb : colours[Int(own) - 1]
        if isOutlined {
          let isBorder =
            (x > 0 && classes[pixel - 1] != own) || (x + 1 < width && classes[pixel + 1] != own)
            || (y > 0 && classes[pixel - width] != own) || (y + 1 < height && classes[pixel + width] != own)
          if isBorder { picture.pixels[pixel] = colour }
        } else if blends {
          let fillOpacity = isDifference ? max(opacity, 0.6) : opacity
          picture.pixels[pixel] = picture.pixels[pixel].blended(with: colour, opacity: fillOpacity)
        } else if isDifference || OverlayPainter.isCovered(x, y, opacity) {
          // With few colours a blend would be grey. A screen door keeps both the hue and the image.
          picture.pixels[pixel] = colour
        }
      }
    }
  }

  /// The screen door: a quarter, half, three quarters or all of the pixels.
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
