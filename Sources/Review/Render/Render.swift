import Screen
import Work

/// The frame of a state: a pure function, defined for every size of the screen down to 0 x 0.
package func render(_ state: ReviewState) -> Frame {
  var samples = PaneSamples()
  return render(state, reusing: &samples)
}

/// The same frame, which reuses the samples of the volumes that the frame before it showed.
///
/// - Parameter detail: The detail of pictures that change; others stay as they are, because most of what they show is on
///   the screen already.
package func render(
  _ state: ReviewState, _ detail: PictureDetail = .full, reusing samples: inout PaneSamples
) -> Frame {
  samples.beginFrame()
  // Made for the first pane of a detail: without one, there may be no labels yet.
  lazy var full = OverlayPainter(state, state.capabilities.pixelsPerCell(.full))
  lazy var reduced = OverlayPainter(state, state.capabilities.pixelsPerCell(detail))
  var frame = frame(of: state) { pane, frame in
    let detail = detail.hasAllPixels ? detail : state.shownDetail(pane, samples) ?? detail
    frame.draw(state.picture(pane, detail, detail.hasAllPixels ? full : reduced, &samples))
  }
  frame.makeLegible(on: state.capabilities)
  return frame
}

extension ReviewState {
  /// What a click on a cell means; nil for nothing.
  ///
  /// Pictures cannot be clicked, so none is drawn.
  package func clickTarget(at cell: ScreenCell) -> ClickTarget? {
    frame(of: self, drawing: { _, _ in }).clickTarget(at: cell)
  }
}

/// The frame of a state, in which `draw` draws the picture of a pane that has room for one.
private func frame(of state: ReviewState, drawing draw: (ScreenLayout.Pane, inout Frame) -> Void) -> Frame {
  var frame = Frame(rows: state.screen.rows, columns: state.screen.columns)
  let layout = state.layout
  guard !layout.isTooSmall else {
    let minimum = ScreenLayout.minimum
    let text =
      "segdeck needs \(minimum.columns)x\(minimum.rows); this screen has \(frame.columns)x\(frame.rows)"
    let lines = wrapped(text, width: max(8, frame.columns)) + ["q quits"]
    for (offset, line) in lines.enumerated() {
      frame.writeCentred(line, row: (frame.rows - lines.count) / 2 + offset, in: frame.bounds)
    }
    return frame
  }
  guard state.phase == .reviewing || state.isImageShownEarly else {
    state.paintOpening(into: &frame)
    return frame
  }
  state.paintTitle(layout.title, into: &frame)
  for pane in layout.panes { state.paint(pane, into: &frame, picture: draw) }
  // There is nothing to list before the masks are read.
  if !layout.panel.isEmpty, state.phase == .reviewing { state.paintPanel(layout.panel, into: &frame) }
  state.paintVoxelLine(layout.voxelLine, into: &frame)
  state.paintViewLine(layout.viewLine, into: &frame)
  guard state.phase == .reviewing else {
    state.paintReadingMasks(layout, into: &frame)
    return frame
  }
  state.paintMessageLine(layout.messageLine, into: &frame)
  // While a dialog is open, only its keys can be clicked.
  if state.dialog != nil || state.search?.isTyping == true { frame.clickAreas = [] }
  state.paintKeyBar(layout.keyBar, into: &frame)
  state.paintDialog(into: &frame)
  return frame
}

/// Text in one style.
struct Span {
  var text: String
  var style: Style
  /// What a click on it means; nil for nothing.
  var click: ClickTarget?

  init(_ text: String, _ style: Style = Theme.plain, click: ClickTarget? = nil) {
    self.text = text
    self.style = style
    self.click = click
  }

  var withoutTrailingBlanks: Span {
    var shorter = self
    while shorter.text.last == " " { shorter.text.removeLast() }
    return shorter
  }
}

extension [Span] {
  /// The same text, where a click has the effect of `key` in the picture.
  func clicked(as key: Key) -> [Span] {
    map { Span($0.text, $0.style, click: $0.click ?? .pictureKey(key)) }
  }
}

extension Frame {
  /// Writes spans one after the other into a line of `area`; a span that begins beyond it is omitted.
  mutating func write(_ spans: [Span], row: Int, in area: Rectangle) {
    var column = area.column
    for span in spans {
      let free = area.column + area.columns - column
      guard free > 0 else { return }
      let start = column
      column = write(
        TextWidth.truncated(span.text, to: free), row: row, column: column, style: span.style, in: area)
      if let click = span.click {
        clickAreas.append(
          ClickArea(Rectangle(row: row, column: start, rows: 1, columns: column - start), click))
      }
    }
  }
}

extension String {
  /// The text, truncated or padded with blanks to exactly `width` columns.
  func fitted(_ width: Int, atRight: Bool = false) -> String {
    let text = TextWidth.truncated(self, to: width)
    let fill = String(repeating: " ", count: max(0, width - TextWidth.columns(text)))
    return atRight ? fill + text : text + fill
  }
}

