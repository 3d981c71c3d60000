import CKernels
import Volumes
import Work

/// The quantised intensities of all voxels, and the features of the levels.
final class RangeCodes: Sendable {
  let range: RangeKernel
  /// Intensity level of each voxel, per image.
  let codes: [AlignedStorage<UInt16>]

  /// Rounds the voxels of `images` to the levels of `range`.
  init(_ range: RangeKernel, images: [[Float]], level: kernels_level, work: WorkContext) throws(Cancelled) {
    self.range = range
    codes = try zip(images, range.levels).map { image, levels throws(Cancelled) in
      let codes = try AlignedStorage<UInt16>(count: image.count)
      let chunk = 65_536
      try image.withUnsafeBufferPointer { voxels throws(Cancelled) in
        let voxels = SharedBuffer(voxels)
        try work.forEach(count: (voxels.count + chunk - 1) / chunk) { index, _ in
          let start = index * chunk
          dense_crf_kernels_for(level).pointee.encode(
            codes.start + start, voxels.start + start, levels.lower, levels.upper, levels.perUnit,
            min(chunk, voxels.count - start))
        }
      }
      return codes
    }
  }
}

/// The appearance kernel of one pair of widths, with the row sums of its normalisation.
///
/// It does not depend on weights, unaries or iterations, so that it is cached between refinements.
final class AppearanceKernel: Sendable {
  let voxels: RangeCodes
  /// The Gaussians along i, j, k.
  let axes: [GaussianAxis]
  /// D^-1/2 or D^-1 of the kernel's row sums D; nil without normalisation.
  let factors: AlignedStorage<Float>?
  /// Per voxel of a row its weight in each of its three cells.
  private let weights: [AlignedStorage<Float>]

  /// The kernel; `exponent` is the power of the row sums, 0 for no normalisation.
  init(
    _ voxels: RangeCodes, axes: [GaussianAxis], size: GridSize, exponent: Double, level: kernels_level,
    work: WorkContext
  ) throws(Cancelled) {
    self.voxels = voxels
    self.axes = axes
    let weights = Self.weights(axes[0])
    self.weights = weights
    factors =
      exponent == 0
      ? nil
      : try Self.factors(
        Self.shape(axes, rank: voxels.range.rank, channels: 1),
        row: Self.row(voxels, axes[0], weights, channels: 1), cells: voxels.range, size: size,
        exponent: exponent,
        level: level, work: work)
  }

  /// The kernel on a part of `size` voxels that begins at a block along every axis, without row sums.
  init(_ whole: AppearanceKernel, size: GridSize) {
    voxels = whole.voxels
    axes = (0..<3).map { GaussianAxis(whole.axes[$0], count: size[$0]) }
    weights = Self.weights(axes[0])
    factors = nil
  }

  private static func weights(_ axis: GaussianAxis) -> [AlignedStorage<Float>] {
    (0..<3).map { cell in AlignedStorage((0..<axis.count).map { axis.weights($0)[cell] }) }
  }

  /// The grid for a number of channels: rows [cell][channel][feature].
  func shape(channels: Int) -> GridShape { Self.shape(axes, rank: voxels.range.rank, channels: channels) }

  /// The grid of one channel on a part of `size` voxels that begins at a block along every axis.
  func shape(ofPart size: GridSize) -> GridShape {
    Self.shape(
      (0..<3).map { GaussianAxis(axes[$0], count: size[$0]) }, rank: voxels.range.rank, channels: 1)
  }

  /// The row as the C kernels take it.
  func row(channels: Int) -> dense_crf_row { Self.row(voxels, axes[0], weights, channels: channels) }

  private static func shape(_ axes: [GaussianAxis], rank: Int, channels: Int) -> GridShape {
    GridShape(
      axes: axes, cellFloats: channels * rank, rowFloats: axes[0].cells * channels * rank,
      slack: 18 * channels * rank)
  }

  private static func row(
    _ voxels: RangeCodes, _ axis: GaussianAxis, _ weights: [AlignedStorage<Float>], channels: Int
  ) -> dense_crf_row {
    var row = dense_crf_row()
    withUnsafeMutableBytes(of: &row.codes) { pointers in
      for (index, codes) in voxels.codes.enumerated() {
        pointers.bindMemory(to: UnsafePointer<UInt16>.self)[index] = UnsafePointer(codes.start)
      }
    }
    withUnsafeMutableBytes(of: &row.features) { pointers in
      for (index, features) in voxels.range.features.enumerated() {
        pointers.bindMemory(to: UnsafePointer<Float>.self)[index] = UnsafePointer(features.start)
      }
    }
    withUnsafeMutableBytes(of: &row.levels) { counts in
      for (index, levels) in voxels.range.levels.enumerated() {
        counts.bindMemory(to: Int.self)[index] = levels.count
      }
    }
    row.modalities = voxels.codes.count
    row.ranks = voxels.range.rank
    row.channels = channels
    row.count = axis.count
    row.step = axis.step
    row.cells = axis.cells
    row.block_weights = UnsafePointer(axis.weights.start)
    row.weights = (
      UnsafePointer(weights[0].start), UnsafePointer(weights[1].start), UnsafePointer(weights[2].start)
    )
    return row
  }

  /// The kernel's row sums to the power `exponent`, computed by filtering ones.
  private static func factors(
    _ shape: GridShape, row: dense_crf_row, cells: RangeKernel, size: GridSize, exponent: Double,
    level: kernels_level, work: WorkContext
  ) throws(Cancelled) -> AlignedStorage<Float> {
    var pass = dense_crf_pass()
    pass.rows = size.j
    pass.row = row
    pass.appearance = dense_crf_plane(shape)
    let description = GridPass.Description(pass: pass)
    let scratch = try PassScratch(description, appearance: shape, smoothness: nil, workers: work.threadCount)
    let voxels = GridPass(
      size: size, slabs: Slabs(planes: size.k, axes: [shape.axes[2]]), level: level, scratch: scratch)
    let grids = KernelGrids(appearance: try KernelGrid(shape), smoothness: nil)
    try voxels.run(description, from: nil, to: grids, work: work) { kernels, pass, plane, rows, scratch in
      kernels.send_ones(&pass, plane, rows.lowerBound, rows.upperBound, scratch)
    }
    work.report(0.4)
    try GridFilter(level: level).appearance(grids.appearance!, cells, channels: 1, work: work)
    work.report(0.5)
    let factors = try AlignedStorage<Float>(count: size.voxelCount)
    try voxels.run(description, from: grids, to: nil, work: work) { kernels, pass, plane, rows, scratch in
      kernels.receive_sums(&pass, plane, rows.lowerBound, rows.upperBound, factors.start, scratch)
      kernels.invert(
        factors.start + (plane * size.j + rows.lowerBound) * size.i, exponent == -0.5 ? 1 : 0,
        rows.count * size.i)
    }
    work.report(1)
    return factors
  }
}
