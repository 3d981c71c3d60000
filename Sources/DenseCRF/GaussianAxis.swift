import Work

/// A Gaussian along one axis of a voxel grid as decimation, a short symmetric filter and interpolation.
///
/// Voxel x of block b = x / step has weights in cells b, b + 1, b + 2 (cell c is centred on block c - 1), so that
/// weights · taps · weightsᵀ ≈ exp(-d²/2σ²). Weights and taps are fitted together by alternating least squares.
/// The largest error of the kernel is 0.5 % of its peak at step = σ/1.25 and falls quickly with σ/step; at
/// step 1 the filter is the Gaussian itself, cut at 4.5 σ where it is 4e-5. Steps are powers of two up to
/// ``maximumStep``: a box that begins at a multiple of it has its blocks where the whole volume has them.
struct GaussianAxis: Sendable {
  /// The maximum number of voxels per cell.
  static let maximumStep = 8

  /// Voxels along the axis.
  let count: Int
  /// Voxels per cell.
  let step: Int
  /// Distance of the last tap.
  var radius: Int { taps.count - 1 }
  /// Cells, two more than blocks.
  var cells: Int { (count + step - 1) / step + 2 }
  /// Three weights of each of the `step` positions in a block.
  let weights: AlignedStorage<Float>
  /// The filter: one tap per distance in cells, from 0 on.
  let taps: AlignedStorage<Float>

  /// The axis for a Gaussian of `sigma` voxels.
  init(count: Int, sigma: Double, accuracy: Accuracy = .full) {
    self.count = count
    step = [8, 4, 2].first { sigma >= accuracy.widthPerStep * Double($0) } ?? 1
    if step == 1 {
      let radius = min(count - 1, Int(saturating: (4.5 * sigma).rounded(.up)))
      weights = AlignedStorage([0, 1, 0])
      taps = AlignedStorage((0...max(0, radius)).map { Float(gaussian(Double($0) / sigma)) })
    } else {
      let fit = PolyphaseFit(sigma: sigma, step: step, count: count)
      weights = AlignedStorage(fit.weights.flatMap { $0.map(Float.init) })
      taps = AlignedStorage(fit.taps.map(Float.init))
    }
  }

  /// The axis of `count` voxels that begin at a block of `whole`.
  init(_ whole: GaussianAxis, count: Int) {
    self.count = count
    step = whole.step
    weights = whole.weights
    taps = whole.taps
  }

  /// Voxels beyond which a voxel sends nothing.
  var reach: Int { (radius + 2) * step }

  /// First of the three cells of voxel `x`.
  func cell(_ x: Int) -> Int { x / step }

  /// The three weights of voxel `x`.
  func weights(_ x: Int) -> UnsafePointer<Float> { UnsafePointer(weights.start + x % step * 3) }

  /// The filter's response to ones: at each voxel the sum of the kernel over the axis.
  func rowSums() -> [Double] {
    var grid = [Double](repeating: 0, count: cells)
    for x in 0..<count {
      for k in 0..<3 { grid[cell(x) + k] += Double(weights(x)[k]) }
    }
    let filtered = (0..<cells).map { c in
      (max(0, c - taps.count + 1)...min(cells - 1, c + taps.count - 1))
        .reduce(0.0) { $0 + Double(taps.start[abs($1 - c)]) * grid[$1] }
    }
    return (0..<count).map { x in
      (0..<3).reduce(0.0) { $0 + Double(weights(x)[$1]) * filtered[cell(x) + $1] }
    }
  }
}

/// exp(-d²/2).
func gaussian(_ distance: Double) -> Double { exponential(-0.5 * distance * distance) }
