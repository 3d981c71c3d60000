import Work

/// The Gaussian of intensity differences as a product of low-rank features: K ≈ Φ Φᵀ.
///
/// Φ comes from Cholesky's decomposition with the largest remaining diagonal as pivot, which bounds the error of
/// every entry by the largest remaining diagonal. For one image the rows are its levels and Φ is a table. For two
/// or three images the rows are the tuples of levels that occur together: the pivots are chosen on a sample of
/// voxels, and K ≈ C W⁻¹ Cᵀ with C the kernel between a voxel and the pivots, which is a product of one table per
/// image, and W = L Lᵀ the kernel between pivots, whose inverse is applied to cells instead of voxels.
struct RangeKernel: Sendable {
  /// The maximum number of features; more would cost more memory and time than the lattice.
  static let maximumRank = 256
  /// The maximum number of images, a limit of the C row kernels.
  static let maximumImageCount = 3
  private static let sampleSize = 6144
  /// Features below this are 0: products of them would be subnormal numbers, which processors handle ten times slower.
  private static let negligible = 1e-8

  /// One per image.
  let levels: [IntensityLevels]
  /// Features per level, a multiple of 16.
  let rank: Int
  /// Per image `rank` values of each of its levels, [rank / 16][level][16]; a voxel's features are their product.
  let features: [AlignedStorage<Float>]
  /// L⁻ᵀ, then L⁻¹, each `rank` times `rank`, where features are kernels to pivots; nil where they are Φ itself.
  let pivotTransform: AlignedStorage<Float>?
  /// Bound of |K - Φ Φᵀ|, over all levels of one image or the sampled voxels of several.
  let residual: Double

  /// The kernel of one θβ per image; nil where the rank that the tolerance needs is larger than ``maximumRank``.
  init?(thetaBetas: [Double], images: [ComparedImage], accuracy: Accuracy, work: WorkContext)
    throws(Cancelled)
  {
    guard images.count <= Self.maximumImageCount else { return nil }
    let levels = zip(images, thetaBetas).compactMap { IntensityLevels($0, thetaBeta: $1) }
    guard levels.count == images.count else { return nil }
    self.levels = levels
    let tables = levels.map { AlignedStorage($0.kernel()) }
    if levels.count == 1 {
      // About 1.6 features per θβ suffice for the tolerance; impossible cases are not tried.
      let count = levels[0].count
      guard Double(count) * levels[0].spacing * 1.5 <= Double(Self.maximumRank) else { return nil }
      let factor = try PivotedCholesky(
        count: count, tolerance: accuracy.rangeTolerance, maximumRank: Self.maximumRank, work: work
      ) { tables[0].start[abs($0 - $1)] }
      guard factor.residual <= accuracy.rangeTolerance else { return nil }
      rank = factor.columns.count
      residual = factor.residual
      pivotTransform = nil
      features = [
        try Self.table(count, rank) { level, feature in factor.columns[feature].start[level] }
      ]
      return
    }
    let sample = Self.sample(images, levels)
    let factor = try PivotedCholesky(
      count: sample[0].count, tolerance: accuracy.jointRangeTolerance, maximumRank: Self.maximumRank,
      work: work
    ) { a, b in
      var product = 1.0
      for image in tables.indices {
        let levels = sample[image].start
        product *= tables[image].start[abs(levels[a] - levels[b])]
      }
      return product
    }
    guard factor.residual <= accuracy.jointRangeTolerance else { return nil }
    let pivots = factor.pivots
    let rank = pivots.count.roundedUp(toMultipleOf: 16)
    self.rank = rank
    residual = factor.residual
    features = try levels.indices.map { image throws(Cancelled) in
      try Self.table(levels[image].count, rank) { level, feature in
        feature < pivots.count ? tables[image].start[abs(level - sample[image].start[pivots[feature]])] : 0
      }
    }
    let inverse = factor.inverseOfPivots(rank: rank).map(Float.init)
    let transposed = (0..<rank * rank).map { inverse[$0 % rank * rank + $0 / rank] }
    pivotTransform = AlignedStorage(transposed + inverse)
  }

  private static func table(
    _ count: Int, _ rank: Int, _ value: (Int, Int) -> Double
  ) throws(Cancelled) -> AlignedStorage<Float> {
    let table = try AlignedStorage<Float>(count: count * rank)
    for level in 0..<count {
      for feature in 0..<rank {
        let exact = value(level, feature)
        let index = (feature / 16 * count + level) * 16 + feature % 16
        table.start[index] = abs(exact) < negligible ? 0 : Float(exact)
      }
    }
    return table
  }

  /// Levels of voxels at even distances in memory, per image.
  private static func sample(_ images: [ComparedImage], _ levels: [IntensityLevels])
    -> [AlignedStorage<Int>]
  {
    // An odd stride visits every column of volumes whose rows are a power of two long.
    let step = (images[0].voxels.count / sampleSize) | 1
    return zip(images, levels).map { image, levels in
      AlignedStorage(
        stride(from: 0, to: image.voxels.count, by: step).map { levels.level(image.voxels[$0]) })
    }
  }
}
