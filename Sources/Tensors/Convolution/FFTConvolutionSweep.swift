import CKernels
import Work

/// One pass of all tiles through the transforms and the products with the weights.
struct FFTSweep: Sendable {
  /// Floats that hold the bands of one group of tiles: 32 MiB.
  static let floatLimit = 8 << 20

  let tile: FFTTile
  let sourceChannels, resultChannels: Int
  let kernel: Extent3
  /// Where a tile starts in the source, counted from its first result.
  let reach: Extent3
  /// Results of a tile that are dropped before the first valid one.
  let skip: Extent3
  /// Whether the weights lead from a convolution's outputs to its inputs.
  let isAdjoint: Bool
  let bias: [Float]?
  let rectifies: Bool
  /// Whether the largest of every 2x2x2 results is kept alone.
  let pools: Bool

  /// How the tiles cover a window of results, and where the spectra lie in the scratch memory.
  struct Plan: Sendable {
    let tiling: FFTTiling
    let groups: [Range<Int>]
    /// The bands of the largest group.
    let bands: FFTBands
    let parts: FFTProductParts
    /// Results of a product at a time.
    let resultsAtATime: Int

    /// The spectra of a part's sources, those of its weights, and those of its results.
    var sources: FFTBandSpectra {
      FFTBandSpectra(tile: parts.tile, channels: parts.sources, tiles: parts.tiles)
    }
    var weightFloats: Int { parts.sources * resultsAtATime * parts.tile.bandFloats }
    var results: FFTBandSpectra {
      FFTBandSpectra(tile: parts.tile, channels: resultsAtATime, tiles: parts.tiles)
    }

    /// Floats of each thread: a depth spectrum or the spectra of one product.
    var workerFloats: Int { max(sources.count + weightFloats + results.count, parts.tile.depthFloats) }
    func scratchCount(threadCount: Int) -> Int { bands.count + threadCount * workerFloats }
  }

  /// The plan for results of the given extents, those before pooling.
  ///
  /// Fewer results never need more scratch memory, although their groups may be larger.
  func plan(batch: Int, results: Extent3) -> Plan {
    let tiling = FFTTiling(tile: tile, kernel: kernel, batch: batch, results: results, pools: pools)
    let channels = max(sourceChannels, resultChannels)
    let capacity = min(tiling.count, tiling.fitting(channels: channels, floatLimit: FFTSweep.floatLimit))
    let parts = FFTProductParts(tile: tile, sources: sourceChannels)
    return Plan(
      tiling: tiling, groups: tiling.groups(channels: channels, floatLimit: FFTSweep.floatLimit),
      bands: FFTBands(tile: tile, channels: channels, tiles: capacity), parts: parts,
      resultsAtATime: parts.channels(of: resultChannels))
  }

  /// Reads `source` and writes the planes of `target`, which are made of the results `planes` of `results`.
  func run(
    _ source: ActivationWindow, into target: ActivationWindow, results: Extent3, planes: Range<Int>,
    scratch: DisjointBuffer<Float>, weights: AlignedFloats, work: WorkContext
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
    let (tiling, bands) = (plan.tiling, plan.bands)
    let work = work.silent
    for group in plan.groups {
      try work.forEach(count: sourceChannels * group.count) { item, worker in
        let (index, channel) = (item / sourceChannels, item % sourceChannels)
        let (batchItem, origin, count) = tiling.place(group.lowerBound + index)
        tile.transformForward(
          source.start(item: batchItem, channel: channel), of: held,
          from: Extent3(origin.d + reach.d, origin.h + reach.h, origin.w + reach.w),
          voxels: Extent3(count.d + kernel.d - 1, count.h + kernel.h - 1, count.w + kernel.w - 1),
          into: scratch.start + bands.offset(channel: channel, tile: index), stride: bands.stride,
          planes: scratch.start + bands.count + worker * plan.workerFloats)
      }
      try multiply(scratch, group: group, plan: plan, weights: weights, work: work)
      // Channel after channel of a tile: neighbouring tiles share cache lines, which two threads must not write at a time.
      try work.forEach(count: resultChannels * group.count) { item, worker in
        let (index, channel) = (item / resultChannels, item % resultChannels)
        let place = tiling.place(group.lowerBound + index)
        store(
          scratch.start + bands.offset(channel: channel, tile: index), stride: bands.stride, place,
          channel: channel, target: target.start(item: place.item, channel: channel),
          planeStride: target.planeStride, rowStride: target.extent.w,
          planes: scratch.start + bands.count + worker * plan.workerFloats)
      }
    }
  }

