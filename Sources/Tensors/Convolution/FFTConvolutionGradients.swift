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
      sums = try pass.sums(input, outputGradient, inputGradient: (gradient, bands), work: work.silent)
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
  let parts: FFTProductParts
  /// Channels of the output, or of the input's gradient, of a product at a time.
  private let outputsAtATime, inputsAtATime: Int

  private var tile: FFTTile { sweep.tile }
  private var inputs: Int { sweep.resultChannels }
  private var outputs: Int { sweep.sourceChannels }
  /// The spectra of a part's channels, and those of the products that need most memory.
  private var spectra: FFTBandSpectra {
    FFTBandSpectra(tile: tile, channels: inputs + outputs, tiles: parts.tiles)
  }
  private var productFloats: Int {
    let results = FFTBandSpectra(tile: tile, channels: inputsAtATime, tiles: parts.tiles)
    return max(
      inputs * outputsAtATime * tile.bandFloats, outputs * inputsAtATime * tile.bandFloats + results.count)
  }
  /// Floats of each thread: a depth spectrum or the spectra of one product.
  private var workerFloats: Int { max(spectra.count + productFloats, tile.depthFloats) }

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
    parts = FFTProductParts(tile: sweep.tile, sources: channels)
    outputsAtATime = parts.channels(of: outputGradient.channels)
    inputsAtATime = parts.channels(of: input.channels)
  }

  /// Sums of input spectra times conjugate output-gradient spectra, transformed back along x; writes the input's gradient
  /// on the way, given its memory and the weights.
  func sums(
    _ input: Tensor, _ outputGradient: Tensor,
    inputGradient: (target: DisjointBuffer<Float>, weights: AlignedFloats)?, work: WorkContext
  ) throws(Cancelled) -> AlignedFloats {
    let sums = taps.bands()
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
    let (step, products) = (spectra.step, buffer + spectra.count)
    for part in (0..<group.count).parts(atMost: parts.tiles) {
      bands.transformForward(0..<inputs + outputs, of: part, band: start, into: buffer, step: step)
      let outputSpectra = buffer + inputs * part.count * tile.vectorFloats
      accumulate(
        inputs: buffer, outputs: outputSpectra, tiles: part.count,
        isFirst: group.lowerBound + part.lowerBound == 0,
        products: products, sums: sums + band * taps.bandStride)
      guard let weights else { continue }
      sweep.multiply(
        outputSpectra, step: step, part: part, first: group.lowerBound, of: tiling, weights: weights.start,
        band: band, resultsAtATime: inputsAtATime, scratch: products, into: start, bands: bands)
    }
  }

  /// Sums products over tiles and transforms the sums back along x, some outputs at a time.
  private func accumulate(
    inputs inputSpectra: UnsafePointer<Float>, outputs outputSpectra: UnsafePointer<Float>, tiles: Int,
    isFirst: Bool, products: UnsafeMutablePointer<Float>, sums: UnsafeMutablePointer<Float>
  ) {
    var transform = tile.kernel
    for part in (0..<outputs).parts(of: outputsAtATime) {
      var channels = fft_channels(
        inputs: Int32(inputs), outputs: Int32(part.count), tiles: Int32(tiles), source_step: spectra.step,
        result_step: 0)
      fft_accumulate(
        &transform, &channels, inputSpectra, outputSpectra + part.lowerBound * tiles * tile.vectorFloats,
        products)
      let step = inputs * part.count * tile.vectorFloats
      for pair in 0..<inputs * part.count {
        let spectrum = products + pair * tile.vectorFloats
        let target = sums + (part.lowerBound * inputs + pair) * taps.bandFloats
        if isFirst {
          fft_inverse_width(&transform, spectrum, step, 0, Int32(taps.kernel.w), target)
        } else {
          fft_inverse_width_adding(&transform, spectrum, step, Int32(taps.kernel.w), target)
        }
      }
    }
  }
}
