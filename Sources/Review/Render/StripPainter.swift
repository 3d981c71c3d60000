import Metrics
import Screen
import Volumes
import Work

extension ReviewState {
  /// The columns of the strip beside a pane: the mark of the slice shown and the area, with two versions the area in A,
  /// the area in B and Dice; then the mean entropy where it is known.
  var stripColumns: Int {
    guard view.showsStrips else { return 0 }
    let entropy = knownUncertainty?.entropies == nil ? 0 : 1
    guard decisions.a != nil else { return entropy == 0 ? 0 : 2 }
    return (decisions.b == nil ? 2 : 4) + entropy
  }

  /// Draws the strip of a pane: a row for each slice, or for several.
  func paintStrip(_ pane: ScreenLayout.Pane, _ geometry: PlaneGeometry, into frame: inout Frame) {
    let area = pane.strip
    guard !area.isEmpty else { return }
    let scale = StripScale(geometry, rows: area.rows)
    let axis = geometry.sliceAxis
    let structure = stripStructure
    let rows = (0..<area.rows).map { row in
      scale.slices(ofRow: row).map { slice in
        structure.flatMap { spatialComparison?.slices.counts(of: $0, axis: axis, slice: slice) }
          ?? SliceOverlaps.Counts()
      }
    }
    // One scale for both versions, so that their areas can be compared.
    let greatest = rows.reduce(0) { $1.reduce($0) { max($0, $1.one, $1.other) } }
    let (hasAreas, isPair) = (decisions.a != nil, decisions.b != nil)
    let entropies = knownUncertainty?.entropies.map { $0.means[axis] }
    let greatestEntropy = entropies?.max() ?? 0
    for (offset, counts) in rows.enumerated() {
      let isCurrent = scale.slices(ofRow: offset).contains(view.crosshair[axis])
      let isActive = pane.plane == view.activePlane
      var spans = [Span(isCurrent ? "▸" : " ", isActive ? StripTheme.mark : StripTheme.quietMark)]
      let one = counts.reduce(0) { max($0, $1.one) }
      if hasAreas {
        let style = isPair ? StripTheme.areaA : StripTheme.area
        spans.append(Span(StripTheme.bar(Double(one), of: Double(greatest)), style))
      }
      if isPair {
        let other = counts.reduce(0) { max($0, $1.other) }
        spans.append(Span(StripTheme.bar(Double(other), of: Double(greatest)), StripTheme.areaB))
        spans.append(StripTheme.agreement(counts.reduce(SliceOverlaps.Counts(), +).dice))
      }
      if let entropies {
        let entropy = scale.slices(ofRow: offset).reduce(0) { max($0, entropies[$1]) }
        spans.append(Span(StripTheme.bar(entropy, of: greatestEntropy), StripTheme.entropy))
      }
      frame.write(spans, row: area.row + offset, in: area)
    }
  }

  /// The structure whose slices the strips show: the selected label's, 0 for all labels where none is selected; nil
  /// where neither version has the selected label.
  private var stripStructure: Int? {
    guard let key = selectedLabel else { return 0 }
    func value(_ id: VersionID?) -> UInt16? { id.flatMap { version($0) }?.label(key)?.value }
    return spatialComparison?.structure(a: value(decisions.a), b: value(decisions.b))
  }
}

/// Characters and colours of strips; the characters carry the same information as the colours.
private enum StripTheme {
  static let mark = Style(foreground: .rgb(240, 228, 66), isBold: true)
  static let quietMark = Style(foreground: .rgb(160, 164, 176))
  static let area = Style(foreground: .rgb(160, 164, 176))
  static let areaA = Style(foreground: Theme.onlyA.colour)
  static let areaB = Style(foreground: Theme.onlyB.colour)
  static let entropy = Style(foreground: .rgb(0, 158, 115))

  /// A bar in eighths of a cell; any value above 0 is visible.
  static func bar(_ value: Double, of greatest: Double) -> String {
    guard value > 0, greatest > 0 else { return " " }
    let blocks = ["▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"]
    return blocks[min(7, max(0, Int(saturating: (value / greatest * 8).rounded(.up)) - 1))]
  }

  /// The Dice coefficient of a slice: a lower one is a fuller block in a warmer colour.
  static func agreement(_ dice: Double?) -> Span {
    guard let dice else { return Span(" ") }
    let steps: [(Double, String, RGB)] = [
      (0.95, "·", RGB(120, 130, 150)), (0.85, "░", RGB(86, 180, 233)), (0.7, "▒", RGB(240, 228, 66)),
      (0.5, "▓", RGB(230, 159, 0)), (0, "█", RGB(213, 94, 0)),
    ]
    let step = steps.first { dice >= $0.0 } ?? steps[steps.count - 1]
    return Span(step.1, Style(foreground: step.2.colour))
  }
}
