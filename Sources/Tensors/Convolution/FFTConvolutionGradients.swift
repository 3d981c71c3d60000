import CKernels
import Work

extension FFTConvolution {
  /// The gradients with respect to the input and to the weights, given an input [N, in, D, H, W] and the gradient
  /// with respect to the output, whose spectra serve both.
  ///
  /// Each frequency sums its tiles in order, so that the result does not depend on the number of threads.
  package func gradients(
    input: Tensor, outputGradient: Tensor, work: WorkContext
  ) throws(Cancelled) -> (input: Tensor, weight: Tensor) {
    precondition(
      input.channels == inputChannels && outputGradient.channels == outputChannels,
      "\(input.channels) and \(outputGradient.channels) channels for weights of \(inputChannels) and "
        + "\(outputChannels)")
    let pass = FFTGradientPass(
      sweep: adjoint, geometry: geometry, input: input, outputGradient: outputGradient)
    var sums: AlignedFloats?
    let inputGradient = try filledTensor(shape: input.shape) { gradient throws(Cancelled) in
      sums = try pass.sums(input, outputGradient, inputGradient: (gradient, spectra), work: work.silent)
    }
    return (inputGradient, try pass.taps.transformBack(sums!, work: work.silent))
  }

  /// The gradient with respect to the weights [out, in, z, y, x] alone; the tile is the cheapest unless one is given.
  package static func weightGradient(
    input: Tensor, outputGradient: Tensor, geometry: ConvolutionGeometry,
    tile: FFTTile? = nil, work: WorkContext
  ) throws(Cancelled) -> Tensor {
    precondition(serves(geometry), "no FFT convolution for \(geometry)")
    let tile =
      tile
      ?? cheapestTile(
        geometry: geometry, inputChannels: input.channels, outputChannels: outputGradient.channels,
        batch: input.batch, inputExtent: input.extent)
    let pass = FFTGradientPass(
      sweep: .adjoint(
        tile: tile, geometry: geometry, inputChannels: input.channels, outputChannels: outputGradient.channels
      ),
      geometry: geometry, input: input, outputGradient: outputGradient)
    let sums = try pass.sums(input, outputGradient, inputGradient: nil, work: work.silent)
    return try pass.taps.transformBack(sums, work: work.silent)
  }
}

/// The way through all tiles of an input, for the gradients of a convolution.
///
/// The transform of a tile of the input holds that tile alone, behind as many zeros as the output's gradient holds
/// neighbours in front of it: neither of their products wraps around, and the output's gradient, with its neighbours,
/// is transformed once for both.
private struct FFTGradientPass: Sendable {
  /// The pass of the input's gradient.
  let sweep: FFTSweep
  let tiling: FFTTiling
  let taps: FFTTaps
  let inputExtent, outputExtent: Extent3
  /// The bands of the largest group: the input's channels, then the output's.
  let bands: FFTBands
  /// The spectra of one product.
  let spectra: FFTBandSpectra

  private var tile: FFTTile { sweep.tile }
  private var inputs: Int { sweep.resultChannels }
  private var outputs: Int { sweep.sourceChannels }
  /// Floats of each thread: a depth spectrum or the spectra of one product.
  private var workerFloats: Int { max(spectra.count, tile.depthFloats) }

  init(sweep: FFTSweep, geometry: ConvolutionGeometry, input: Tensor, outputGradient: Tensor) {
    precondition(
      input.batch == outputGradient.batch && geometry.output(input.extent) == outputGradient.extent,
      "gradient of shape \(outputGradient.shape) for an input of shape \(input.shape)")
    self.sweep = sweep
    (inputExtent, outputExtent) = (input.extent, outputGradient.extent)
    tiling = FFTTiling(tile: sweep.tile, kernel: sweep.kernel, batch: input.batch, results: input.extent)
    taps = FFTTaps(
      tile: sweep.tile, outputs: outputGradient.channels, inputs: input.channels, kernel: sweep.kernel)
    let channels = input.channels + outputGradient.channels
    let capacity = min(tiling.count, tiling.fitting(channels: channels, floatLimit: FFTSweep.floatLimit))
    bands = FFTBands(tile: sweep.tile, channels: channels, tiles: capacity)
    spectra = FFTBandSpectra(
      tile: sweep.tile, channels: channels, tiles: min(capacity, FFTSweep.tilesPerProduct))
  }

