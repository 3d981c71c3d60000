import CKernels
import Work

extension FFTConvolution {
  /// The gradient with respect to the weights [out, in, z, y, x], given an input [N, in, D, H, W] and the gradient
  /// with respect to the output: the sum over tiles of products of their spectra, transformed back once.
  ///
  /// The tile is the cheapest unless one is given. Each frequency sums its tiles in order, so that the result does not depend on the number of threads.
  package static func weightGradient(
    input: Tensor, outputGradient: Tensor, geometry: ConvolutionGeometry,
    tile: FFTTile? = nil, work: WorkContext
  ) throws(Cancelled) -> Tensor {
    precondition(serves(geometry), "no FFT convolution for \(geometry)")
    precondition(
      input.batch == outputGradient.batch && geometry.output(input.extent) == outputGradient.extent,
      "gradient of shape \(outputGradient.shape) for an input of shape \(input.shape)")
    let tile =
      tile
      ?? cheapestTile(
        geometry: geometry, inputChannels: input.channels, outputChannels: outputGradient.channels,
        batch: input.batch, inputExtent: input.extent)
    let gradient = FFTWeightGradient(
      tiling: FFTTiling(
        tile: tile, kernel: geometry.kernel, batch: input.batch, results: outputGradient.extent),
      geometry: geometry, inputs: input.channels, outputs: outputGradient.channels, source: input.extent)
    let sums = try gradient.sum(input: input, outputGradient: outputGradient, work: work.silent)
    return try gradient.transformBack(sums, work: work.silent)
  }
}

/// The two halves of a weight gradient.
private struct FFTWeightGradient: Sendable {
  let tiling: FFTTiling
  let geometry: ConvolutionGeometry
  let inputs, outputs: Int
  let source: Extent3

  private var tile: FFTTile { tiling.tile }
  private var taps: FFTTaps { FFTTaps(tile: tile, outputs: outputs, inputs: inputs, kernel: geometry.kernel) }

  /// Sums of input spectra times conjugate output-gradient spectra, laid out as weight spectra.
  func sum(input: Tensor, outputGradient: Tensor, work: WorkContext) throws(Cancelled) -> AlignedFloats {
    let sums = AlignedFloats(count: taps.spectraCount)
    let channels = inputs + outputs
    let groups = tiling.groups(channels: channels, floatLimit: FFTSweep.floatLimit)
    let bands = FFTBands(tile: tile, channels: channels, tiles: groups[0].count)
    let bandMemory = AlignedFloats(count: bands.count)
    let spectra = FFTBandSpectra(
      tile: tile, channels: channels, tiles: min(bands.tiles, FFTSweep.tilesPerProduct))
    let workerFloats = max(spectra.count, tile.depthFloats)
    let scratch = AlignedFloats(count: work.threadCount * workerFloats)
    try input.withSharedElements { input throws(Cancelled) in
      try outputGradient.withSharedElements { outputGradient throws(Cancelled) in
        for group in groups {
          try work.forEach(count: channels * group.count) { item, worker in
            let (index, channel) = (item / channels, item % channels)
            transformForward(
              input, outputGradient, channel: channel, tileIndex: group.lowerBound + index,
              into: bandMemory.start + bands.offset(channel: channel, tile: index), stride: bands.stride,
              planes: scratch.start + worker * workerFloats)
          }
          try work.forEach(count: tile.bands) { band, worker in
            accumulate(
              band: bandMemory.start + band * bands.stride, of: bands, group: group, spectra: spectra,
              buffer: scratch.start + worker * workerFloats,
              sums: sums.start + taps.offset(pair: 0, band: band))
          }
        }
      }
    }
    return sums
  }

  /// Channels below `inputs` are the input's, with its overlap; the others are the output gradient's, without.
  private func transformForward(
    _ input: SharedBuffer<Float>, _ outputGradient: SharedBuffer<Float>, channel: Int, tileIndex: Int,
    into bands: UnsafeMutablePointer<Float>, stride: Int, planes: UnsafeMutablePointer<Float>
  ) {
    let (item, origin, size) = tiling.place(tileIndex)
    if channel < inputs {
      let kernel = geometry.kernel
      let padding = geometry.padding
      tile.transformForward(
        input.start + (item * inputs + channel) * source.product, of: source,
        from: Extent3(origin.d - padding.d, origin.h - padding.h, origin.w - padding.w),
        voxels: Extent3(size.d + kernel.d - 1, size.h + kernel.h - 1, size.w + kernel.w - 1),
        into: bands, stride: stride, planes: planes)
    } else {
      tile.transformForward(
        outputGradient.start + (item * outputs + channel - inputs) * tiling.results.product,
        of: tiling.results, from: origin, voxels: size, into: bands, stride: stride, planes: planes)
    }
  }

  private func accumulate(
    band: UnsafePointer<Float>, of bands: FFTBands, group: Range<Int>, spectra: FFTBandSpectra,
    buffer: UnsafeMutablePointer<Float>, sums: UnsafeMutablePointer<Float>
  ) {
    let channelCount = inputs + outputs
    var kernel = tile.kernel
    for part in (0..<group.count).parts(atMost: spectra.tiles) {
      let count = part.count
      for index in 0..<channelCount * count {
        fft_forward_width(
          &kernel, band + bands.offset(channel: index / count, tile: part.lowerBound + index % count),
          Int32(tile.columns(tile.extent.w)), buffer + index * tile.vectorFloats, spectra.step)
      }
      var channels = fft_channels(
        inputs: Int32(inputs), outputs: Int32(outputs), tiles: Int32(count), step: spectra.step)
      fft_accumulate(&kernel, &channels, buffer, sums, group.lowerBound + part.lowerBound > 0)
    }
  }

  /// The taps of every pair of channels.
  func transformBack(_ sums: AlignedFloats, work: WorkContext) throws(Cancelled) -> Tensor {
    let (tile, taps) = (tile, taps)
    let planes = AlignedFloats(count: taps.count)
    let scratch = AlignedFloats(count: work.threadCount * taps.bandsStride)
    try work.forEach(count: tile.planes * outputs) { item, worker in
      let (plane, output) = (item / outputs, item % outputs)
      let bands = scratch.start + worker * taps.bandsStride
      var kernel = tile.kernel
      for pair in output * inputs..<(output + 1) * inputs {
        for band in 0..<tile.bandsPerPlane {
          fft_inverse_width(
            &kernel, sums.start + taps.offset(pair: pair, band: plane * tile.bandsPerPlane + band), taps.step,
            0, Int32(taps.columns), bands + band * taps.bandFloats)
        }
        fft_inverse_height(
          &kernel, bands, taps.bandFloats, 1, 0, Int32(taps.rows), Int32(taps.columns),
          planes.start + taps.offset(pair: pair, plane: plane), taps.planeStride)
      }
    }
    let kernelExtent = taps.kernel
    return try filledTensor(
      shape: [outputs, inputs, kernelExtent.d, kernelExtent.h, kernelExtent.w]
    ) { gradient throws(Cancelled) in
      try work.forEach(count: taps.pairs, grain: 8) { pair, _ in
        var kernel = tile.kernel
        var how = fft_store(
          skip: 0, depth: Int32(kernelExtent.d), height: Int32(kernelExtent.h), width: Int32(kernelExtent.w),
          scale: tile.scale, bias: 0, rectifies: false, pools: false)
        fft_inverse_depth(
          &kernel, planes.start + taps.offset(pair: pair, plane: 0), taps.planeStride, Int32(taps.columns),
          &how, gradient.start + pair * kernelExtent.product, kernelExtent.h * kernelExtent.w, kernelExtent.w)
      }
    }
  }
}