  /// Replaces the bands of a group's sources by those of its results.
  private func multiply(
    _ scratch: DisjointBuffer<Float>, group: Range<Int>, plan: Plan, weights: AlignedFloats, work: WorkContext
  ) throws(Cancelled) {
    let items = FFTProductItems(
      bands: tile.bands, tiles: group.count, limit: plan.parts.tiles, threads: work.threadCount)
    try work.forEach(count: items.count) { item, worker in
      let (band, parts) = items[item]
      let sources = scratch.start + plan.bands.count + worker * plan.workerFloats
      let memory = scratch.start + band * plan.bands.stride
      for part in parts {
        plan.bands.transformForward(
          0..<sourceChannels, of: part, band: memory, into: sources, step: plan.sources.step)
        multiply(
          sources, step: plan.sources.step, part: part, first: group.lowerBound, of: plan.tiling,
          weights: weights.start, band: band, resultsAtATime: plan.resultsAtATime,
          scratch: sources + plan.sources.count, into: memory, bands: plan.bands)
      }
    }
  }

  /// Multiplies the spectra of one band of some tiles with those of the weights, some results at a time, and transforms
  /// these back along x.
  func multiply(
    _ sources: UnsafePointer<Float>, step: Int, part: Range<Int>, first: Int, of tiling: FFTTiling,
    weights: UnsafePointer<Float>, band: Int, resultsAtATime: Int, scratch: UnsafeMutablePointer<Float>,
    into memory: UnsafeMutablePointer<Float>, bands: FFTBands
  ) {
    var kernel = tile.kernel
    let count = part.count
    for results in (0..<resultChannels).parts(of: resultsAtATime) {
      let spectra = FFTBandSpectra(tile: tile, channels: results.count, tiles: count)
      transformWeights(weights, to: results, band: band, into: scratch)
      let products = scratch + sourceChannels * results.count * tile.bandFloats
      var channels = fft_channels(
        inputs: Int32(isAdjoint ? results.count : sourceChannels),
        outputs: Int32(isAdjoint ? sourceChannels : results.count), tiles: Int32(count), source_step: step,
        result_step: spectra.step)
      if isAdjoint {
        fft_multiply_adjoint(&kernel, &channels, scratch, sources, products)
      } else {
        fft_multiply(&kernel, &channels, scratch, sources, products)
      }
      for index in 0..<results.count * count {
        let slot = part.lowerBound + index % count
        fft_inverse_width(
          &kernel, products + index * tile.vectorFloats, spectra.step, Int32(skip.w),
          Int32(tile.wholeVectors(tiling.place(first + slot).size.w)),
          memory + bands.offset(channel: results.lowerBound + index / count, tile: slot))
      }
    }
  }

  /// Transforms a band of the weights that lead to some results along x, laid out [frequency][out][in].
  private func transformWeights(
    _ weights: UnsafePointer<Float>, to results: Range<Int>, band: Int,
    into spectra: UnsafeMutablePointer<Float>
  ) {
    var transform = tile.kernel
    let taps = FFTTaps(
      tile: tile, outputs: isAdjoint ? sourceChannels : resultChannels,
      inputs: isAdjoint ? resultChannels : sourceChannels, kernel: kernel)
    let (outputs, inputs) = isAdjoint ? (0..<sourceChannels, results) : (results, 0..<sourceChannels)
    let start = weights + band * taps.bandStride
    var target = spectra
    for output in outputs {
      for input in inputs {
        fft_forward_width(
          &transform, start + (output * taps.inputs + input) * taps.bandFloats, Int32(kernel.w), target,
          sourceChannels * results.count * tile.vectorFloats)
        target += tile.vectorFloats
      }
    }
  }

  /// Transforms the results of one channel of one tile back along y and z and writes them to `target`, where the
  /// channel starts.
  func store(
    _ bands: UnsafePointer<Float>, stride: Int, _ place: (item: Int, origin: Extent3, size: Extent3),
    channel: Int, target: UnsafeMutablePointer<Float>, planeStride: Int, rowStride: Int,
    planes: UnsafeMutablePointer<Float>
  ) {
    let (_, origin, kept) = place
    var kernel = tile.kernel
    var how = fft_store(
      skip: Int32(skip.d), depth: Int32(kept.d), height: Int32(kept.h), width: Int32(kept.w),
      scale: tile.scale, bias: bias?[channel] ?? 0, rectifies: rectifies, pools: pools)
    let share = pools ? 2 : 1
    fft_inverse_height(
      &kernel, bands, stride, Int32(tile.planes), Int32(skip.h), Int32((kept.h + 1) / 2 * 2),
      Int32(tile.columns(kept.w)), planes, tile.planeStride)
    fft_inverse_depth(
      &kernel, planes, tile.planeStride, Int32(tile.columns(kept.w)), &how,
      target + origin.d / share * planeStride + origin.h / share * rowStride + origin.w / share, planeStride,
      rowStride)
  }

