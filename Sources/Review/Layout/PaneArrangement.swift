import Screen
import Volumes
import Work

/// The version that a pane shows, where several panes of a plane show one version each.
package enum PaneVersion: Hashable, Sendable {
  /// One of two: A or B; in the CRF panel before or after refinement.
  case side(Decisions.Side)
  /// One of up to four in a grid.
  case version(VersionID)
}

/// The content of the panes, which determines their arrangement.
package struct PaneContents: Equatable, Sendable {
  /// Millimetres along the rows and down the columns of a slice of each plane.
  package var extents: [AnatomicalPlane: SIMD2<Double>]
  /// The versions of each plane, from left to right; nil is a pane in which the comparison view shows the versions.
  package var versions: [PaneVersion?]
  /// The versions of the active plane in a grid; empty where planes are shown.
  package var grid: [VersionID]
  /// Columns of the strip beside each plane that is wide enough.
  package var stripColumns: Int
  /// Height of a cell divided by its width.
  package var cellAspect: Double

  /// Contents without strips, with one pane for each plane unless `versions` or a `grid` are given.
  package init(
    extents: [AnatomicalPlane: SIMD2<Double>], versions: [PaneVersion?] = [nil], grid: [VersionID] = [],
    stripColumns: Int = 0, cellAspect: Double = 2
  ) {
    self.extents = extents
    self.versions = versions
    self.grid = grid
    self.stripColumns = stripColumns
    self.cellAspect = cellAspect
  }
}

/// An arrangement of planes: one, several side by side, or several one above the other.
indirect enum PaneArrangement: Sendable {
  /// A plane, once for each version.
  case plane(AnatomicalPlane, [PaneVersion?])
  case beside([PaneArrangement])
  case stacked([PaneArrangement])

  /// The arrangements of three planes of each version; the first is preferred where several show the image equally large.
  static func ofThree(_ versions: [PaneVersion?]) -> [PaneArrangement] {
    let single = [AnatomicalPlane.axial, .coronal, .sagittal].map { PaneArrangement.plane($0, versions) }
    // Arrangements with a large axial plane come first, so that they are preferred.
    let oneAndTwo = single.indices.flatMap { large -> [PaneArrangement] in
      let others = single.indices.filter { $0 != large }.map { single[$0] }
      return [.beside([single[large], .stacked(others)]), .stacked([single[large], .beside(others)])]
    }
    return oneAndTwo + [.beside(single), .stacked(single)]
  }

  /// The arrangements of versions of one plane: two beside or above each other, three and four in two rows.
  static func grid(_ versions: [VersionID], of plane: AnatomicalPlane) -> [PaneArrangement] {
    let panes = versions.map { PaneArrangement.plane(plane, [.version($0)]) }
    guard panes.count > 2 else { return [.beside(panes), .stacked(panes)] }
    return [.stacked([.beside(Array(panes.prefix(2))), .beside(Array(panes.dropFirst(2)))])]
  }

  /// Columns between panes that are side by side.
  static let gapColumns = 1
  /// The minimum size of a pane.
  private static let minimumColumns = 16
  private static let minimumRows = 5

  /// The whole columns and rows that the planes need at a scale in columns per millimetre.
  private func needed(_ columnsPerMillimetre: Double, _ contents: PaneContents) -> SIMD2<Double> {
    switch self {
    case .plane(let plane, let versions):
      let extent = contents.extents[plane] ?? SIMD2(1, 1)
      let count = Double(versions.count)
      let columns =
        count * Self.cells(extent.x * columnsPerMillimetre) + (count - 1) * Double(Self.gapColumns)
      let rows = Self.cells(extent.y * columnsPerMillimetre / contents.cellAspect) + 1
      return SIMD2(
        max(columns + Double(contents.stripColumns), Double(Self.minimumColumns)),
        max(rows, Double(Self.minimumRows)))
    case .beside(let parts):
      let all = parts.map { $0.needed(columnsPerMillimetre, contents) }
      let gaps = Double((parts.count - 1) * Self.gapColumns)
      return SIMD2(all.reduce(gaps) { $0 + $1.x }, all.reduce(0) { max($0, $1.y) })
    case .stacked(let parts):
      let all = parts.map { $0.needed(columnsPerMillimetre, contents) }
      return SIMD2(all.reduce(0) { max($0, $1.x) }, all.reduce(0) { $0 + $1.y })
    }
  }

  /// The largest scale at which everything fits into an area, in columns per millimetre, found by bisection.
  func scale(in area: Rectangle, _ contents: PaneContents) -> Double {
    let available = SIMD2(Double(area.columns), Double(area.rows))
    var (low, high) = (0.0, 1e6)
    for _ in 0..<64 {
      // The bisection is logarithmic, because images are from micrometres to metres wide.
      let middle = low == 0 ? high / 16 : (low * high).squareRoot()
      if all(needed(middle, contents) .<= available) { low = middle } else { high = middle }
      if low > 0, high / low < 1.0001 || high < 1e-9 { break }
    }
    return low
  }

  /// The area of each plane within `area`.
  ///
  /// Spare columns and rows are divided in proportion to what each plane needs.
  func planeAreas(
    in area: Rectangle, scale: Double, _ contents: PaneContents
  ) -> [(plane: AnatomicalPlane, versions: [PaneVersion?], area: Rectangle)] {
    switch self {
    case .plane(let plane, let versions): return [(plane, versions, area)]
    case .beside(let parts):
      let free = area.columns - (parts.count - 1) * Self.gapColumns
      let widths = Self.divided(free, by: parts.map { $0.needed(scale, contents).x })
      var column = area.column
      return zip(parts, widths).flatMap { part, width in
        defer { column += width + Self.gapColumns }
        return part.planeAreas(
          in: Rectangle(row: area.row, column: column, rows: area.rows, columns: width), scale: scale,
          contents)
      }
    case .stacked(let parts):
      let heights = Self.divided(area.rows, by: parts.map { $0.needed(scale, contents).y })
      var row = area.row
      return zip(parts, heights).flatMap { part, height in
        defer { row += height }
        return part.planeAreas(
          in: Rectangle(row: row, column: area.column, rows: height, columns: area.columns), scale: scale,
          contents)
      }
    }
  }

  /// The number of whole cells for a length in cells, rounded up except for rounding errors.
  private static func cells(_ length: Double) -> Double { max(1, (length - 1e-9).rounded(.up)) }

  /// Divides `count` cells among parts: each gets what it needs and its proportion of the spare cells.
  ///
  /// Where there are too few cells, each gets its proportion of them. The results add up to `count`.
  private static func divided(_ count: Int, by needed: [Double]) -> [Int] {
    let total = max(needed.reduce(0, +), 1)
    let spare = Double(count) - total
    let weight = (spare < 0 ? Double(count) : spare) / total
    var sum = 0.0
    var last = 0
    return needed.map { need in
      sum += need
      let end = Int(saturating: (sum * weight).rounded())
      defer { last = end }
      return end - last + (spare < 0 ? 0 : Int(saturating: need))
    }
  }
}
