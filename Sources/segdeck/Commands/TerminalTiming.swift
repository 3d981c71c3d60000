import CursesTerminal
import Screen

/// Times how long frames take to reach the terminal.
enum TerminalTiming {
  /// Draws frames of a moving picture over the whole screen, then the same frame again, and reports the times in ms.
  static func measure(on terminal: CursesTerminal) -> String {
    let size = terminal.size
    let capabilities = terminal.capabilities
    let clock = ContinuousClock()
    func frame(_ step: Int) -> Frame {
      let pixels = capabilities.pixelsPerCell(.full)
      var picture = PixelBuffer(width: size.columns * pixels.columns, height: size.rows * pixels.rows)
      for y in 0..<picture.height {
        for x in 0..<picture.width {
          // A smooth shape with texture, moving, as a scrolled slice is.
          let wave = (x * x + y * y + 40 * step) / 16 % 256
          let texture = (x &* 7919 &+ y &* 104_729 &+ step &* 1_299_709) % 23
          picture[x, y] = RGB(grey: UInt8(min(255, wave + texture)))
        }
      }
      var frame = Frame(rows: size.rows, columns: size.columns)
      frame.draw(Picture(area: frame.bounds, image: picture))
      return frame
    }
    let frames = (0..<30).map(frame)
    var times: [Duration] = []
    for frame in frames { times.append(clock.measure { terminal.draw(frame) }) }
    var again = frames[frames.count - 1]
    let same = clock.measure { terminal.draw(again) }
    again[0, 0] = Cell("x")
    let one = clock.measure { terminal.draw(again) }
    let sorted = times.dropFirst().sorted()
    func milliseconds(_ duration: Duration) -> Double { Double(duration.components.attoseconds) / 1e15 }
    return
      "\(size.columns) x \(size.rows): changed frame median \(milliseconds(sorted[sorted.count / 2])) ms, "
      + "slowest \(milliseconds(sorted[sorted.count - 1])) ms; same frame \(milliseconds(same)) ms; "
      + "one cell \(milliseconds(one)) ms"
  }
}
