/// The block elements with which a cell can be divided in two.
///
/// Each shape stands for its inverse too, which is the same shape with its colours swapped.
struct BlockShapes {
  /// The characters.
  let characters: [Unicode.Scalar]
  /// For each shape, the part of the cell that it covers, between 0 and 1.
  let areas: [Float]
  /// For each shape, 1 / (area (1 - area)), with which the sums of a fit are weighted.
  let weights: [Float]
  /// Whether blocks of 2 x 3 are among them.
  let hasSextants: Bool

  /// Halves, quadrants and eighths, and sextants if wanted.
  init(hasSextants: Bool) {
    self.hasSextants = hasSextants
    // The order of `sums`: lower eighths, left eighths, quadrants, sextants.
    var shapes: [(Unicode.Scalar, Float)] = []
    for eighths in 1...7 { shapes.append((Self.scalar(0x2580 + eighths), Float(eighths) / 8)) }
    for eighths in 1...7 { shapes.append((Self.scalar(0x2590 - eighths), Float(eighths) / 8)) }
    shapes += [("▘", 0.25), ("▝", 0.25), ("▖", 0.25), ("▗", 0.25), ("▚", 0.5)]
    if hasSextants {
      for pattern in Self.sextantPatterns {
        shapes.append((Self.sextant(pattern), Float(pattern.nonzeroBitCount) / 6))
      }
    }
    characters = shapes.map(\.0)
    areas = shapes.map(\.1)
    weights = shapes.map { 1 / ($0.1 * (1 - $0.1)) }
  }

  /// The number of shapes.
  var count: Int { characters.count }

  /// The patterns of sextants without their inverses, and without the left half, which is an eighth block.
  ///
  /// Bit n is block n, from left to right and from top to bottom.
  private static let sextantPatterns = (1..<32).filter { $0 != leftHalf }
  private static let leftHalf = 0b010101
  private static let rightHalf = 0b101010

  /// The character of a pattern: Unicode has them in order, without the blank, the halves and the full block.
  private static func sextant(_ pattern: Int) -> Unicode.Scalar {
    scalar(0x1FB00 + pattern - 1 - (pattern > leftHalf ? 1 : 0) - (pattern > rightHalf ? 1 : 0))
  }

  private static func scalar(_ value: Int) -> Unicode.Scalar { Unicode.Scalar(UInt32(value)) ?? " " }

  /// Values that ``sum(_:width:height:into:scratch:)`` needs for its own use.
  static func scratchCount(width: Int, height: Int) -> Int { 2 * (height + 1) + width + 1 }

  /// Writes for each shape the sum of a cell's values that it covers; a value that it covers in part counts in part.
  ///
  /// - Parameters:
  ///   - values: `width * height` values, row by row.
  ///   - sums: Room for ``count`` sums.
  ///   - scratch: Room for ``scratchCount(width:height:)`` values.
  /// - Returns: The sum of all values.
  /// - Complexity: O(values + shapes).
  func sum(
    _ values: UnsafePointer<Float>, width: Int, height: Int, into sums: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>
  ) -> Float {
    // Sums of the rows above each boundary, of their left halves, and of the columns to the left of each boundary.
    let rows = scratch
    let leftRows = rows + height + 1
    let columns = leftRows + height + 1
    if width == 4 {
      Self.addFourColumns(values, height, rows, leftRows, columns)
    } else {
      Self.addColumns(values, width, height, rows, leftRows, columns)
    }
    let total = rows[height]
    for eighths in 1...7 {
      sums[eighths - 1] = total - Self.part(rows, height, 8 - eighths, of: 8)
      sums[eighths + 6] = Self.part(columns, width, eighths, of: 8)
    }
    let upper = Self.part(rows, height, 1, of: 2)
    let upperLeft = Self.part(leftRows, height, 1, of: 2)
    let left = leftRows[height]
    sums[14] = upperLeft
    sums[15] = upper - upperLeft
    sums[16] = left - upperLeft
    sums[17] = total - upper - left + upperLeft
    sums[18] = sums[14] + sums[17]
    if hasSextants { Self.sumSextants(rows, leftRows, height, into: sums + 19) }
    return total
  }

  private static func addColumns(
    _ values: UnsafePointer<Float>, _ width: Int, _ height: Int, _ rows: UnsafeMutablePointer<Float>,
    _ leftRows: UnsafeMutablePointer<Float>, _ columns: UnsafeMutablePointer<Float>
  ) {
    (rows[0], leftRows[0]) = (0, 0)
    columns.update(repeating: 0, count: width + 1)
    for y in 0..<height {
      let row = values + y * width
      var (left, all) = (Float(0), Float(0))
      for x in 0..<width {
        if x < width / 2 { left += row[x] }
        all += row[x]
        columns[x + 1] += row[x]
      }
      if width & 1 == 1 { left += row[width / 2] / 2 }
      leftRows[y + 1] = leftRows[y] + left
      rows[y + 1] = rows[y] + all
    }
    for x in 0..<width { columns[x + 1] += columns[x] }
  }

  /// The same for four columns, which most cells have.
  private static func addFourColumns(
    _ values: UnsafePointer<Float>, _ height: Int, _ rows: UnsafeMutablePointer<Float>,
    _ leftRows: UnsafeMutablePointer<Float>, _ columns: UnsafeMutablePointer<Float>
  ) {
    (rows[0], leftRows[0], columns[0]) = (0, 0, 0)
    var sum = SIMD4<Float>()
    for y in 0..<height {
      let row = values + 4 * y
      sum += SIMD4(row[0], row[1], row[2], row[3])
      leftRows[y + 1] = sum.x + sum.y
      rows[y + 1] = leftRows[y + 1] + (sum.z + sum.w)
    }
    columns[1] = sum.x
    columns[2] = columns[1] + sum.y
    columns[3] = columns[2] + sum.z
    columns[4] = columns[3] + sum.w
  }

  private static func sumSextants(
    _ rows: UnsafePointer<Float>, _ leftRows: UnsafePointer<Float>, _ height: Int,
    into sums: UnsafeMutablePointer<Float>
  ) {
    let (upper, upperLeft) = (part(rows, height, 1, of: 3), part(leftRows, height, 1, of: 3))
    let (middle, middleLeft) = (part(rows, height, 2, of: 3), part(leftRows, height, 2, of: 3))
    // Blocks 0 to 4; block 5 is in no pattern.
    let blocks = (
      upperLeft, upper - upperLeft, middleLeft - upperLeft, middle - upper - middleLeft + upperLeft,
      leftRows[height] - middleLeft
    )
    let two = SIMD4(0, blocks.0, blocks.1, blocks.0 + blocks.1)
    let three = SIMD8(lowHalf: two, highHalf: two + blocks.2)
    let four = SIMD16(lowHalf: three, highHalf: three + blocks.3)
    let five = SIMD32(lowHalf: four, highHalf: four + blocks.4)
    // The blank and the left half are left out.
    for pattern in 1..<leftHalf { sums[pattern - 1] = five[pattern] }
    for pattern in leftHalf + 1..<32 { sums[pattern - 2] = five[pattern] }
  }

  /// The sum up to a part of a length, between the sums at whole positions.
  private static func part(
    _ sums: UnsafePointer<Float>, _ length: Int, _ numerator: Int, of denominator: Int
  ) -> Float {
    let whole = length * numerator / denominator
    let rest = length * numerator - whole * denominator
    return rest == 0
      ? sums[whole] : sums[whole] + (sums[whole + 1] - sums[whole]) * Float(rest) / Float(denominator)
  }
}
