import CKernels
import Work

/// One pass of all tiles through the transforms and the products with the weight spectra.
struct FFTSweep: Sendable {
  /// Floats that hold the depth spectra of one group of tiles: 32 MiB.
  static let floatLimit = 8 << 20
  /// Tiles whose plane spectra are multiplied at a time, so that they stay in the second-level cache.
  static let tilesPerProduct = 4

  let tile: FFTTile
  let sourceChannels, resultChannels: Int
  let kernel: Extent3
  /// Where a tile starts in the source, counted from its first result.
  let reach: Extent3
  /// Results of a tile that are dropped before the first valid one.
  let skip: Extent3
  /// Whether the weights are conjugated and their channels exchanged.
  let isAdjoint: Bool
  let bias: [Float]?
  let rectifies: Bool

  /// How the tiles cover a window of results of the given extents, and where the spectra lie in the scratch memory.
  struct Plan: Sendable {
    let tiling: FFTTiling
    let groups: [Range<Int>]
    /// Floats of the depth spectra of a group, and of the plane spectra of each thread behind them.
    let depthFloats, planeFloats: Int

    /// Tiles of the largest group.
    var size: Int { groups[0].count }
    func scratchCount(threadCount: Int) -> Int { depthFloats + threadCount * planeFloats }
  }

  func plan(batch: Int, results: Extent3) -> Plan {
    let tiling = FFTTiling(tile: tile, kernel: kernel, batch: batch, results: results)
    let channels = max(sourceChannels, resultChannels)
    let groups = tiling.groups(channels: channels, floatLimit: FFTSweep.floatLimit)
    let size = groups[0].count
    return Plan(
      tiling: tiling, groups: groups, depthFloats: channels * size * tile.depthStride,
      planeFloats: ((sourceChannels + resultChannels) * min(size, FFTSweep.tilesPerProduct) + 1)
        * tile.planeStride)
  }

  /// Reads `source` and writes the planes of `result`.
  func run(
    _ source: ActivationWindow, into result: ActivationWindow, scratch: DisjointBuffer<Float>,
    spectra: FFTMemory, work: WorkContext
  ) throws(Cancelled) {
    let plan = plan(
      batch: result.batch,
      results: Extent3(result.planes.count, result.extent.h, result.extent.w))
    precondition(
      source.channels == sourceChannels && result.channels == resultChannels
        && source.batch == result.batch && scratch.count >= plan.scratchCount(threadCount: work.threadCount),
      "\(source.channels) to \(result.channels) channels, \(source.batch) to \(result.batch) images, "
        + "\(scratch.count) floats of scratch for \(sourceChannels) to \(resultChannels) channels")
    let held = Extent3(source.planes.count, source.extent.h, source.extent.w)
    let reach = Extent3(
      result.planes.lowerBound + self.reach.d - source.planes.lowerBound, self.reach.h, self.reach.w)
    let (tiling, size) = (plan.tiling, plan.size)
    let work = work.silent
    for group in plan.groups {
      try work.forEach(count: sourceChannels * group.count) { item, _ in
        let channel = item / group.count
        let index = item % group.count
        let (batchItem, origin, count) = tiling.place(group.lowerBound + index)
        tile.transformDepth(
          source.start(item: batchItem, channel: channel), of: held,
          from: Extent3(origin.d + reach.d, origin.h + reach.h, origin.w + reach.w),
          voxels: Extent3(count.d + kernel.d - 1, count.h + kernel.h - 1, count.w + kernel.w - 1),
          into: scratch.start + (channel * size + index) * tile.depthStride)
      }
      try multiply(scratch, group: group, plan: plan, spectra: spectra, work: work)
      try work.forEach(count: resultChannels * group.count) { item, _ in
        let channel = item / group.count
        let index = item % group.count
        store(
          scratch.start + (channel * size + index) * tile.depthStride,
          tiling.place(group.lowerBound + index), channel: channel, result: result)
      }
    }
  }

