import CKernels
import Work

/// One pass over all tiles: forward transforms, products with the weights, inverse transforms.
struct FFTTilePass: Sendable {
  /// Floats that hold the frequency rows of one group of tiles: 32 MiB.
  static let floatLimit = 8 << 20

  let tile: FFTTile
  let sourceChannels, resultChannels: Int
  let kernel: Extent3
  /// Position of a tile's first voxel in the source, relative to its first result.
  let sourceOffset: Extent3
  /// Results of a tile before the first valid one.
  let skip: Extent3
  /// Whether this is the pass of the input's gradient, from output channels to input channels.
  let isAdjoint: Bool
  let bias: [Float]?
  /// With no slopes or one for each result channel.
  let activation: PiecewiseLinear
  /// Whether a 2x2x2 max-pooling is fused.
  let pools: Bool
  /// Whether results are added to what their memory holds before the activation.
  let addsToOutput: Bool

  /// The tiling of a window of results and the layout of the scratch memory.
  struct Plan: Sendable {
    let tiling: FFTTiling
    let groups: [Range<Int>]
    /// The frequency rows of the largest group.
    let frequencyRows: FFTFrequencyRows
    let parts: FFTProductParts
    /// Result channels per product.
    let resultsAtATime: Int

    /// The spectra of a part's source channels.
    var sources: FFTRowSpectra {
      FFTRowSpectra(tile: parts.tile, channels: parts.sources, tiles: parts.tiles)
    }
    /// Floats of the spectra of the weights of one product.
    var weightFloats: Int { parts.sources * resultsAtATime * parts.tile.frequencyRowFloats }
    /// The spectra of one product's results.
    var results: FFTRowSpectra {
      FFTRowSpectra(tile: parts.tile, channels: resultsAtATime, tiles: parts.tiles)
    }

    /// Floats of each thread: a depth spectrum or the spectra of one product.
    var workerFloats: Int { max(sources.count + weightFloats + results.count, parts.tile.depthFloats) }
    func scratchCount(threadCount: Int) -> Int { frequencyRows.count + threadCount * workerFloats }
  }

  /// The plan for results of the given extents, before pooling.
  ///
  /// Fewer results never need more scratch memory, although their groups may be larger.
  func plan(batch: Int, results: Extent3) -> Plan {
    let tiling = FFTTiling(tile: tile, kernel: kernel, batch: batch, results: results, pools: pools)
    let channels = max(sourceChannels, resultChannels)
    let capacity = min(tiling.count, tiling.fitting(channels: channels, floatLimit: FFTTilePass.floatLimit))
    let parts = FFTProductParts(tile: tile, sources: sourceChannels)
    return Plan(
      tiling: tiling, groups: tiling.groups(channels: channels, floatLimit: FFTTilePass.floatLimit),
      frequencyRows: FFTFrequencyRows(tile: tile, channels: channels, tiles: capacity), parts: parts,
      resultsAtATime: parts.channels(of: resultChannels))
  }

