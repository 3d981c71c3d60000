import Work

/// Cholesky's decomposition of a kernel matrix with the largest remaining diagonal as pivot.
///
/// After r steps K ≈ Φ Φᵀ with r columns; K - Φ Φᵀ is positive semidefinite, so that no entry is larger than the
/// largest diagonal. Cost: rows times columns squared. Source: Harbrecht, Peters and Schneider 2012.
struct PivotedCholesky {
  /// Columns of Φ, a multiple of 16; those that were not needed are 0.
  private(set) var columns: [[Double]] = []
  /// The row that each column was made for; one per column that is not 0.
  private(set) var pivots: [Int] = []
  /// The largest remaining diagonal.
  private(set) var residual = 1.0

  /// The decomposition of the matrix of `count` rows with entries `kernel` and ones on its diagonal, until the
  /// residual is within `tolerance` or `largestRank` columns are reached.
  init(
    count: Int, tolerance: Double, largestRank: Int, work: WorkContext, kernel: (Int, Int) -> Double
  ) throws(Cancelled) {
    var diagonal = [Double](repeating: 1, count: count)
    while columns.count < largestRank, columns.count % 16 != 0 || residual > tolerance {
      try work.checkCancellation()
      let pivot = diagonal.indices.max { diagonal[$0] < diagonal[$1] }!
      guard diagonal[pivot] > 1e-9 else {
        columns.append([Double](repeating: 0, count: count))
        residual = 0
        continue
      }
      var column = (0..<count).map { kernel($0, pivot) }
      for other in columns[..<pivots.count] {
        let factor = other[pivot]
        column.withUnsafeMutableBufferPointer { column in
          other.withUnsafeBufferPointer { other in
            for row in 0..<count { column[row] -= factor * other[row] }
          }
        }
      }
      let scale = 1 / diagonal[pivot].squareRoot()
      for row in 0..<count {
        column[row] *= scale
        diagonal[row] -= column[row] * column[row]
      }
      diagonal[pivot] = 0
      columns.append(column)
      pivots.append(pivot)
      residual = max(0, diagonal.max()!)
    }
  }

  /// L⁻¹ of the kernel between pivots L Lᵀ, row-major, with rows and columns of 0 up to `rank`.
  func inverseOfPivots(rank: Int) -> [Double] {
    let count = pivots.count
    // Row i of L is what row pivots[i] of Φ holds up to column i.
    var inverse = [Double](repeating: 0, count: rank * rank)
    for column in 0..<count {
      inverse[column * rank + column] = 1 / columns[column][pivots[column]]
      for row in (column + 1)..<max(count, column + 1) {
        var sum = 0.0
        for k in column..<row { sum += columns[k][pivots[row]] * inverse[k * rank + column] }
        inverse[row * rank + column] = -sum / columns[row][pivots[row]]
      }
    }
    return inverse
  }
}