  /// Replaces the depth spectra of a group's sources by those of its results.
  private func multiply(
    _ scratch: DisjointBuffer<Float>, group: Range<Int>, plan: Plan, spectra: FFTMemory, work: WorkContext
  ) throws(Cancelled) {
    let parts = (group.count + FFTSweep.tilesPerProduct - 1) / FFTSweep.tilesPerProduct
    let weightFloats = sourceChannels * resultChannels * tile.planeFloats
    let stride = tile.planeStride
    try work.forEach(count: tile.planes * parts) { item, worker in
      let plane = item / parts
      let first = item % parts * FFTSweep.tilesPerProduct
      let count = min(FFTSweep.tilesPerProduct, group.count - first)
      let sources = scratch.start + plan.depthFloats + worker * plan.planeFloats
      let results = sources + sourceChannels * count * stride
      let passScratch = results + resultChannels * count * stride
      var kernel = tile.kernel
      func depthPlane(_ channel: Int, _ index: Int) -> UnsafeMutablePointer<Float> {
        scratch.start + (channel * plan.size + first + index) * tile.depthStride + plane * stride
      }
      for channel in 0..<sourceChannels {
        for index in 0..<count {
          fft_forward_plane(
            &kernel, depthPlane(channel, index), kernel.height, Int32(tile.columns(tile.extent.w)),
            sources + (channel * count + index) * stride, passScratch)
        }
      }
      var channels = fft_channels(
        inputs: Int32(isAdjoint ? resultChannels : sourceChannels),
        outputs: Int32(isAdjoint ? sourceChannels : resultChannels), tiles: Int32(count),
        stride: stride)
      let weights = spectra.start + plane * weightFloats
      if isAdjoint {
        fft_multiply_adjoint(&kernel, &channels, sources, weights, results)
      } else {
        fft_multiply(&kernel, &channels, sources, weights, results)
      }
      for index in 0..<count {
        let kept = plan.tiling.place(group.lowerBound + first + index).size
        for channel in 0..<resultChannels {
          fft_inverse_plane(
            &kernel, results + (channel * count + index) * stride, Int32(skip.h),
            Int32((kept.h + 1) / 2 * 2), Int32(skip.w), Int32(tile.columns(kept.w)),
            depthPlane(channel, index), passScratch)
        }
      }
    }
  }

  /// Transforms the results of one channel of one tile back along z and writes them.
  private func store(
    _ planes: UnsafeMutablePointer<Float>, _ place: (item: Int, origin: Extent3, size: Extent3),
    channel: Int, result: ActivationWindow
  ) {
    let (batchItem, origin, kept) = place
    var kernel = tile.kernel
    var how = fft_store(
      skip: Int32(skip.d), depth: Int32(kept.d), height: Int32(kept.h), width: Int32(kept.w),
      scale: tile.scale, bias: bias?[channel] ?? 0, rectifies: rectifies)
    let target =
      result.start(item: batchItem, channel: channel) + origin.d * result.planeStride
      + origin.h * result.extent.w + origin.w
    fft_inverse_depth(
      &kernel, planes, tile.planeStride, Int32(tile.columns(kept.w)), &how, target,
      result.planeStride, result.extent.w)
  }
}

extension FFTTile {
  /// Transforms one tile of one channel along z.
  ///
  /// Its voxel (0, 0, 0) lies at `origin` of `volume`, which may be outside. Of the tile `voxels` are read; the others
  /// and those outside count as zero.
  func transformDepth(
    _ channel: UnsafePointer<Float>, of volume: Extent3, from origin: Extent3, voxels: Extent3,
    into planes: UnsafeMutablePointer<Float>
  ) {
    var box = fft_box(
      z_begin: Int32(max(0, -origin.d)), z_end: Int32(min(voxels.d, volume.d - origin.d)),
      y_begin: Int32(max(0, -origin.h)), y_end: Int32(min(voxels.h, volume.h - origin.h)),
      x_begin: Int32(max(0, -origin.w)), x_end: Int32(min(voxels.w, volume.w - origin.w)))
    var kernel = self.kernel
    fft_forward_depth(
      &kernel, channel + ((origin.d * volume.h + origin.h) * volume.w + origin.w),
      volume.h * volume.w, volume.w, &box, kernel.height, Int32(columns(extent.w)), planes, planeStride)
  }
}
