import CKernels
import Work

/// One pass of all tiles through the transforms and the products with the weight spectra.
struct FFTSweep: Sendable {
  /// Floats that hold the depth spectra of one group of tiles: 32 MiB.
  static let floatLimit = 8 << 20
  /// Tiles whose plane spectra are multiplied at a time, so that the weights are read once for all of them.
  static let tilesPerProduct = 8

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
  /// Whether the largest of every 2x2x2 results is kept alone.
  let pools: Bool

  /// How the tiles cover a window of results, and where the spectra lie in the scratch memory.
  struct Plan: Sendable {
    let tiling: FFTTiling
    let groups: [Range<Int>]
    /// The plane spectra of one product.
    let planes: FFTPlaneSpectra
    /// Floats of the depth spectra of a group.
    let depthFloats: Int

    /// Tiles of the largest group.
    var size: Int { groups[0].count }
    /// Floats of the plane spectra of each thread, and of a plane between two transforms.
    var planeFloats: Int { planes.count + planes.tile.planeStride }
    func scratchCount(threadCount: Int) -> Int { depthFloats + threadCount * planeFloats }
  }

  /// The plan for results of the given extents, those before pooling.
  ///
  /// Fewer results never need more scratch memory, although their groups may be larger.
  func plan(batch: Int, results: Extent3) -> Plan {
    let tiling = FFTTiling(tile: tile, kernel: kernel, batch: batch, results: results, pools: pools)
    let channels = max(sourceChannels, resultChannels)
    let capacity = min(tiling.count, tiling.fitting(channels: channels, floatLimit: FFTSweep.floatLimit))
    return Plan(
      tiling: tiling, groups: tiling.groups(channels: channels, floatLimit: FFTSweep.floatLimit),
      planes: FFTPlaneSpectra(
        tile: tile, channels: channels, tiles: min(capacity, FFTSweep.tilesPerProduct)),
      depthFloats: channels * capacity * tile.depthStride)
  }

