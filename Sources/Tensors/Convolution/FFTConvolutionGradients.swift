import CKernels
import Work

extension FFTConvolution {
  /// The gradients with respect to the input and the weights, given an input [N, in, D, H, W] and the output gradient
  /// [N, out, D', H', W']; both use the same spectra.
  ///
  /// Each frequency sums its tiles in order, so that results do not depend on the number of threads.
  package func gradients(
    input: Tensor, outputGradient: Tensor, work: WorkContext
  ) throws(Cancelled) -> (input: Tensor, weight: Tensor) {
    precondition(
      input.channels == inputChannels && outputGradient.channels == outputChannels,
      "\(input.channels) and \(outputGradient.channels) channels for weights of \(inputChannels) and "
        + "\(outputChannels)")
    let pass = FFTGradientPass(
      tilePass: adjoint, geometry: geometry, input: input, outputGradient: outputGradient)
    var sums: AlignedFloats?
    let inputGradient = try filledTensor(shape: input.shape) { gradient throws(Cancelled) in
      sums = try pass.sums(
        input, outputGradient, inputGradient: (gradient, frequencyRows), work: work.withoutProgress)
    }
    return (inputGradient, try pass.taps.transformBack(sums!, work: work.withoutProgress))
  }

  /// The gradient with respect to the weights [out, in, z, y, x] alone; the tile is the cheapest unless one is given.
  package static func weightGradient(
    input: Tensor, outputGradient: Tensor, geometry: ConvolutionGeometry,
    tile: FFTTile? = nil, work: WorkContext
  ) throws(Cancelled) -> Tensor {
    precondition(supports(geometry), "no FFT convolution for \(geometry)")
    let tile =
      tile
      ?? cheapestTile(
        geometry: geometry, inputChannels: input.channels, outputChannels: outputGradient.channels,
        batch: input.batch, inputExtent: input.extent)
    let pass = FFTGradientPass(
      tilePass: .adjoint(
        tile: tile, geometry: geometry, inputChannels: input.channels, outputChannels: outputGradient.channels
      ),
      geometry: geometry, input: input, outputGradient: outputGradient)
    let sums = try pass.sums(input, outputGradient, inputGradient: nil, work: work.withoutProgress)
    return try pass.taps.transformBack(sums, work: work.withoutProgress)
  }
}

/// The pass over all tiles that computes the gradients of a convolution.
///
/// The transformed tile of the input is preceded by as many zeros as the tile of the output gradient has neighbouring
/// voxels in front. Then neither product wraps around, and one transform of the output gradient serves both gradients.
private struct FFTGradientPass: Sendable {
  /// The pass that computes the input's gradient.
  let tilePass: FFTTilePass
  let tiling: FFTTiling
  let taps: FFTTaps
  let inputExtent, outputExtent: Extent3
  /// The frequency rows of the largest group: the input's channels, then the output's.
  let frequencyRows: FFTFrequencyRows
  let parts: FFTProductParts
  /// Channels of the output, and of the input's gradient, per product.
  private let outputChannelsAtATime, inputChannelsAtATime: Int

  private var tile: FFTTile { tilePass.tile }
  private var inputChannels: Int { tilePass.resultChannels }
  private var outputChannels: Int { tilePass.sourceChannels }
  /// The spectra of one part's channels.
  private var spectra: FFTRowSpectra {
    FFTRowSpectra(tile: tile, channels: inputChannels + outputChannels, tiles: parts.tiles)
  }
  /// Floats of the largest product: weight gradients, or weights and results of the input's gradient.
  private var productFloats: Int {
    let results = FFTRowSpectra(tile: tile, channels: inputChannelsAtATime, tiles: parts.tiles)
    return max(
      inputChannels * outputChannelsAtATime * tile.frequencyRowFloats,
      outputChannels * inputChannelsAtATime * tile.frequencyRowFloats + results.count)
  }
  /// Floats of each thread: a depth spectrum or the spectra of one product.
  private var workerFloats: Int { max(spectra.count + productFloats, tile.depthFloats) }

  init(tilePass: FFTTilePass, geometry: ConvolutionGeometry, input: Tensor, outputGradient: Tensor) {
    precondition(
      input.batch == outputGradient.batch && geometry.output(input.extent) == outputGradient.extent,
      "gradient of shape \(outputGradient.shape) for an input of shape \(input.shape)")
    self.tilePass = tilePass
    (inputExtent, outputExtent) = (input.extent, outputGradient.extent)
    tiling = FFTTiling(
      tile: tilePass.tile, kernel: tilePass.kernel, batch: input.batch, results: input.extent)
    taps = FFTTaps(
      tile: tilePass.tile, outputChannels: outputGradient.channels, inputChannels: input.channels,
      kernel: tilePass.kernel)
    let channels = input.channels + outputGradient.channels
    let capacity = min(tiling.count, tiling.fitting(channels: channels, floatLimit: FFTTilePass.floatLimit))
    frequencyRows = FFTFrequencyRows(tile: tilePass.tile, channels: channels, tiles: capacity)
    parts = FFTProductParts(tile: tilePass.tile, sources: channels)
    outputChannelsAtATime = parts.channels(of: outputGradient.channels)
    inputChannelsAtATime = parts.channels(of: input.channels)
  }

