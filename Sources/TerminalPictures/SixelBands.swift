/// The bands of six rows of a sixel image, whose pixels may be larger than those of the terminal.
///
/// What is painted later covers what was painted before. Colours are painted in the order of their registers, so a colour
/// may also cover pixels that a later one paints: runs become longer, and a border between two colours is drawn once
/// instead of twice. A pixel that several registers may show is painted with that which needs no run of its own.
struct SixelBands {
  private let choices: [SixelColours.Choice]
  private let width, height, shownHeight: Int
  /// The terminal's column at which each column of the picture begins, and the end.
  private let edges: [Int]

  /// For the band, the pixels by the last register that may show them, and those with a choice by the first.
  private var byLast, byFirst: ColumnLists
  /// For each column the rows that show the right colour if they are painted now, that do so already, and that must not be
  /// painted any more; rows are bits, the lowest one on top.
  private var open, done, closed: [UInt8]
  private var strokes: SixelStrokes

  /// - Parameters:
  ///   - colours: Those of each of `width * height` pixels.
  ///   - shownWidth, shownHeight: Pixels of the terminal that they fill.
  init(_ colours: SixelColours, width: Int, height: Int, shownWidth: Int, shownHeight: Int) {
    choices = colours.choices
    self.width = width
    self.height = height
    self.shownHeight = shownHeight
    edges = (0...width).map { $0 * shownWidth / width }
    byLast = ColumnLists(registerCount: colours.registers.count)
    byFirst = byLast
    open = [UInt8](repeating: 0, count: width)
    (done, closed) = (open, open)
    strokes = SixelStrokes(width: width)
  }

  /// Appends all bands.
  /// - Complexity: O(pixels), and O(width) for each colour of a band.
  mutating func append(to bytes: inout [UInt8]) {
    for top in stride(from: 0, to: shownHeight, by: 6) {
      if top > 0 { bytes.append(UInt8(ascii: "-")) }
      findColumns(top: top)
      for register in byLast.registers { paint(register) }
      strokes.append(to: &bytes)
    }
  }

  /// Lists the columns of each colour of a band.
  private mutating func findColumns(top: Int) {
    // The rows of the picture in the band, each with the bits of the terminal's rows that show it.
    var rows: [(start: Int, bits: UInt8)] = []
    for row in top..<min(top + 6, shownHeight) {
      let start = row * height / shownHeight * width
      let bit = UInt8(1) << UInt8(row - top)
      if let end = rows.indices.last, rows[end].start == start {
        rows[end].bits |= bit
      } else {
        rows.append((start, bit))
      }
    }
    choices.withUnsafeBufferPointer { choices in
      // SAFETY: a row has `width` pixels from its start on.
      byLast.list(rows, width: width) { Int(choices[$0].last) }
      byFirst.list(rows, width: width) {
        let choice = choices[$0]
        return choice.first == choice.last ? nil : Int(choice.first)
      }
    }
    // Rows below the image are never painted.
    let below = ~(rows.reduce(0) { $0 | $1.bits })
    for x in 0..<width { (open[x], done[x], closed[x]) = (0, 0, below) }
  }

  /// Adds the strokes of a colour.
  private mutating func paint(_ register: Int) {
    for column in byFirst.columns(of: register) { open[column.x] |= column.rows }
    var run: Run?
    for column in byLast.columns(of: register) {
      let rows = column.rows & ~done[column.x]
      if rows != 0 { run = continued(run, with: rows, atColumn: column.x, register) }
    }
    if let run { end(run, at: run.end, endsStroke: true) }
    for column in byLast.columns(of: register) { closed[column.x] |= column.rows }
  }

  /// Columns that are painted alike.
  private struct Run {
    var start: Int
    /// The column after the last one with rows that need it.
    var end: Int
    /// Rows that need it in one of its columns, and rows that it must not paint.
    var needed, closed: UInt8
  }

  /// A gap of so many columns costs as much as another stroke.
  private static let largestGap = 8