  /// The pass from the gradient by a convolution's output to that by its input.
  static func adjoint(
    tile: FFTTile, geometry: ConvolutionGeometry, inputChannels: Int, outputChannels: Int
  ) -> FFTSweep {
    let kernel = geometry.kernel
    let lead = Extent3(kernel.d - 1, kernel.h - 1, kernel.w - 1)
    return FFTSweep(
      tile: tile, sourceChannels: outputChannels, resultChannels: inputChannels, kernel: kernel,
      reach: Extent3(
        geometry.padding.d - lead.d, geometry.padding.h - lead.h, geometry.padding.w - lead.w),
      skip: lead, isAdjoint: true, bias: nil, rectifies: false, pools: false)
  }
}

/// The products of a group of tiles that one worker takes at a time: a band of all tiles, in parts.
///
/// Where the bands cannot be shared out equally, the tiles of the last round's are shared by all threads.
struct FFTProductItems: Sendable {
  private let tiles, limit: Int
  private let wholeBands: Int
  private let cutBands, cuts: Int

  /// Parts of at most `limit` of `tiles` tiles.
  init(bands: Int, tiles: Int, limit: Int, threads: Int) {
    self.tiles = tiles
    self.limit = limit
    cutBands = bands % threads
    wholeBands = bands - cutBands
    cuts = min(tiles, threads)
  }

  var count: Int { wholeBands + cutBands * cuts }

  /// The band and the parts of an item.
  subscript(item: Int) -> (band: Int, parts: [Range<Int>]) {
    if item < wholeBands { return (item, (0..<tiles).parts(atMost: limit)) }
    let (band, cut) = ((item - wholeBands) / cuts, (item - wholeBands) % cuts)
    return (wholeBands + band, (cut * tiles / cuts..<(cut + 1) * tiles / cuts).parts(atMost: limit))
  }
}

extension Range<Int> {
  /// Parts of `size` and the rest.
  func parts(of size: Int) -> [Range<Int>] {
    stride(from: lowerBound, to: upperBound, by: size).map { $0..<Swift.min($0 + size, upperBound) }
  }

  /// As few parts as possible of at most `limit`, of equal size as far as possible.
  func parts(atMost limit: Int) -> [Range<Int>] {
    let parts = (count + limit - 1) / limit
    return (0..<parts).map { lowerBound + $0 * count / parts..<lowerBound + ($0 + 1) * count / parts }
  }
}

extension FFTTile {
  /// Transforms one tile of one channel along z and y into bands `stride` floats apart.
  ///
  /// Its voxel (0, 0, 0) lies at `origin` of `volume`, which may be outside. Of the tile the voxels from `first` to
  /// those before `voxels` are read; the others and those outside count as zero.
  /// - Parameter planes: Memory of ``depthFloats``, for the time between.
  func transformForward(
    _ channel: UnsafePointer<Float>, of volume: Extent3, from origin: Extent3, first: Extent3 = Extent3(0),
    voxels: Extent3, into bands: UnsafeMutablePointer<Float>, stride: Int, planes: UnsafeMutablePointer<Float>
  ) {
    var box = fft_box(
      z_begin: Int32(max(first.d, -origin.d)), z_end: Int32(min(voxels.d, volume.d - origin.d)),
      y_begin: Int32(max(first.h, -origin.h)), y_end: Int32(min(voxels.h, volume.h - origin.h)),
      x_begin: Int32(max(first.w, -origin.w)), x_end: Int32(min(voxels.w, volume.w - origin.w)))
    var kernel = self.kernel
    fft_forward_depth(
      &kernel, channel + ((origin.d * volume.h + origin.h) * volume.w + origin.w),
      volume.h * volume.w, volume.w, &box, kernel.height, Int32(columns(extent.w)), planes, planeStride)
    fft_forward_height(
      &kernel, planes, planeStride, Int32(self.planes), kernel.height, Int32(columns(extent.w)), bands, stride
    )
  }
}
