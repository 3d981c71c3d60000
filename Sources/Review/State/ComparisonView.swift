import Screen
import Work

/// How the panes show two versions together.
package enum ComparisonView: String, Equatable, Sendable, Codable, CaseIterable {
  /// One version, which a key flips.
  case off
  /// The voxels where the versions differ, in their own colours.
  case difference
  /// Each plane twice: A at the left, B at the right.
  case sideBySide = "side"
  /// The labels of the version shown filled, those of the other outlined over them.
  case contours
  /// Squares that show the two versions in turn.
  case checkerboard = "checker"
  /// The version shown, and the other one in a circle around the crosshair.
  case spyglass
  /// Up to four versions of the active plane, each in a pane of its own.
  case versions

  /// The next view in the order of the cases; the first after the last.
  var next: ComparisonView {
    let all = ComparisonView.allCases
    return all[((all.firstIndex(of: self) ?? 0) + 1) % all.count]
  }
}

/// One of the two compared versions: the one that Tab shows now, or the other.
package enum ComparedVersion: Equatable, Sendable { case shown, other }

/// What a pixel of a pane shows of two versions.
package enum PixelContent: Equatable, Sendable {
  /// The difference of both.
  case difference
  /// The labels of one, in the style of the overlay.
  case labels(of: ComparedVersion)
  /// The labels of the version shown filled, those of the other outlined.
  case fillAndContour
}

/// The properties of a pane that decide which version each of its pixels shows.
package struct ComparedPane: Equatable, Sendable {
  /// The version that the whole pane shows where the versions are side by side; nil for both.
  package var only: ComparedVersion?
  /// The pixel of the crosshair.
  package var crosshairX, crosshairY: Int
  /// Height of a pixel divided by its width.
  package var pixelAspect: Double
  /// The radius of the spyglass, in pixel widths.
  package var spyglassRadius: Double

  /// The pixels of a pane, and of a square of its checkerboard.
  package let width, height, squareWidth, squareHeight: Int

  /// A pane of `width` times `height` pixels.
  ///
  /// A square of the checkerboard has eight columns and four rows of cells, and so is about a square on any screen.
  package init(
    only: ComparedVersion? = nil, crosshair: (x: Int, y: Int), width: Int, height: Int, pixelAspect: Double,
    pixelsPerCell: PixelsPerCell
  ) {
    self.only = only
    (crosshairX, crosshairY) = (crosshair.x, crosshair.y)
    (self.width, self.height) = (width, height)
    (squareWidth, squareHeight) = (8 * pixelsPerCell.columns, 4 * pixelsPerCell.rows)
    self.pixelAspect = pixelAspect
    spyglassRadius = max(
      Double(5 * pixelsPerCell.columns), min(Double(width), Double(height) * pixelAspect) / 5)
  }

  /// The distance of a pixel from the crosshair, in pixel widths.
  func distance(_ x: Int, _ y: Int) -> Double {
    let (across, down) = (Double(x - crosshairX), Double(y - crosshairY) * pixelAspect)
    return (across * across + down * down).squareRoot()
  }

  /// The pixels of a row that are no further from the crosshair than `radius` pixel widths.
  func columns(ofRow y: Int, within radius: Double) -> Range<Int> {
    let down = Double(y - crosshairY) * pixelAspect
    guard radius >= abs(down) else { return 0..<0 }
    var reach = Int(saturating: (radius * radius - down * down).squareRoot())
    // The root is rounded.
    while reach >= 0, distance(crosshairX + reach, y) > radius { reach -= 1 }
    while distance(crosshairX + reach + 1, y) <= radius { reach += 1 }
    guard reach >= 0 else { return 0..<0 }
    return (crosshairX - reach..<crosshairX + reach + 1).clamped(to: 0..<width)
  }
}