  /// The sums of input spectra times conjugate output-gradient spectra, transformed back along x.
  ///
  /// Also writes the input's gradient where its memory and the weights are given.
  func sums(
    _ input: Tensor, _ outputGradient: Tensor,
    inputGradient: (target: DisjointBuffer<Float>, weights: AlignedFloats)?, work: WorkContext
  ) throws(Cancelled) -> AlignedFloats {
    let sums = taps.frequencyRows()
    let memory = AlignedFloats(count: frequencyRows.count + work.threadCount * workerFloats)
    let channels = inputChannels + outputChannels
    try input.withSharedElements { input throws(Cancelled) in
      try outputGradient.withSharedElements { outputGradient throws(Cancelled) in
        for group in tiling.groups(channels: channels, floatLimit: FFTTilePass.floatLimit) {
          try work.forEach(count: channels * group.count) { item, worker in
            let (index, channel) = (item / channels, item % channels)
            transformForward(
              input, outputGradient, channel: channel, tileIndex: group.lowerBound + index,
              into: memory.start + frequencyRows.offset(channel: channel, tile: index),
              planes: memory.start + frequencyRows.count + worker * workerFloats)
          }
          try work.forEach(count: tile.frequencyRows) { frequencyRow, worker in
            multiply(
              frequencyRow: frequencyRow, of: memory.start, group: group, weights: inputGradient?.weights,
              sums: sums.start, buffer: memory.start + frequencyRows.count + worker * workerFloats)
          }
          guard let target = inputGradient?.target else { continue }
          try work.forEach(count: inputChannels * group.count) { item, worker in
            let (index, channel) = (item / inputChannels, item % inputChannels)
            let location = tiling.location(group.lowerBound + index)
            tilePass.store(
              memory.start + frequencyRows.offset(channel: channel, tile: index),
              stride: frequencyRows.stride, location,
              channel: channel,
              target: target.start + (location.sample * inputChannels + channel) * inputExtent.product,
              planeStride: inputExtent.h * inputExtent.w, rowStride: inputExtent.w,
              planes: memory.start + frequencyRows.count + worker * workerFloats)
          }
        }
      }
    }
    return sums
  }

  private func transformForward(
    _ input: SharedBuffer<Float>, _ outputGradient: SharedBuffer<Float>, channel: Int, tileIndex: Int,
    into frequencyRows: UnsafeMutablePointer<Float>, planes: UnsafeMutablePointer<Float>
  ) {
    let (sample, origin, size) = tiling.location(tileIndex)
    let (skip, sourceOffset) = (tilePass.skip, tilePass.sourceOffset)
    let voxels = Extent3(size.d + skip.d, size.h + skip.h, size.w + skip.w)
    if channel < inputChannels {
      tile.transformForward(
        input.start + (sample * inputChannels + channel) * inputExtent.product, of: inputExtent,
        from: Extent3(origin.d - skip.d, origin.h - skip.h, origin.w - skip.w), first: skip, voxels: voxels,
        into: frequencyRows, stride: self.frequencyRows.stride, planes: planes)
    } else {
      tile.transformForward(
        outputGradient.start + (sample * outputChannels + channel - inputChannels) * outputExtent.product,
        of: outputExtent,
        from: Extent3(origin.d + sourceOffset.d, origin.h + sourceOffset.h, origin.w + sourceOffset.w),
        voxels: voxels,
        into: frequencyRows, stride: self.frequencyRows.stride, planes: planes)
    }
  }

  /// Adds a frequency row's products to the sums.
  ///
  /// Given weights, it also replaces the input's frequency rows by those of its gradient.
  private func multiply(
    frequencyRow: Int, of memory: UnsafeMutablePointer<Float>, group: Range<Int>, weights: AlignedFloats?,
    sums: UnsafeMutablePointer<Float>, buffer: UnsafeMutablePointer<Float>
  ) {
    let start = memory + frequencyRow * frequencyRows.stride
    let (step, products) = (spectra.step, buffer + spectra.count)
    for part in (0..<group.count).parts(atMost: parts.tiles) {
      frequencyRows.transformForward(
        0..<inputChannels + outputChannels, of: part, frequencyRow: start, into: buffer, step: step)
      let outputSpectra = buffer + inputChannels * part.count * tile.vectorFloats
      accumulate(
        inputSpectra: buffer, outputSpectra: outputSpectra, tiles: part.count,
        isFirst: group.lowerBound + part.lowerBound == 0,
        products: products, sums: sums + frequencyRow * taps.frequencyRowStride)
      guard let weights else { continue }
      tilePass.multiply(
        outputSpectra, step: step, part: part, first: group.lowerBound, of: tiling, weights: weights.start,
        frequencyRow: frequencyRow, resultsAtATime: inputChannelsAtATime, scratch: products, into: start,
        frequencyRows: frequencyRows)
    }
  }

  /// Sums products over tiles and transforms the sums back along x, some output channels at a time.
  private func accumulate(
    inputSpectra: UnsafePointer<Float>, outputSpectra: UnsafePointer<Float>, tiles: Int,
    isFirst: Bool, products: UnsafeMutablePointer<Float>, sums: UnsafeMutablePointer<Float>
  ) {
    var transform = tile.kernel
    for part in (0..<outputChannels).parts(of: outputChannelsAtATime) {
      var channels = fft_channels(
        inputs: Int32(inputChannels), outputs: Int32(part.count), tiles: Int32(tiles),
        source_step: spectra.step,
        result_step: 0)
      fft_accumulate(
        &transform, &channels, inputSpectra, outputSpectra + part.lowerBound * tiles * tile.vectorFloats,
        products)
      let step = inputChannels * part.count * tile.vectorFloats
      for pair in 0..<inputChannels * part.count {
        let spectrum = products + pair * tile.vectorFloats
        let target = sums + (part.lowerBound * inputChannels + pair) * taps.frequencyRowFloats
        if isFirst {
          fft_inverse_width(&transform, spectrum, step, 0, Int32(taps.kernel.w), target)
        } else {
          fft_inverse_width_adding(&transform, spectrum, step, Int32(taps.kernel.w), target)
        }
      }
    }
  }
}
