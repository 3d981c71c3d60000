import CKernels
import Synchronization
import Volumes
import Work

/// A fully connected CRF over one or more images: Potts model, an appearance and a smoothness kernel, mean-field
/// inference.
///
/// Energy (Krähenbühl and Koltun 2011): E(x) = Σ -ln P_i(x_i) + Σ_{i<j} [x_i ≠ x_j] Σ_m μ_m k_m(i, j) with the
/// Gaussians of ``RefinementSettings``. The update is Q_i(l) ∝ P_i(l) exp(Σ_m μ_m a_i Σ_j k_m(i, j) b_j Q_j(l)),
/// where a and b are powers of the kernel's row sums according to the normalisation. The self term j = i is in
/// the sum unless the settings exclude it; it is always in the row sums, so that they are never 0.
///
/// Data that depends only on image and kernel widths is cached for the last two pairs of widths: a second call with
/// other weights, iterations or unaries costs only the iterations. Values may be shared between threads. Memory: 6
/// bytes per voxel and filter, 4 per voxel and class, and two grids of cells per class.
package struct DenseCRF: Sendable {
  /// The method for sums over all pairs of voxels.
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
  let images: [ComparedImage]
  let level: kernels_level
  let accuracy: Accuracy
  /// Where classes are computed; a test compares both ways.
  package var classSelection = ClassSelection.automatic
  private let cache = KernelCache()

  /// An image whose intensities the appearance kernel compares.
  package struct Image: Sendable {
    /// Intensities, i fastest.
    package var voxels: [Float]
    /// The range that intensities are clipped to; nil for the 0.5 to 99.5 percentiles.
    package var intensityRange: ClosedRange<Float>?

    package init(voxels: [Float], intensityRange: ClosedRange<Float>? = nil) {
      self.voxels = voxels
      self.intensityRange = intensityRange
    }
  }

  /// A CRF over images of one grid, which are compared jointly, for example T1 and T2.
  /// - Parameters:
  ///   - images: One to five.
  ///   - level: The vector instructions to use, which the processor must have.
  /// - Throws: ``InputError`` for a size that does not fit, a spacing that is not positive, a range that is not
  ///   finite or a voxel that is not a finite number (which it names); ``Cancelled``.
  package init(
    images: [Image], size: GridSize, spacing: Spacing, level: kernels_level = kernels_current_level(),
    work: WorkContext = WorkContext()
  ) throws {
    guard (1...LatticeKernel.maximumImageCount).contains(images.count) else {
      throw InputError(
        "images", "cannot be compared together", found: "\(images.count)",
        expected: "1 to \(LatticeKernel.maximumImageCount)")
    }
    for axis in 0..<3 where !(spacing[axis].isFinite && spacing[axis] > 0) {
      throw InputError(
        "spacing", "is unusable on axis \(axis)", found: "\(spacing[axis])", expected: "above 0 mm")
    }
    self.size = size
    self.spacing = spacing
    self.level = level
    accuracy = .full
    self.images = try images.enumerated().map { index, image in
      try ComparedImage(image, name: index == 0 ? "image" : "image \(index + 1)", size, level, work)
    }
  }

  /// A CRF over one image; see ``init(images:size:spacing:level:work:)``.
  package init(
    image: [Float], size: GridSize, spacing: Spacing, intensityRange: ClosedRange<Float>? = nil,
    level: kernels_level = kernels_current_level(), work: WorkContext = WorkContext()
  ) throws {
    try self.init(
      images: [Image(voxels: image, intensityRange: intensityRange)], size: size, spacing: spacing,
      level: level,
      work: work)
  }

  /// The CRF over crops of images or coarser images, with the ranges of the whole images.
  init(
    _ images: [ComparedImage], size: GridSize, spacing: Spacing, level: kernels_level, accuracy: Accuracy
  ) {
    self.images = images
    self.accuracy = accuracy
    self.size = size
    self.spacing = spacing
    self.level = level
  }

  /// The refined probabilities and labels.
  /// - Throws: ``InputError`` for invalid settings (numbers beyond ``UsableRange``, a θβ too small for the intensities,
  ///   not one θβ per image), a unary of another size, or insufficient memory; ``Cancelled``.
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
      let meanField = try meanField(unary, settings, work: work.part(0...0.3))
      try AvailableMemory.require(
        meanField.byteCount(wantsMarginals: wantsMarginals, workers: work.threadCount),
        fraction: work.memoryFraction, subject: "CRF",
        "refining \(unary.classCount) classes on \(size) voxels", advice: Self.memoryAdvice)
      return try meanField.run(wantsMarginals: wantsMarginals, work: work.part(0.3...1))
    }
  }

  /// What takes less memory than a refinement that memory does not hold.
  package static let memoryAdvice =
    "fewer labels, a cropped image, or kernels that are wider in space or intensity"

  /// The bytes that the iterations of a refinement take at most, nil where an `Int` does not count them, and the voxels
  /// times classes of one iteration.
  ///
  /// The kernels are computed and cached for it.
  /// - Throws: As ``refine(_:settings:method:wantsMarginals:work:)``.
  package func plan(
    _ unary: Unary, settings: RefinementSettings, work: WorkContext = WorkContext()
  ) throws -> (byteCount: Int?, computedVoxelClasses: Int) {
    try check(settings)
    let meanField = try meanField(unary, settings, work: work)
    let byteCount = meanField.byteCount(wantsMarginals: false, workers: work.threadCount)
    return (byteCount, meanField.computedVoxelClasses)
  }

  /// The way to compute a refinement, with its kernels.
  private func meanField(
    _ unary: Unary, _ settings: RefinementSettings, work: WorkContext
  ) throws -> any MeanField {
    let kernels = try kernels(settings, work: work)
    if let active = try activeMeanField(unary, settings, kernels.appearance, kernels.smoothness, work) {
      return active
    }
    return GridMeanField(
      size: size, unary: unary, settings: settings, appearance: kernels.appearance,
      smoothness: kernels.smoothness, level: level)
  }

  /// The mean field of the classes that are active in each part of the volume.
  ///
  /// It is nil where that of all classes everywhere costs no more, and where it cannot be: on a lattice, without the self
  /// term, and with messages that are not means.
  private func activeMeanField(
    _ unary: Unary, _ settings: RefinementSettings, _ appearance: AppearanceMethod?,
    _ smoothness: SmoothnessKernel?, _ work: WorkContext
  ) throws(Cancelled) -> ActiveMeanField? {
    guard classSelection != .all, unary.classCount > 2,
      classSelection == .active || unary.classCount > Unary.fewClasses, !settings.excludesSelf,
      settings.normalisation != .none, unary.kinds != nil || settings.iterations > 0
    else { return nil }
    var kernel: AppearanceKernel?
    switch appearance {
    case .lattice: return nil
    case .lowRank(let grid): kernel = grid
    case nil: break
    }
    let active = try ActiveMeanField(
      unary, of: self, settings: settings, appearance: kernel, smoothness: smoothness,
      work: work.withoutProgress)
    let all = Double((unary.classCount - 1) * size.voxelCount)
    let isCheaper = Self.costOfActiveClass * Double(active.computedVoxelClasses) <= all
    return isCheaper || classSelection == .active ? active : nil
  }

  /// Time for a class of a brick, in units of the time for one of all classes everywhere.
  private static let costOfActiveClass = 2.5

  /// Where classes are computed.
  package enum ClassSelection: Sendable {
    /// Where they are active or everywhere, whichever costs less.
    case automatic
    /// Where they are active, or everywhere.
    case active, all
  }

  /// The refinement of probabilities, class slowest; see ``Unary/init(probabilities:classCount:size:work:)``.
  package func refine(
    probabilities: [Float], classCount: Int, settings: RefinementSettings, method: Method = .fast,
    wantsMarginals: Bool = false, work: WorkContext = WorkContext()
  ) throws -> MeanFieldResult {
    let unary = try Unary(
      probabilities: probabilities, classCount: classCount, size: size, level: level,
      work: work.withoutProgress)
    return try refine(unary, settings: settings, method: method, wantsMarginals: wantsMarginals, work: work)
  }

  /// Whether the appearance kernel of `settings` needs a permutohedral lattice, whose error is larger, because its
  /// range kernel has no low rank or its grid would be too large; false without appearance weight.
  package func needsLattice(_ settings: RefinementSettings, work: WorkContext = WorkContext()) throws -> Bool
  {
    try check(settings)
    if case .lattice = try kernels(settings, work: work).appearance { return true }
    return false
  }

  /// Computes and caches the kernels of `settings`, so that the next refinement starts at once.
  package func prepare(_ settings: RefinementSettings, work: WorkContext = WorkContext()) throws {
    try check(settings)
    _ = try kernels(settings, work: work)
  }

  /// The kernels that `settings` need; those of weight 0 are nil.
  private func kernels(
    _ settings: RefinementSettings, work: WorkContext
  ) throws -> (appearance: AppearanceMethod?, smoothness: SmoothnessKernel?) {
    (
      settings.appearanceWeight > 0 ? try cache.appearance(settings, of: self, work: work) : nil,
      settings.smoothnessWeight > 0 ? cache.smoothness(settings, of: self) : nil
    )
  }

  /// A width in millimetres as voxels along each axis, clamped to at least 0.05 and at most 1e6.
  ///
  /// A kernel of a twentieth of a voxel is exp(-200) at the next voxel, and one of a million voxels is 1 everywhere, so
  /// that clamping does not change results.
  func voxels(_ theta: Spacing) -> [Double] { (0..<3).map { min(max(theta[$0] / spacing[$0], 0.05), 1e6) } }

  /// The Gaussians of a width in millimetres along each axis.
  func axes(_ theta: Spacing) -> [GaussianAxis] {
    zip(0..<3, voxels(theta)).map { GaussianAxis(count: size[$0], sigma: $1, accuracy: accuracy) }
  }
}
