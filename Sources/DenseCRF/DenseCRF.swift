import CKernels
import Synchronization
import Volumes
import Work

/// A fully connected CRF over one image: Potts, an appearance and a smoothness kernel, mean field.
///
/// Energy (Krähenbühl and Koltun 2011): E(x) = Σ -ln P_i(x_i) + Σ_{i<j} [x_i ≠ x_j] Σ_m μ_m k_m(i, j) with the
/// Gaussians of ``RefinementSettings``. The update is Q_i(l) ∝ P_i(l) exp(Σ_m μ_m a_i Σ_j k_m(i, j) b_j Q_j(l)),
/// where a and b are powers of the kernel's row sums according to the normalisation. The self term j = i belongs
/// to the sum unless the settings exclude it; the row sums always contain it, so that they are never 0.
///
/// What depends only on image and kernel widths is computed once and kept for the last two pairs of widths: a
/// second call with other weights, iterations or unaries costs the iterations alone. Values may be shared between
/// threads. Memory: 6 bytes per voxel and filter, 4 per voxel and class, and two grids of cells per class.
package struct DenseCRF: Sendable {
  /// How sums over all pairs are computed.
  package enum Method: String, Sendable, Codable, CaseIterable {
    /// Low-rank range kernel on decimated grids in single precision; within about 0.003 of ``exact``.
    case fast
    /// Every pair of voxels in double precision: quadratic in the number of voxels, for small volumes and tests.
    case exact
  }

  /// The vector instructions in use: "AVX-512", "AVX2", "SSE2" or "NEON".
  package static var instructionSet: String { String(cString: kernels_level_name(kernels_current_level())) }

  /// Voxels along each axis.
  package let size: GridSize
  /// Millimetres between voxels.
  package let spacing: Spacing
  /// Intensities are clipped to this range before they are compared.
  package let intensityRange: ClosedRange<Float>
  let images: [ComparedImage]
  let level: kernels_level
  private let cache = KernelCache()

  /// A CRF over `image`.
  /// - Parameters:
  ///   - intensityRange: where intensities are clipped; nil takes the 0.5 to 99.5 percentiles.
  ///   - level: the vector instructions to use, which the processor must have.
  /// - Throws: ``InputError`` for a size that does not fit, a spacing that is not positive, a range that is not
  ///   finite or a voxel that is not a finite number (which it names); ``Cancelled``.
  package init(
    image: [Float], size: GridSize, spacing: Spacing, intensityRange: ClosedRange<Float>? = nil,
    level: kernels_level = kernels_current_level(), work: WorkContext = WorkContext()
  ) throws {
    guard size.i > 0, size.j > 0, size.k > 0, image.count == size.voxelCount else {
      throw InputError("image", "does not fit its size \(size)", found: "\(image.count) voxels")
    }
    for axis in 0..<3 where !(spacing[axis].isFinite && spacing[axis] > 0) {
      throw InputError(
        "spacing", "is unusable on axis \(axis)", found: "\(spacing[axis])", expected: "above 0 mm")
    }
    if let range = intensityRange, !(range.lowerBound.isFinite && range.upperBound.isFinite) {
      throw InputError("intensity range", "is not finite", found: "\(range.lowerBound)...\(range.upperBound)")
    }
    let statistics = try IntensityStatistics(image, level: level, work: work.silent)
    if let voxel = statistics.firstNonFinite {
      throw InputError(
        "image", "has no intensity at voxel \(Unary.name(voxel, size))", found: "\(image[voxel])",
        expected: "a finite number")
    }
    self.size = size
    self.spacing = spacing
    self.level = level
    let range = intensityRange ?? statistics.robustRange(image)
    self.intensityRange = range
    let isWhole =
      statistics.isWhole && range.lowerBound == range.lowerBound.rounded()
      && range.upperBound == range.upperBound.rounded()
    images = [ComparedImage(voxels: image, range: range, isWhole: isWhole)]
  }

  /// The refined probabilities and labels.
  /// - Throws: ``InputError`` for settings that mean nothing (a weight below 0, a θ of 0 or less, iterations below
  ///   0, anything not finite), a unary of another size, or a θβ too narrow for ``Method/fast``; ``Cancelled``.
  package func refine(
    _ unary: Unary, settings: RefinementSettings, method: Method = .fast, wantsMarginals: Bool = false,
    work: WorkContext = WorkContext()
  ) throws -> MeanFieldResult {
    try check(settings)
    guard unary.size == size else {
      throw InputError("probabilities", "are on another grid", found: "\(unary.size)", expected: "\(size)")
    }
    switch method {
    case .exact:
      return try ExactMeanField(crf: self, settings: settings, work: work)
        .run(unary, wantsMarginals: wantsMarginals, work: work)
    case .fast:
      let kernels = try kernels(settings, work: work.part(0...0.3))
      return try GridMeanField(
        size: size, unary: unary, settings: settings, appearance: kernels.appearance,
        smoothness: kernels.smoothness, level: level
      ).run(wantsMarginals: wantsMarginals, work: work.part(0.3...1))
    }
  }

  /// The same from probabilities, class slowest; see ``Unary/init(probabilities:classCount:size:work:)``.
  package func refine(
    probabilities: [Float], classCount: Int, settings: RefinementSettings, method: Method = .fast,
    wantsMarginals: Bool = false, work: WorkContext = WorkContext()
  ) throws -> MeanFieldResult {
    let unary = try Unary(
      probabilities: probabilities, classCount: classCount, size: size, level: level, work: work.silent)
    return try refine(unary, settings: settings, method: method, wantsMarginals: wantsMarginals, work: work)
  }

  /// Computes and keeps what depends on the kernel widths, so that the next refinement starts at once.
  package func prepare(_ settings: RefinementSettings, work: WorkContext = WorkContext()) throws {
    try check(settings)
    _ = try kernels(settings, work: work)
  }

  /// The kernels that `settings` need; those of weight 0 are nil.
  private func kernels(
    _ settings: RefinementSettings, work: WorkContext
  ) throws -> (appearance: AppearanceKernel?, smoothness: SmoothnessKernel?) {
    (
      settings.appearanceWeight > 0 ? try cache.appearance(settings, of: self, work: work) : nil,
      settings.smoothnessWeight > 0 ? cache.smoothness(settings, of: self) : nil
    )
  }

  /// Throws what is wrong with `settings`.
  private func check(_ settings: RefinementSettings) throws(InputError) {
    func require(_ name: String, _ value: Double, _ isRight: (Double) -> Bool, _ expected: String)
      throws(InputError)
    {
      guard value.isFinite, isRight(value) else {
        throw InputError(name, "is unusable", found: "\(value)", expected: expected)
      }
    }
    try require("appearance weight", settings.appearanceWeight, { $0 >= 0 }, "0 or more")
    try require("smoothness weight", settings.smoothnessWeight, { $0 >= 0 }, "0 or more")
    guard settings.thetaBetas.count == images.count else {
      throw InputError(
        "theta beta", "needs one value per image", found: "\(settings.thetaBetas.count)",
        expected: "\(images.count)")
    }
    for thetaBeta in settings.thetaBetas { try require("theta beta", thetaBeta, { $0 > 0 }, "above 0") }
    for axis in 0..<3 {
      try require("theta alpha", settings.thetaAlphaMillimetres[axis], { $0 > 0 }, "above 0 mm")
      try require("theta gamma", settings.thetaGammaMillimetres[axis], { $0 > 0 }, "above 0 mm")
    }
    guard settings.iterations >= 0 else {
      throw InputError("iterations", "are unusable", found: "\(settings.iterations)", expected: "0 or more")
    }
  }

  /// A width in millimetres as voxels along each axis.
  func voxels(_ theta: Spacing) -> [Double] { (0..<3).map { theta[$0] / spacing[$0] } }

  /// The Gaussians of a width in millimetres along each axis.
  func axes(_ theta: Spacing) -> [GaussianAxis] {
    zip(0..<3, voxels(theta)).map { GaussianAxis(count: size[$0], sigma: $1) }
  }
}
