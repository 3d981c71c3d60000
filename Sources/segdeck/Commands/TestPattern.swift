import CursesTerminal
import Foundation
import Screen

/// The picture of `segdeck terminal --test-pattern`: terminal type, greys, hues, characters, the last events.
struct TestPattern {
  private var events: [String] = []

  /// Adds an event to the next frame.
  mutating func note(_ event: TerminalEvent) {
    events.append(Self.line(event))
    if events.count > 100 { events.removeFirst() }
  }

  /// The whole picture at a size.
  func frame(size: ScreenSize, on description: TerminalDescription) -> Frame {
    var frame = Frame(rows: size.rows, columns: size.columns)
    let title = Style(isBold: true)
    frame.drawBox(frame.bounds, title: "segdeck terminal \(size.columns) x \(size.rows)", titleStyle: title)
    var rest = frame.bounds.inset()
    let depth = description.capabilities.colourDepth
    let (line, below) = rest.splitTop(1)
    frame.write(
      " \(description.terminalName), colours: \(depth.summary), aspect \(description.capabilities.cellAspect)",
      row: line.row, column: line.column, in: line)
    let (picture, underPicture) = below.splitTop(max(2, below.rows / 2))
    let pixels = description.capabilities.pixelsPerCell(.full)
    frame.draw(
      Picture(
        area: picture,
        image: Self.picture(
          width: picture.columns * pixels.columns, height: picture.rows * pixels.rows)))
    let (samples, log) = underPicture.splitTop(1)
    frame.write(" ─│┌┐└┘ ▀▄█ é ß 漢字 e\u{301} ", row: samples.row, column: samples.column, in: samples)
    frame.write(
      "bold", row: samples.row, column: samples.column + 30, style: Style(isBold: true), in: samples)
    frame.write("dim", row: samples.row, column: samples.column + 36, style: Style(isDim: true), in: samples)
    frame.write(
      "reverse", row: samples.row, column: samples.column + 41, style: Style(isReversed: true), in: samples)
    frame.write(
      "line", row: samples.row, column: samples.column + 50, style: Style(isUnderlined: true), in: samples)
    rest = log
    let (hint, list) = rest.splitBottom(1)
    frame.write(" Press keys, use the mouse, paste. q quits.", row: hint.row, column: hint.column, in: hint)
    for (offset, event) in events.suffix(list.rows).enumerated() {
      frame.write(" " + event, row: list.row + offset, column: list.column, in: list)
    }
    return frame
  }

  /// A grey ramp above a wheel of hues.
  private static func picture(width: Int, height: Int) -> PixelBuffer {
    var picture = PixelBuffer(width: width, height: height)
    for y in 0..<height {
      for x in 0..<width {
        let along = Double(x) / Double(max(1, width - 1))
        if 2 * y < height {
          picture[x, y] = RGB(grey: UInt8(255 * along))
        } else {
          let down = Double(2 * y - height) / Double(max(1, height))
          picture[x, y] = hue(along).blended(with: RGB(grey: 0), opacity: down * 0.7)
        }
      }
    }
    return picture
  }

  private static func hue(_ turn: Double) -> RGB {
    func part(_ offset: Double) -> UInt8 {
      let distance = abs((turn * 6 + offset).truncatingRemainder(dividingBy: 6) - 3) - 1
      return UInt8(255 * min(1, max(0, distance)))
    }
    return RGB(part(0), part(4), part(2))
  }

  /// One event as a line.
  static func line(_ event: TerminalEvent) -> String {
    switch event {
    case .key(.character(let character)): return "key \(character)"
    case .key(.control(let letter)): return "key control-\(letter)"
    case .key(.function(let number)): return "key F\(number)"
    case .key(let key): return "key \(key)"
    case .mouse(let mouse):
      let control = mouse.isControlHeld ? " control" : ""
      return
        "mouse \(mouse.action) button \(mouse.button) row \(mouse.cell.row) column \(mouse.cell.column)\(control)"
        + (mouse.point == ScreenPoint(middleOf: mouse.cell)
          ? "" : String(format: " point %.2f, %.2f", mouse.point.row, mouse.point.column))
    case .paste(let text): return "paste \(text.count) characters: \(text)"
    case .resize(let rows, let columns): return "resize \(columns) x \(rows)"
    case .capabilities(let capabilities): return "pictures \(capabilities.pictureMode.rawValue)"
    case .shown: return "shown"
    case .end: return "end"
    }
  }
}