  /// Sums of input spectra times conjugate output-gradient spectra, laid out as weight spectra; writes the input's
  /// gradient on the way, given its memory and the spectra of the weights.
  func sums(
    _ input: Tensor, _ outputGradient: Tensor,
    inputGradient: (target: DisjointBuffer<Float>, weights: AlignedFloats)?, work: WorkContext
  ) throws(Cancelled) -> AlignedFloats {
    let sums = AlignedFloats(count: taps.spectraCount)
    let memory = AlignedFloats(count: bands.count + work.threadCount * workerFloats)
    let channels = inputs + outputs
    try input.withSharedElements { input throws(Cancelled) in
      try outputGradient.withSharedElements { outputGradient throws(Cancelled) in
        for group in tiling.groups(channels: channels, floatLimit: FFTSweep.floatLimit) {
          try work.forEach(count: channels * group.count) { item, worker in
            let (index, channel) = (item / channels, item % channels)
            transformForward(
              input, outputGradient, channel: channel, tileIndex: group.lowerBound + index,
              into: memory.start + bands.offset(channel: channel, tile: index),
              planes: memory.start + bands.count + worker * workerFloats)
          }
          try work.forEach(count: tile.bands) { band, worker in
            multiply(
              band: band, of: memory.start, group: group, weights: inputGradient?.weights,
              sums: sums.start, buffer: memory.start + bands.count + worker * workerFloats)
          }
          guard let target = inputGradient?.target else { continue }
          try work.forEach(count: inputs * group.count) { item, worker in
            let (index, channel) = (item / inputs, item % inputs)
            let place = tiling.place(group.lowerBound + index)
            sweep.store(
              memory.start + bands.offset(channel: channel, tile: index), stride: bands.stride, place,
              channel: channel,
              target: target.start + (place.item * inputs + channel) * inputExtent.product,
              planeStride: inputExtent.h * inputExtent.w, rowStride: inputExtent.w,
              planes: memory.start + bands.count + worker * workerFloats)
          }
        }
      }
    }
    return sums
  }

  private func transformForward(
    _ input: SharedBuffer<Float>, _ outputGradient: SharedBuffer<Float>, channel: Int, tileIndex: Int,
    into bands: UnsafeMutablePointer<Float>, planes: UnsafeMutablePointer<Float>
  ) {
    let (item, origin, size) = tiling.place(tileIndex)
    let (skip, reach) = (sweep.skip, sweep.reach)
    let voxels = Extent3(size.d + skip.d, size.h + skip.h, size.w + skip.w)
    if channel < inputs {
      tile.transformForward(
        input.start + (item * inputs + channel) * inputExtent.product, of: inputExtent,
        from: Extent3(origin.d - skip.d, origin.h - skip.h, origin.w - skip.w), first: skip, voxels: voxels,
        into: bands, stride: self.bands.stride, planes: planes)
    } else {
      tile.transformForward(
        outputGradient.start + (item * outputs + channel - inputs) * outputExtent.product, of: outputExtent,
        from: Extent3(origin.d + reach.d, origin.h + reach.h, origin.w + reach.w), voxels: voxels,
        into: bands, stride: self.bands.stride, planes: planes)
    }
  }

  /// Adds a band's products to the sums; replaces the input's bands by those of its gradient, given weights.
  private func multiply(
    band: Int, of memory: UnsafeMutablePointer<Float>, group: Range<Int>, weights: AlignedFloats?,
    sums: UnsafeMutablePointer<Float>, buffer: UnsafeMutablePointer<Float>
  ) {
    let start = memory + band * bands.stride
    let (step, vector) = (spectra.step, tile.vectorFloats)
    var kernel = tile.kernel
    for part in (0..<group.count).parts(atMost: spectra.tiles) {
      let count = part.count
      for index in 0..<bands.channels * count {
        fft_forward_width(
          &kernel, start + bands.offset(channel: index / count, tile: part.lowerBound + index % count),
          Int32(tile.columns(tile.extent.w)), buffer + step + index * vector, step)
      }
      var channels = fft_channels(
        inputs: Int32(inputs), outputs: Int32(outputs), tiles: Int32(count), step: step)
      fft_accumulate(
        &kernel, &channels, buffer + step, sums + taps.offset(pair: 0, band: band),
        group.lowerBound + part.lowerBound > 0)
      guard let weights else { continue }
      // Behind the input's channels of each frequency, which are needed no more.
      let products = buffer + inputs * count * vector
      fft_multiply_adjoint(
        &kernel, &channels, weights.start + taps.offset(pair: 0, band: band), products)
      for index in 0..<inputs * count {
        let slot = part.lowerBound + index % count
        fft_inverse_width(
          &kernel, products + index * vector, step, Int32(sweep.skip.w),
          Int32(tile.columns(tiling.place(group.lowerBound + slot).size.w)),
          start + bands.offset(channel: index / count, tile: slot))
      }
    }
  }
}
