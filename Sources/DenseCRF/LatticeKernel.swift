import Volumes
import Work

/// The appearance kernel on a permutohedral lattice: any number of images, any width, a larger error.
///
/// It is used where ``RangeKernel`` has no low rank. Its row sums are computed with the lattice itself, so that
/// normalisation preserves constants.
final class LatticeKernel: Sendable {
  private let lattice: PermutohedralLattice
  /// D^-1/2 or D^-1 of the kernel's row sums D; nil without normalisation.
  private let factors: AlignedStorage<Float>?
  private let exponents: (before: Double, after: Double)

  /// The maximum number of images.
  static let maximumImageCount = PermutohedralLattice.maximumDimensions - 3
  /// The maximum intensity range, and extent of an axis, in units of the kernel's width; 32-bit features lose precision
  /// beyond.
  static let maximumRange = 1e6

  init(_ settings: RefinementSettings, of crf: DenseCRF, work: WorkContext) throws(Cancelled) {
    let size = crf.size
    let spatial = crf.voxels(settings.thetaAlphaMillimetres)
    let images = crf.images
    let thetaBetas = settings.thetaBetas
    lattice = try PermutohedralLattice(
      dimensions: 3 + images.count, count: size.voxelCount, work: work.part(0...0.9)
    ) { voxel, features in
      let index = size.index(offset: voxel)
      for axis in 0..<3 { features[axis] = Float(Double(index[axis]) / spatial[axis]) }
      for (position, image) in images.enumerated() {
        let intensity = min(max(image.voxels[voxel], image.range.lowerBound), image.range.upperBound)
        features[3 + position] = (intensity - image.range.lowerBound) / Float(thetaBetas[position])
      }
    }
    exponents = settings.normalisation.exponents
    let exponent = settings.normalisation.exponent
    if exponent == 0 {
      factors = nil
    } else {
      let sums = try AlignedStorage<Float>(count: size.voxelCount)
      sums.start.update(repeating: 1, count: size.voxelCount)
      try lattice.filter(sums, to: sums, scratch: try lattice.scratch(), work: work.withoutProgress)
      try work.forEach(count: size.voxelCount, grain: 65_536) { voxel, _ in
        sums.start[voxel] = Float(power(Double(max(sums.start[voxel], 1e-6)), exponent))
      }
      factors = sums
    }
    work.report(1)
  }

  /// Writes unary logits and this kernel's weighted messages of one channel to `logits`.
  /// - Parameters:
  ///   - differences: Q(l) - Q(0) of the iteration before.
  ///   - excludesSelf: Whether a voxel's message to itself is subtracted.
  func addMessages(
    of differences: UnsafePointer<Float>, to unary: UnsafePointer<Float>, weight: Float, excludesSelf: Bool,
    logits: UnsafeMutablePointer<Float>, scratch: Scratch, work: WorkContext
  ) throws(Cancelled) {
    let message = scratch.message
    let before = exponents.before == 0 ? nil : factors
    let after = exponents.after == 0 ? nil : factors
    let given = SharedBuffer(UnsafeBufferPointer(start: differences, count: lattice.count))
    let base = SharedBuffer(UnsafeBufferPointer(start: unary, count: lattice.count))
    let result = DisjointBuffer(UnsafeMutableBufferPointer(start: logits, count: lattice.count))
    try work.forEach(count: lattice.count, grain: 65_536) { voxel, _ in
      message.start[voxel] = given[voxel] * (before?.start[voxel] ?? 1)
    }
    try lattice.filter(message, to: message, scratch: scratch.vertices, work: work)
    try work.forEach(count: lattice.count, grain: 65_536) { voxel, _ in
      let own = excludesSelf ? given[voxel] * (before?.start[voxel] ?? 1) : 0
      result[voxel] = base[voxel] + weight * (after?.start[voxel] ?? 1) * (message.start[voxel] - own)
    }
  }

  /// Scratch memory of ``addMessages(of:to:weight:excludesSelf:logits:scratch:work:)``.
  struct Scratch: Sendable {
    let message, vertices: AlignedStorage<Float>
  }
  func scratch() throws(Cancelled) -> Scratch {
    Scratch(message: try AlignedStorage(count: lattice.count), vertices: try lattice.scratch())
  }
}
