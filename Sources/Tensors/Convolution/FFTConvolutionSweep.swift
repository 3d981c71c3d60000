import CKernels
import Work

/// One pass of all tiles through the transforms and the products with the weight spectra.
struct FFTSweep: Sendable {
  /// Floats that hold the depth spectra of one group of tiles: 32 MiB.
  static let floatLimit = 8 << 20
  /// Tiles whose plane spectra are multiplied at a time, so that they stay in the second-level cache.
  static let tilesPerProduct = 4

  let tiling: FFTTiling
  /// Extents of what is read.
  let source: Extent3
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

  private var tile: FFTTile { tiling.tile }

  /// Reads `input` and returns the results.
  func run(_ input: Tensor, spectra: FFTMemory, work: WorkContext) throws(Cancelled) -> Tensor {
    let results = tiling.results
    let shape = [tiling.batch, resultChannels, results.d, results.h, results.w]
    let channels = max(sourceChannels, resultChannels)
    let groups = tiling.groups(channels: channels, floatLimit: FFTSweep.floatLimit)
    let size = groups[0].count
    let depthSpectra = FFTMemory(count: channels * size * tile.depthStride)
    let planeFloats =
      ((sourceChannels + resultChannels) * min(size, FFTSweep.tilesPerProduct) + 1) * tile.planeStride
    let planes = FFTMemory(count: work.threadCount * planeFloats)
    let work = work.silent
    return try Tensor(uninitializedShape: shape) { output throws(Cancelled) in
      try input.withSharedElements { input throws(Cancelled) in
        for group in groups {
          try work.forEach(count: sourceChannels * group.count) { item, _ in
            let channel = item / group.count
            let index = item % group.count
            let (batchItem, origin, count) = tiling.place(group.lowerBound + index)
            tile.transformDepth(
              input.start + (batchItem * sourceChannels + channel) * source.product, of: source,
              from: Extent3(origin.d + reach.d, origin.h + reach.h, origin.w + reach.w),
              voxels: Extent3(
                count.d + kernel.d - 1, count.h + kernel.h - 1, count.w + kernel.w - 1),
              into: depthSpectra.start + (channel * size + index) * tile.depthStride)
          }
          try multiply(
            depthSpectra, group: group, size: size, spectra: spectra, planes: planes,
            planeFloats: planeFloats, work: work)
          try work.forEach(count: resultChannels * group.count) { item, _ in
            let channel = item / group.count
            let index = item % group.count
            store(
              depthSpectra.start + (channel * size + index) * tile.depthStride,
              tileIndex: group.lowerBound + index, channel: channel, output: output)
          }
        }
      }
    }
  }

  /// Replaces the depth spectra of a group's sources by those of its results.
  private func multiply(
    _ depthSpectra: FFTMemory, group: Range<Int>, size: Int, spectra: FFTMemory, planes: FFTMemory,
    planeFloats: Int, work: WorkContext
  ) throws(Cancelled) {
    let parts = (group.count + FFTSweep.tilesPerProduct - 1) / FFTSweep.tilesPerProduct
    let weightFloats = sourceChannels * resultChannels * tile.planeFloats
    let stride = tile.planeStride
    try work.forEach(count: tile.planes * parts) { item, worker in
      let plane = item / parts
      let first = item % parts * FFTSweep.tilesPerProduct
      let count = min(FFTSweep.tilesPerProduct, group.count - first)
      let sources = planes.start + worker * planeFloats
      let results = sources + sourceChannels * count * stride
      let scratch = results + resultChannels * count * stride
      var kernel = tile.kernel
      func depthPlane(_ channel: Int, _ index: Int) -> UnsafeMutablePointer<Float> {
        depthSpectra.start + (channel * size + first + index) * tile.depthStride + plane * stride
      }
      for channel in 0..<sourceChannels {
        for index in 0..<count {
          fft_forward_plane(
            &kernel, depthPlane(channel, index), kernel.height, Int32(tile.columns(tile.extent.w)),
            sources + (channel * count + index) * stride, scratch)
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
        let kept = tiling.place(group.lowerBound + first + index).size
        for channel in 0..<resultChannels {
          fft_inverse_plane(
            &kernel, results + (channel * count + index) * stride, Int32(skip.h),
            Int32((kept.h + 1) / 2 * 2), Int32(skip.w), Int32(tile.columns(kept.w)),
            depthPlane(channel, index), scratch)
        }
      }
    }
  }

  /// Transforms the results of one channel of one tile back along z and writes them.
  private func store(
    _ planes: UnsafeMutablePointer<Float>, tileIndex: Int, channel: Int, output: DisjointBuffer<Float>
  ) {
    let results = tiling.results
    let (batchItem, origin, kept) = tiling.place(tileIndex)
    var kernel = tile.kernel
    var how = fft_store(
      skip: Int32(skip.d), depth: Int32(kept.d), height: Int32(kept.h), width: Int32(kept.w),
      scale: tile.scale, bias: bias?[channel] ?? 0, rectifies: rectifies)
    let target =
      output.start + (batchItem * resultChannels + channel) * results.product
      + (origin.d * results.h + origin.h) * results.w + origin.w
    fft_inverse_depth(
      &kernel, planes, tile.planeStride, Int32(tile.columns(kept.w)), &how, target,
      results.h * results.w, results.w)
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