  /// Writes the planes of `target`, which depend on the planes `planes` of results of extents `results`.
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
    let sourceOffset = Extent3(
      planes.lowerBound + self.sourceOffset.d - source.planes.lowerBound, self.sourceOffset.h,
      self.sourceOffset.w)
    let (tiling, frequencyRows) = (plan.tiling, plan.frequencyRows)
    let work = work.withoutProgress
    for group in plan.groups {
      try work.forEach(count: sourceChannels * group.count) { item, worker in
        let (index, channel) = (item / sourceChannels, item % sourceChannels)
        let (sample, origin, count) = tiling.location(group.lowerBound + index)
        tile.transformForward(
          source.start(sample: sample, channel: channel), of: held,
          from: Extent3(origin.d + sourceOffset.d, origin.h + sourceOffset.h, origin.w + sourceOffset.w),
          voxels: Extent3(count.d + kernel.d - 1, count.h + kernel.h - 1, count.w + kernel.w - 1),
          into: scratch.start + frequencyRows.offset(channel: channel, tile: index),
          stride: frequencyRows.stride,
          planes: scratch.start + frequencyRows.count + worker * plan.workerFloats)
      }
      try multiply(scratch, group: group, plan: plan, weights: weights, work: work)
      // Channel by channel of one tile: threads that write neighbouring tiles at a time would contend for cache lines.
      try work.forEach(count: resultChannels * group.count) { item, worker in
        let (index, channel) = (item / resultChannels, item % resultChannels)
        let location = tiling.location(group.lowerBound + index)
        store(
          scratch.start + frequencyRows.offset(channel: channel, tile: index), stride: frequencyRows.stride,
          location,
          channel: channel, target: target.start(sample: location.sample, channel: channel),
          planeStride: target.planeStride, rowStride: target.extent.w,
          planes: scratch.start + frequencyRows.count + worker * plan.workerFloats)
      }
    }
  }

  /// Replaces the frequency rows of a group's sources by those of its results.
  private func multiply(
    _ scratch: DisjointBuffer<Float>, group: Range<Int>, plan: Plan, weights: AlignedFloats, work: WorkContext
  ) throws(Cancelled) {
    let items = FFTProductItems(
      frequencyRows: tile.frequencyRows, tiles: group.count, limit: plan.parts.tiles,
      threads: work.threadCount)
    try work.forEach(count: items.count) { item, worker in
      let (frequencyRow, parts) = items[item]
      let sources = scratch.start + plan.frequencyRows.count + worker * plan.workerFloats
      let memory = scratch.start + frequencyRow * plan.frequencyRows.stride
      for part in parts {
        plan.frequencyRows.transformForward(
          0..<sourceChannels, of: part, frequencyRow: memory, into: sources, step: plan.sources.step)
        multiply(
          sources, step: plan.sources.step, part: part, first: group.lowerBound, of: plan.tiling,
          weights: weights.start, frequencyRow: frequencyRow, resultsAtATime: plan.resultsAtATime,
          scratch: sources + plan.sources.count, into: memory, frequencyRows: plan.frequencyRows)
      }
    }
  }

  /// Multiplies the spectra of one frequency row of some tiles by those of the weights, some result channels at a time,
  /// and transforms the products back along x.
  func multiply(
    _ sources: UnsafePointer<Float>, step: Int, part: Range<Int>, first: Int, of tiling: FFTTiling,
    weights: UnsafePointer<Float>, frequencyRow: Int, resultsAtATime: Int,
    scratch: UnsafeMutablePointer<Float>,
    into memory: UnsafeMutablePointer<Float>, frequencyRows: FFTFrequencyRows
  ) {
    var kernel = tile.kernel
    let count = part.count
    for results in (0..<resultChannels).parts(of: resultsAtATime) {
      let spectra = FFTRowSpectra(tile: tile, channels: results.count, tiles: count)
      transformWeights(weights, to: results, frequencyRow: frequencyRow, into: scratch)
      let products = scratch + sourceChannels * results.count * tile.frequencyRowFloats
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
          Int32(tile.wholeVectors(tiling.location(first + slot).size.w)),
          memory + frequencyRows.offset(channel: results.lowerBound + index / count, tile: slot))
      }
    }
  }

  /// Transforms a frequency row of the weights of some result channels along x, laid out [frequency][out][in].
  private func transformWeights(
    _ weights: UnsafePointer<Float>, to results: Range<Int>, frequencyRow: Int,
    into spectra: UnsafeMutablePointer<Float>
  ) {
    var transform = tile.kernel
    let taps = FFTTaps(
      tile: tile, outputChannels: isAdjoint ? sourceChannels : resultChannels,
      inputChannels: isAdjoint ? resultChannels : sourceChannels, kernel: kernel)
    let (outputChannels, inputChannels) =
      isAdjoint ? (0..<sourceChannels, results) : (results, 0..<sourceChannels)
    let start = weights + frequencyRow * taps.frequencyRowStride
    var target = spectra
    for output in outputChannels {
      for input in inputChannels {
        fft_forward_width(
          &transform, start + (output * taps.inputChannels + input) * taps.frequencyRowFloats,
          Int32(kernel.w),
          target,
          sourceChannels * results.count * tile.vectorFloats)
        target += tile.vectorFloats
      }
    }
  }

  /// Transforms the results of one channel of one tile back along y and z and writes them to `target`, the channel's
  /// first voxel.
  func store(
    _ frequencyRows: UnsafePointer<Float>, stride: Int,
    _ location: (sample: Int, origin: Extent3, size: Extent3),
    channel: Int, target: UnsafeMutablePointer<Float>, planeStride: Int, rowStride: Int,
    planes: UnsafeMutablePointer<Float>
  ) {
    let (_, origin, kept) = location
    var kernel = tile.kernel
    activation.slopes.withUnsafeBufferPointer { slopes in
      var how = fft_store(
        skip: Int32(skip.d), depth: Int32(kept.d), height: Int32(kept.h), width: Int32(kept.w),
        scale: tile.scale, bias: bias?[channel] ?? 0,
        activation: activation.kernel(slopes.baseAddress, from: channel), pools: pools, adds: addsToOutput)
      let divisor = pools ? 2 : 1
      fft_inverse_height(
        &kernel, frequencyRows, stride, Int32(tile.planes), Int32(skip.h), Int32((kept.h + 1) / 2 * 2),
        Int32(tile.columns(kept.w)), planes, tile.planeStride)
      fft_inverse_depth(
        &kernel, planes, tile.planeStride, Int32(tile.columns(kept.w)), &how,
        target + origin.d / divisor * planeStride + origin.h / divisor * rowStride + origin.w / divisor,
        planeStride,
        rowStride)
    }
  }

  /// The pass from the gradient of a convolution's output to that of its input.
  static func adjoint(
    tile: FFTTile, geometry: ConvolutionGeometry, inputChannels: Int, outputChannels: Int
  ) -> FFTTilePass {
    let kernel = geometry.kernel
    let lead = Extent3(kernel.d - 1, kernel.h - 1, kernel.w - 1)
    return FFTTilePass(
      tile: tile, sourceChannels: outputChannels, resultChannels: inputChannels, kernel: kernel,
      sourceOffset: Extent3(
        geometry.padding.before.d - lead.d, geometry.padding.before.h - lead.h,
        geometry.padding.before.w - lead.w),
      skip: lead, isAdjoint: true, bias: nil, activation: .identity, pools: false,
      addsToOutput: false)
  }
}