  /// The run that paints some rows of a column: the last one, continued, if possible, or a new one.
  private mutating func continued(
    _ last: Run?, with rows: UInt8, atColumn x: Int, _ register: Int
  ) -> Run {
    guard var run = last else {
      strokes.begin(register, atColumn: x, shownAt: edges[x])
      return Run(start: x, end: x + 1, needed: rows, closed: closed[x])
    }
    let needed = run.needed
    // As far as the run may go on over the gap, and from there the next one back.
    let closedBefore = run.closed
    var reach = run.end
    while reach < x, closed[reach] & needed == 0 {
      run.closed |= closed[reach]
      reach += 1
    }
    let joined = (needed: needed | rows, closed: run.closed | closed[x])
    if reach == x, joined.needed & joined.closed == 0 {
      return Run(start: run.start, end: x + 1, needed: joined.needed, closed: joined.closed)
    }
    var next = Run(start: x, end: x + 1, needed: rows, closed: closed[x])
    while next.start > reach, closed[next.start - 1] & rows == 0 {
      next.start -= 1
      next.closed |= closed[next.start]
    }
    if next.start == reach {
      end(run, at: reach, endsStroke: false)
      return next
    }
    run.closed = closedBefore
    let endsStroke = x - run.end > Self.largestGap
    end(run, at: run.end, endsStroke: endsStroke)
    if endsStroke {
      strokes.begin(register, atColumn: x, shownAt: edges[x])
    } else {
      strokes.append(0, count: edges[x] - edges[run.end])
    }
    return Run(start: x, end: x + 1, needed: rows, closed: closed[x])
  }

  /// Paints a run up to a column.
  private mutating func end(_ run: Run, at end: Int, endsStroke: Bool) {
    let rows = ~run.closed
    strokes.append(rows, count: edges[end] - edges[run.start])
    if !byFirst.isEmpty {
      for x in run.start..<end { done[x] |= rows & open[x] }
    }
    if endsStroke { strokes.end(atColumn: end, shownAt: edges[end]) }
  }
}

/// For each register, rows of the columns of a band, in the order of the columns.
private struct ColumnLists {
  fileprivate struct Node {
    var x: Int32
    var rows: UInt8
    /// The position of the register's next column; -1 for none.
    var next: Int32
  }
  private var nodes: [Node] = []
  /// The positions of the first and last column of each register; -1 for none.
  private var first, last: [Int32]

  init(registerCount: Int) {
    first = [Int32](repeating: -1, count: registerCount)
    last = first
  }

  /// Lists the columns of a band.
  /// - Parameters:
  ///   - rows: The first pixel of each row, and its bits.
  ///   - register: The register of a pixel; nil for a pixel that is not listed.
  @inline(__always)
  mutating func list(_ rows: [(start: Int, bits: UInt8)], width: Int, register: (Int) -> Int?) {
    for register in first.indices { (first[register], last[register]) = (-1, -1) }
    nodes = [Node](unsafeUninitializedCapacity: rows.count * width) { nodes, count in
      first.withUnsafeMutableBufferPointer { first in
        last.withUnsafeMutableBufferPointer { last in
          // SAFETY: a register is below the number of registers; each pixel of the rows adds one node at most.
          for x in 0..<width {
            for row in rows {
              guard let register = register(row.start + x) else { continue }
              let end = Int(last[register])
              if end >= 0, nodes[end].x == x {
                nodes[end].rows |= row.bits
                continue
              }
              if end >= 0 { nodes[end].next = Int32(count) } else { first[register] = Int32(count) }
              last[register] = Int32(count)
              nodes[count] = Node(x: Int32(x), rows: row.bits, next: -1)
              count += 1
            }
          }
        }
      }
    }
  }

  var isEmpty: Bool { nodes.isEmpty }

  /// The registers of the band, ascending.
  var registers: [Int] { first.indices.filter { first[$0] >= 0 } }

  /// The columns of a register.
  func columns(of register: Int) -> Columns { Columns(nodes: nodes, position: first[register]) }

  struct Columns: Sequence, IteratorProtocol {
    fileprivate let nodes: [Node]
    fileprivate var position: Int32

    mutating func next() -> (x: Int, rows: UInt8)? {
      guard position >= 0 else { return nil }
      let node = nodes[Int(position)]
      position = node.next
      return (Int(node.x), node.rows)
    }
  }
}
