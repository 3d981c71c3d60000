import Volumes
import Work

/// The Gaussian of intensity differences as a product of low-rank features: K ≈ Φ Φᵀ on a table of levels.
///
/// Intensities are clipped to a range and rounded to levels no more than 0.02 θβ apart, or to whole numbers where
/// the image has only those and they are fewer. Φ comes from Cholesky's decomposition with the largest remaining
/// diagonal as pivot, which bounds the error of every entry by ``residual``.
struct RangeKernel: Sendable {
  /// Largest tolerated error of a kernel value.
  static let tolerance = 2.5e-4
  /// More features than this would cost more memory and time than the lattice they replace.
  static let largestRank = 256

  /// Intensities at level 0 and at the last level.
  let lower, upper: Float
  /// Levels of the table.
  let levelCount: Int
  /// Features per level, a multiple of 16.
  let rank: Int
  /// `levelCount` times `rank` values.
  let features: AlignedStorage<Float>
  /// Bound of |K - Φ Φᵀ|.
  let residual: Double

  /// Levels per unit of intensity.
  var levelsPerUnit: Float { levelCount > 1 ? Float(levelCount - 1) / (upper - lower) : 0 }

  /// The kernel of width `thetaBeta` on `range`.
  /// - Throws: ``InputError`` when θβ is too narrow for the range to be represented by ``largestRank`` features.
  init(thetaBeta: Double, range: ClosedRange<Float>, isWhole: Bool) throws(InputError) {
    let extent = Double(range.upperBound) - Double(range.lowerBound)
    let needed = (extent / (0.02 * thetaBeta)).rounded(.up)
    // About 1.6 features per θβ meet the tolerance.
    guard extent / thetaBeta * 1.6 <= Double(Self.largestRank) else {
      throw InputError(
        "theta beta", "is too narrow for the intensity range \(range.lowerBound)...\(range.upperBound)",
        found: "\(thetaBeta)", expected: "at least \(extent / Double(Self.largestRank) * 1.6), or exact mode")
    }
    lower = range.lowerBound
    upper = range.upperBound
    let count = Int(isWhole ? min(extent, needed) : needed) + 1
    levelCount = count
    let spacing = count > 1 ? extent / Double(count - 1) / thetaBeta : 0
    // The kernel depends on the distance of two levels only.
    let kernel = (0..<count).map { gaussian(Double($0) * spacing) }
    var diagonal = [Double](repeating: 1, count: count)
    var columns: [[Double]] = []
    var largest = 1.0
    while columns.count < Self.largestRank, columns.count % 16 != 0 || largest > Self.tolerance {
      let pivot = diagonal.indices.max { diagonal[$0] < diagonal[$1] }!
      guard diagonal[pivot] > 1e-12 else {
        columns.append([Double](repeating: 0, count: count))
        largest = 0
        continue
      }
      var column = (0..<count).map { kernel[abs($0 - pivot)] }
      for other in columns {
        let factor = other[pivot]
        if factor == 0 { continue }
        for level in 0..<count { column[level] -= factor * other[level] }
      }
      let scale = 1 / diagonal[pivot].squareRoot()
      for level in 0..<count {
        column[level] *= scale
        diagonal[level] -= column[level] * column[level]
      }
      diagonal[pivot] = 0
      columns.append(column)
      largest = diagonal.max()!
    }
    rank = columns.count
    residual = max(0, largest)
    features = AlignedStorage(count: count * columns.count)
    for (r, column) in columns.enumerated() {
      for level in 0..<count { features.start[level * columns.count + r] = Float(column[level]) }
    }
  }
}
