/// Surface distances between the borders of two structures, in millimetres.
///
/// A border voxel is a voxel of the structure with one of its 26 neighbours outside; beyond the image is outside. Its
/// distance is the one to the nearest border voxel of the other structure, centre to centre.
package struct SurfaceDistanceMeasures: Hashable, Sendable, Codable {
  /// ASSD: mean of the distances from both borders, pooled.
  package let averageMillimetres: Double
  /// RMSD: root of the mean of the pooled squares.
  package let rootMeanSquareMillimetres: Double
  /// Hausdorff distance: the largest of all.
  package let maximumMillimetres: Double
  /// HD95: the larger of the two directed 95th percentiles (linear interpolation between ranks).
  package let percentile95Millimetres: Double
  /// Surface Dice: the fraction of all border voxels within ``toleranceMillimetres`` of the other border.
  package let surfaceDice: Double
  /// The tolerance of ``surfaceDice``.
  package let toleranceMillimetres: Double

  /// Measures of the directed distances, neither of them empty.
  init(fromReference: [Double], fromOther: [Double], toleranceMillimetres: Double) {
    precondition(!fromReference.isEmpty && !fromOther.isEmpty, "a structure without a border")
    let count = Double(fromReference.count + fromOther.count)
    var (sum, squares, within) = (0.0, 0.0, 0)
    // Distances are rounded to 32 bits: one that equals the tolerance must not fall beyond it.
    let limit = toleranceMillimetres * (1 + 1e-6)
    for distances in [fromReference, fromOther] {
      for distance in distances {
        sum += distance
        squares += distance * distance
        if distance <= limit { within += 1 }
      }
    }
    let sorted = [fromReference.sorted(), fromOther.sorted()]
    averageMillimetres = sum / count
    rootMeanSquareMillimetres = (squares / count).squareRoot()
    maximumMillimetres = max(sorted[0].last ?? 0, sorted[1].last ?? 0)
    percentile95Millimetres = max(percentile95(sorted[0]), percentile95(sorted[1]))
    surfaceDice = Double(within) / count
    self.toleranceMillimetres = toleranceMillimetres
  }
}

/// The value at 0.95 (n - 1) of ascending values.
private func percentile95(_ sorted: [Double]) -> Double {
  let rank = 0.95 * Double(sorted.count - 1)
  let below = Int(rank)
  let above = min(below + 1, sorted.count - 1)
  return sorted[below] + (rank - Double(below)) * (sorted[above] - sorted[below])
}