extension ReviewState {
  /// The screen while the image is being read.
  fileprivate func paintOpening(into frame: inout Frame) {
    let middle = frame.rows / 2
    let path = request.imagePath.map { cleaned($0) } ?? "the sample case"
    let name = [position, caseName.map { cleaned($0) }, path].compactMap(\.self).joined(separator: "  ")
    if case .ended(let failure?) = phase {
      // Most reasons begin with the path.
      let heading =
        failure.contains(path) ? [position, caseName.map { cleaned($0) }].compactMap(\.self) : [name]
      let subject = heading.isEmpty ? "" : heading.joined(separator: "  ") + " "
      let lines = wrapped("\(subject)cannot be opened: \(failure)", width: max(20, frame.columns - 8))
      for (offset, line) in lines.enumerated() {
        frame.writeCentred(line, row: middle - 1 + offset, style: Theme.strong, in: frame.bounds)
      }
      let row = middle + 1 + lines.count
      paintOpeningKeys(ReviewState.caseKeys, row: row, into: &frame)
      if position != nil { paintCentred(ReviewState.unopenedKeys, row: row + 1, into: &frame) }
      paintOpeningMessage(row: row + 3, into: &frame)
      if case .comment = dialog { paintKeyBar(layout.keyBar, into: &frame) }
      return
    }
    frame.writeCentred("Opening \(name)", row: middle - 1, style: Theme.strong, in: frame.bounds)
    if let job = jobs[.opening] {
      let width = min(40, frame.columns - 10)
      frame.writeCentred(
        progressBar(job.fraction, width: width), row: middle + 1, style: Theme.progress, in: frame.bounds)
    }
    paintOpeningKeys(position == nil ? [] : ReviewState.caseKeys, row: middle + 3, into: &frame)
    paintOpeningMessage(row: middle + 5, into: &frame)
  }

  /// The lines at the foot of the screen, and the keys, while the image is shown and its masks are being read.
  fileprivate func paintReadingMasks(_ layout: ScreenLayout, into frame: inout Frame) {
    frame.clickAreas = []
    let paths = request.maskPaths
    let masks = paths.count == 1 ? "the mask \(cleaned(FilePath.name(of: paths[0])))" : "\(paths.count) masks"
    frame.write(
      [Span(" reading \(masks)", Theme.progress), Span(message.map { "; " + cleaned($0.text) } ?? "")],
      row: layout.messageLine.row, in: layout.messageLine)
    paintOpeningKeys(position == nil ? [] : ReviewState.caseKeys, row: layout.keyBar.row, into: &frame)
  }

  /// The decisions about a case that cannot be opened.
  private static let unopenedKeys: [(text: String, key: Key?)] = [
    ("f", "f"), (" flags it, ", nil), ("A", "A"), (" needs work, ", nil), ("e", "e"), (" rejects it, ", nil),
    ("\"", "\""), (" comments on it, ", nil), ("z", "z"), (" undoes", nil),
  ]

  private static let caseKeys: [(text: String, key: Key?)] = [
    ("Ctrl-N", .control("n")), (" and ", nil), ("Ctrl-P", .control("p")), (" go to other cases, ", nil),
    ("C", "C"), (" to the list, ", nil),
  ]

  /// The keys while there is no picture, and the one that quits.
  private func paintOpeningKeys(
    _ keys: [(text: String, key: Key?)], row: Int, into frame: inout Frame
  ) {
    paintCentred(keys + [("q", "q"), (" quits", nil)], row: row, into: &frame)
  }

  /// Keys with what they do, in the middle of a row that has room for them.
  private func paintCentred(_ keys: [(text: String, key: Key?)], row: Int, into frame: inout Frame) {
    let spans = keys.map { text, key in
      Span(text, Theme.quiet, click: key.map { .key($0) })
    }
    let width = spans.reduce(0) { $0 + TextWidth.columns($1.text) }
    guard width <= frame.columns, row < frame.rows else { return }
    let start = (frame.columns - width) / 2
    let area = Rectangle(row: row, column: start, rows: 1, columns: frame.columns - start)
    frame.write(spans, row: row, in: area)
  }

  private func paintOpeningMessage(row: Int, into frame: inout Frame) {
    guard let message, row < frame.rows else { return }
    frame.writeCentred(cleaned(message.text), row: row, style: message.kind.style, in: frame.bounds)
  }

  /// A bar of `width` columns and the percentage.
  func progressBar(_ fraction: Double, width: Int) -> String {
    let filled = Int(saturating: (fraction * Double(width)).rounded(.down))
    return String(repeating: "█", count: filled) + String(repeating: "░", count: max(0, width - filled))
      + " \(Int(saturating: (fraction * 100).rounded(.down)))%"
  }
}