extension ComparisonView {
  /// What the pixel in column `x` and row `y` of a pane shows.
  ///
  /// Every view is decided here and nowhere else.
  package func content(ofPixel x: Int, _ y: Int, in pane: ComparedPane) -> PixelContent {
    switch self {
    case .off: return .labels(of: .shown)
    case .difference: return .difference
    case .sideBySide, .versions: return .labels(of: pane.only ?? .shown)
    case .contours: return .fillAndContour
    case .checkerboard, .spyglass:
      return .labels(of: columnsOfOther(inRow: y, of: pane).contains { $0.contains(x) } ? .other : .shown)
    }
  }

  /// The pixels of a row that show the version that is not shown elsewhere in a checkerboard or beside a spyglass; none in
  /// other views.
  func columnsOfOther(inRow y: Int, of pane: ComparedPane) -> [Range<Int>] {
    switch self {
    case .off, .difference, .sideBySide, .versions, .contours: return []
    case .checkerboard:
      let first = y / pane.squareHeight % 2 == 0 ? pane.squareWidth : 0
      return stride(from: first, to: pane.width, by: 2 * pane.squareWidth).map {
        $0..<min($0 + pane.squareWidth, pane.width)
      }
    case .spyglass: return [pane.columns(ofRow: y, within: pane.spyglassRadius)]
    }
  }
}

/// The two versions that a comparison view shows.
enum ComparedLabels {
  /// A and B.
  case pair(Version, Version)
  /// A version and its live refinement.
  case refinement(Version, LiveRefinement)
}

/// The identity of what is compared; a difference view ends when it changes.
enum ComparedVersions: Hashable {
  case pair(Set<VersionID?>)
  /// A version in the CRF panel.
  case refinement(VersionID?)
}

extension ReviewState {
  /// The identity of what is compared now.
  var comparedVersions: ComparedVersions {
    focus == .refinement ? .refinement(refinementBase?.id) : .pair([decisions.a, decisions.b])
  }

  /// The two versions that a comparison view shows; nil where there is one version, or none.
  var comparedLabels: ComparedLabels? {
    if focus == .refinement, let live, let base = version(live.base) {
      return live.latest == nil ? nil : .refinement(base, live)
    }
    guard let a = decisions.a.flatMap({ version($0) }), let b = decisions.b.flatMap({ version($0) }) else {
      return nil
    }
    return .pair(a, b)
  }

  /// The view and the versions that the panes show together; nil when they show the labels of one version.
  ///
  /// Header, legend and panes all follow it.
  var shownComparison: (view: ComparisonView, labels: ComparedLabels)? {
    guard view.comparison != .off, view.overlay.isShown, let compared = comparedLabels else { return nil }
    // While the labels before refinement are shown, a difference to the refined labels would be misleading.
    if view.comparison == .difference, focus == .refinement, shownLive == nil { return nil }
    return (view.comparison, compared)
  }

  /// The versions that stand in a grid: A, B and the newest two others; none in other views.
  ///
  /// The CRF panel has two versions alone, which stand side by side.
  package var versionsInGrid: [Version] {
    guard view.comparison == .versions, focus != .refinement,
      case .pair(let a, let b) = comparedLabels
    else { return [] }
    let others = presentVersions.filter { $0.id != a.id && $0.id != b.id }
    return [a, b] + others.suffix(ReviewState.maximumGridCount - 2)
  }

  private static let maximumGridCount = 4

  /// The version that a pane shows of several beside each other; of all, the one that Tab flips to; nil where there is none.
  func version(of pane: PaneVersion?) -> Version? {
    switch pane {
    case nil: shownVersion
    case .side(let side): version(on: side)
    case .version(let id): version(id)
    }
  }

  /// A or B; nil where there is none.
  func version(on side: Decisions.Side) -> Version? {
    (side == .a ? decisions.a : decisions.b).flatMap { version($0) }
  }

  /// The side that Tab flips to and from.
  var shownSide: Decisions.Side {
    if focus == .refinement, live?.latest != nil { return shownLive == nil ? .a : .b }
    return decisions.b == nil ? .a : decisions.shownSide
  }
}
