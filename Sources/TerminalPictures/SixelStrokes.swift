/// The strokes of a band: runs of one colour that follow each other, painted in the order in which they were added wherever
/// they overlap.
///
/// A pass over the band has any strokes that do not overlap, of any colours, because another colour costs less than a pass
/// of its own.
struct SixelStrokes {
  private struct Stroke {
    var register: Int
    /// The terminal's columns.
    var start, end: Int
    /// The place of its runs in ``runs``.
    var firstByte, lastByte: Int
  }
  private var strokes: [Stroke] = []
  private var runs: [UInt8] = []
  /// For each stroke its pass, its first column and its number, so that numbers in ascending order are in that of painting.
  private var keys: [UInt64] = []
  /// For each column of the picture the first pass that covers none of its strokes.
  private var passes: [UInt16]
  /// The first column of the stroke that was begun.
  private var startColumn = 0
  /// The register that the terminal would paint with.
  private var register: Int?

  init(width: Int) { passes = [UInt16](repeating: 0, count: width) }

  /// Begins a stroke at a column of the picture.
  mutating func begin(_ register: Int, atColumn x: Int, shownAt shown: Int) {
    startColumn = x
    strokes.append(
      Stroke(register: register, start: shown, end: shown, firstByte: runs.count, lastByte: runs.count))
  }

  /// Adds a run to the stroke; bits of rows that are no rows of a band do not count.
  mutating func append(_ rows: UInt8, count: Int) { runs.appendRun(rows, count: count) }

  /// Ends the stroke before a column of the picture.
  mutating func end(atColumn end: Int, shownAt shown: Int) {
    let number = strokes.count - 1
    strokes[number].end = shown
    strokes[number].lastByte = runs.count
    var pass = UInt16(0)
    for x in startColumn..<end { pass = max(pass, passes[x]) }
    for x in startColumn..<end { passes[x] = pass + 1 }
    keys.append(UInt64(pass) << 48 | UInt64(strokes[number].start) << 24 | UInt64(number))
  }

  /// Appends all strokes and forgets them.
  mutating func append(to bytes: inout [UInt8]) {
    keys.sort()
    var pass = UInt64(0)
    var position = 0
    for key in keys {
      let stroke = strokes[Int(key & 0xFF_FFFF)]
      if key >> 48 != pass {
        bytes.append(UInt8(ascii: "$"))
        pass = key >> 48
        position = 0
      }
      if stroke.register != register {
        bytes.append(UInt8(ascii: "#"))
        bytes.appendDecimal(stroke.register)
        register = stroke.register
      }
      bytes.appendRun(0, count: stroke.start - position)
      bytes += runs[stroke.firstByte..<stroke.lastByte]
      position = stroke.end
    }
    strokes.removeAll(keepingCapacity: true)
    runs.removeAll(keepingCapacity: true)
    keys.removeAll(keepingCapacity: true)
    for x in passes.indices { passes[x] = 0 }
  }
}

extension [UInt8] {
  /// Appends a sixel several times.
  fileprivate mutating func appendRun(_ rows: UInt8, count: Int) {
    let sixel = 63 + rows & 63
    if count <= 3 {
      for _ in 0..<count { append(sixel) }
      return
    }
    // Some terminals read no larger counts.
    var rest = count
    while rest > 0 {
      append(UInt8(ascii: "!"))
      appendDecimal(Swift.min(rest, 255))
      append(sixel)
      rest -= Swift.min(rest, 255)
    }
  }
}
