import Work

/// Cholesky's decomposition of a kernel matrix with the largest remaining diagonal as pivot.
///
/// After r steps K ≈ Φ Φᵀ with r columns; K - Φ Φᵀ is positive semidefinite, so that no entry is larger than the
/// largest diagonal. Cost: rows times columns squared. Source: Harbrecht, Peters and Schneider 2012.
struct PivotedCholesky {
  /// Columns of Φ, a multiple of 16; those that were not needed are 0.
  private(set) var columns: [AlignedStorage<Double>] = []
  /// The row that each column was made for; one per column that is not 0.
  private(set) var pivots: [Int] = []
  /// The largest remaining diagonal.
  private(set) var residual = 1.0
  /// Rows per unit of work.
  private static let chunk = 2048

  /// The decomposition of the matrix of `count` rows with entries `kernel` and ones on its diagonal, until the
  /// residual is within `tolerance` or `maximumRank` columns are reached.
  init(
    count: Int, tolerance: Double, maximumRank: Int, work: WorkContext,
    kernel: @Sendable (Int, Int) -> Double
  ) throws(Cancelled) {
    let diagonal = AlignedStorage([Double](repeating: 1, count: count))
    let chunkCount = (count + Self.chunk - 1) / Self.chunk
    /// The row of the largest remaining diagonal in each chunk.
    let largest = AlignedStorage((0..<chunkCount).map { $0 * Self.chunk })
    while columns.count < maximumRank, columns.count % 16 != 0 || residual > tolerance {
      let candidates = UnsafeBufferPointer(start: largest.start, count: chunkCount)
      let pivot = candidates.max { diagonal.start[$0] < diagonal.start[$1] }!
      let column = try AlignedStorage<Double>(count: count)
      guard diagonal.start[pivot] > 1e-9 else {
        columns.append(column)
        residual = 0
        continue
      }
      let scale = 1 / diagonal.start[pivot].squareRoot()
      let others = columns[..<pivots.count]
      try work.forEach(count: chunkCount) { index, _ in
        let rows = index * Self.chunk..<min((index + 1) * Self.chunk, count)
        let (column, diagonal) = (column.start, diagonal.start)
        for row in rows { column[row] = kernel(row, pivot) }
        for other in others {
          let other = other.start
          let factor = other[pivot]
          for row in rows { column[row] -= factor * other[row] }
        }
        var top = rows.lowerBound
        for row in rows {
          column[row] *= scale
          // The pivot's own is 0 but for rounding.
          diagonal[row] = row == pivot ? 0 : diagonal[row] - column[row] * column[row]
          if diagonal[row] > diagonal[top] { top = row }
        }
        largest.start[index] = top
      }
      columns.append(column)
      pivots.append(pivot)
      residual = max(0, candidates.map { diagonal.start[$0] }.max()!)
    }
  }

  /// L⁻¹ of the kernel between pivots L Lᵀ, row-major, with rows and columns of 0 up to `rank`.
  func inverseOfPivots(rank: Int) -> [Double] {
    let count = pivots.count
    // Row i of L is what row pivots[i] of Φ holds up to column i.
    var inverse = [Double](repeating: 0, count: rank * rank)
    for column in 0..<count {
      inverse[column * rank + column] = 1 / columns[column].start[pivots[column]]
      for row in (column + 1)..<max(count, column + 1) {
        var sum = 0.0
        for k in column..<row { sum += columns[k].start[pivots[row]] * inverse[k * rank + column] }
        inverse[row * rank + column] = -sum / columns[row].start[pivots[row]]
      }
    }
    return inverse
  }
}