  /// Reads `source` and writes the planes of `target`, which are made of the results `planes` of `results`.
  func run(
    _ source: ActivationWindow, into target: ActivationWindow, results: Extent3, planes: Range<Int>,
    scratch: DisjointBuffer<Float>, spectra: AlignedFloats, work: WorkContext
  ) throws(Cancelled) {
    let plan = plan(batch: target.batch, results: Extent3(planes.count, results.h, results.w))
    precondition(
      source.channels == sourceChannels && target.channels == resultChannels
        && source.batch == target.batch && scratch.count >= plan.scratchCount(threadCount: work.threadCount),
      "\(source.channels) to \(target.channels) channels, \(source.batch) to \(target.batch) images, "
        + "\(scratch.count) floats of scratch for \(sourceChannels) to \(resultChannels) channels")
    let held = Extent3(source.planes.count, source.extent.h, source.extent.w)
    let reach = Extent3(
      planes.lowerBound + self.reach.d - source.planes.lowerBound, self.reach.h, self.reach.w)
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
          tiling.place(group.lowerBound + index), channel: channel, target: target)
      }
    }
  }

  /// Replaces the depth spectra of a group's sources by those of its results.
  private func multiply(
    _ scratch: DisjointBuffer<Float>, group: Range<Int>, plan: Plan, spectra: AlignedFloats, work: WorkContext
  ) throws(Cancelled) {
    let items = FFTProductItems(
      planes: tile.planes, tiles: group.count, limit: FFTSweep.tilesPerProduct, threads: work.threadCount)
    let weightFloats = sourceChannels * resultChannels * tile.planeFloats
    let step = plan.planes.step
    try work.forEach(count: items.count) { item, worker in
      let (plane, part) = items[item]
      let count = part.count
      let products = scratch.start + plan.depthFloats + worker * plan.planeFloats
      let passScratch = products + plan.planes.count
      var kernel = tile.kernel
      /// The plane of the `index`th pair of channel and tile, or of the last.
      func depthPlane(_ index: Int, channels: Int) -> UnsafeMutablePointer<Float> {
        let index = min(index, channels * count - 1)
        let slot = index / count * plan.size + part.lowerBound + index % count
        return scratch.start + slot * tile.depthStride + plane * tile.planeStride
      }
      for index in 0..<sourceChannels * count {
        fft_forward_plane(
          &kernel, depthPlane(index, channels: sourceChannels),
          depthPlane(index + 1, channels: sourceChannels), kernel.height, Int32(tile.columns(tile.extent.w)),
          products + step + plan.planes.offset(channel: 0, tile: index, of: count), step, passScratch)
      }
      var channels = fft_channels(
        inputs: Int32(isAdjoint ? resultChannels : sourceChannels),
        outputs: Int32(isAdjoint ? sourceChannels : resultChannels), tiles: Int32(count), step: step)
      let weights = spectra.start + plane * weightFloats
      if isAdjoint {
        fft_multiply_adjoint(&kernel, &channels, weights, products)
      } else {
        fft_multiply(&kernel, &channels, weights, products)
      }
      for index in 0..<resultChannels * count {
        let kept = plan.tiling.place(group.lowerBound + part.lowerBound + index % count).size
        fft_inverse_plane(
          &kernel, products + plan.planes.offset(channel: 0, tile: index, of: count), step, Int32(skip.h),
          Int32((kept.h + 1) / 2 * 2), Int32(skip.w), Int32(tile.columns(kept.w)),
          depthPlane(index, channels: resultChannels), depthPlane(index + 1, channels: resultChannels),
          passScratch)
      }
    }
  }

  /// Transforms the results of one channel of one tile back along z and writes them.
  private func store(
    _ planes: UnsafeMutablePointer<Float>, _ place: (item: Int, origin: Extent3, size: Extent3),
    channel: Int, target: ActivationWindow
  ) {
    let (batchItem, origin, kept) = place
    var kernel = tile.kernel
    var how = fft_store(
      skip: Int32(skip.d), depth: Int32(kept.d), height: Int32(kept.h), width: Int32(kept.w),
      scale: tile.scale, bias: bias?[channel] ?? 0, rectifies: rectifies, pools: pools)
    let share = pools ? 2 : 1
    let start =
      target.start(item: batchItem, channel: channel) + origin.d / share * target.planeStride
      + origin.h / share * target.extent.w + origin.w / share
    fft_inverse_depth(
      &kernel, planes, tile.planeStride, Int32(tile.columns(kept.w)), &how, start, target.planeStride,
      target.extent.w)
  }
}

/// The parts of a group of tiles whose products one worker takes, plane by plane.
///
/// Where the planes cannot be shared out equally, those of the last round are cut into a part for every thread.
struct FFTProductItems: Sendable {
  private let tiles: Int
  private let wholePlanes, parts: Int
  private let cutPlanes, cuts: Int

  /// Parts of at most `limit` of `tiles` tiles.
  init(planes: Int, tiles: Int, limit: Int, threads: Int) {
    self.tiles = tiles
    parts = (tiles + limit - 1) / limit
    cutPlanes = planes * parts % threads == 0 ? 0 : planes % threads
    wholePlanes = planes - cutPlanes
    cuts = min(tiles, max(parts, threads))
  }

  var count: Int { wholePlanes * parts + cutPlanes * cuts }

  /// The plane and the tiles of an item.
  subscript(item: Int) -> (plane: Int, tiles: Range<Int>) {
    func share(_ index: Int, of count: Int) -> Range<Int> {
      index * tiles / count..<(index + 1) * tiles / count
    }
    if item < wholePlanes * parts { return (item / parts, share(item % parts, of: parts)) }
    let rest = item - wholePlanes * parts
    return (wholePlanes + rest / cuts, share(rest % cuts, of: cuts))
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