/// The work items of the products of a group of tiles: each is a frequency row of all tiles, in parts.
///
/// Where the number of frequency rows is not a multiple of the number of threads, the tiles of the remaining rows are
/// split between the threads.
struct FFTProductItems: Sendable {
  private let tiles, limit: Int
  private let wholeRows: Int
  private let splitRows, cuts: Int

  /// Parts of at most `limit` of `tiles` tiles.
  init(frequencyRows: Int, tiles: Int, limit: Int, threads: Int) {
    self.tiles = tiles
    self.limit = limit
    splitRows = frequencyRows % threads
    wholeRows = frequencyRows - splitRows
    cuts = min(tiles, threads)
  }

  var count: Int { wholeRows + splitRows * cuts }

  /// The frequency row and the parts of work item `item`.
  subscript(item: Int) -> (frequencyRow: Int, parts: [Range<Int>]) {
    if item < wholeRows { return (item, (0..<tiles).parts(atMost: limit)) }
    let (frequencyRow, cut) = ((item - wholeRows) / cuts, (item - wholeRows) % cuts)
    return (wholeRows + frequencyRow, (cut * tiles / cuts..<(cut + 1) * tiles / cuts).parts(atMost: limit))
  }
}

extension Range<Int> {
  /// Parts of `size` and the rest.
  func parts(of size: Int) -> [Range<Int>] {
    stride(from: lowerBound, to: upperBound, by: size).map { $0..<Swift.min($0 + size, upperBound) }
  }

  /// As few parts as possible of at most `limit` elements, whose sizes differ by one at most.
  func parts(atMost limit: Int) -> [Range<Int>] {
    let parts = (count + limit - 1) / limit
    return (0..<parts).map { lowerBound + $0 * count / parts..<lowerBound + ($0 + 1) * count / parts }
  }
}

extension FFTTile {
  /// Transforms one tile of one channel along z and y into frequency rows `stride` floats apart.
  ///
  /// The tile's voxel (0, 0, 0) lies at `origin` of `volume`, which may be outside. The tile's voxels `first` ..<
  /// `voxels` inside the volume are read; all others count as zero.
  /// - Parameter planes: Scratch memory of ``depthFloats``.
  func transformForward(
    _ channel: UnsafePointer<Float>, of volume: Extent3, from origin: Extent3, first: Extent3 = Extent3(0),
    voxels: Extent3, into frequencyRows: UnsafeMutablePointer<Float>, stride: Int,
    planes: UnsafeMutablePointer<Float>
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
      &kernel, planes, planeStride, Int32(self.planes), kernel.height, Int32(columns(extent.w)),
      frequencyRows, stride
    )
  }
}
