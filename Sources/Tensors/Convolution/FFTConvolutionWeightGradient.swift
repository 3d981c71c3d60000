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
  /// Plane spectra that are copied out of the sums at a time: whole stretches of memory.
  static let channelsPerCopy = 8

  let tiling: FFTTiling
  let geometry: ConvolutionGeometry
  let inputs, outputs: Int
  let source: Extent3

  private var tile: FFTTile { tiling.tile }
  private var pairs: Int { inputs * outputs }

  /// Sums of input spectra times conjugate output-gradient spectra, laid out as weight spectra.
  func sum(input: Tensor, outputGradient: Tensor, work: WorkContext) throws(Cancelled) -> AlignedFloats {
    let sums = AlignedFloats(count: tile.planes * pairs * tile.planeFloats)
    let groups = tiling.groups(channels: inputs + outputs, floatLimit: FFTSweep.floatLimit)
    let size = groups[0].count
    let depthSpectra = AlignedFloats(count: (inputs + outputs) * size * tile.depthStride)
    let spectra = FFTPlaneSpectra(
      tile: tile, channels: inputs + outputs,
      tiles: min(size, FFTSweep.tilesPerProduct))
    let planeFloats = spectra.count + tile.planeStride
    let planes = AlignedFloats(count: work.threadCount * planeFloats)
    try input.withSharedElements { input throws(Cancelled) in
      try outputGradient.withSharedElements { outputGradient throws(Cancelled) in
        for group in groups {
          try work.forEach(count: (inputs + outputs) * group.count) { item, _ in
            let channel = item / group.count
            let index = item % group.count
            transformDepth(
              input, outputGradient, channel: channel, tileIndex: group.lowerBound + index,
              into: depthSpectra.start + (channel * size + index) * tile.depthStride)
          }
          try work.forEach(count: tile.planes) { plane, worker in
            accumulate(
              plane: plane, of: depthSpectra, group: group, size: size, spectra: spectra,
              buffer: planes.start + worker * planeFloats,
              sums: sums.start + plane * pairs * tile.planeFloats)
          }
        }
      }
    }
    return sums
  }

  /// Channels below `inputs` are the input's, with its overlap; the others are the output gradient's, without.
  private func transformDepth(
    _ input: SharedBuffer<Float>, _ outputGradient: SharedBuffer<Float>, channel: Int, tileIndex: Int,
    into planes: UnsafeMutablePointer<Float>
  ) {
    let (item, origin, size) = tiling.place(tileIndex)
    if channel < inputs {
      let kernel = geometry.kernel
      let padding = geometry.padding
      tile.transformDepth(
        input.start + (item * inputs + channel) * source.product, of: source,
        from: Extent3(origin.d - padding.d, origin.h - padding.h, origin.w - padding.w),
        voxels: Extent3(size.d + kernel.d - 1, size.h + kernel.h - 1, size.w + kernel.w - 1),
        into: planes)
    } else {
      tile.transformDepth(
        outputGradient.start + (item * outputs + channel - inputs) * tiling.results.product,
        of: tiling.results, from: origin, voxels: size, into: planes)
    }
  }

  private func accumulate(
    plane: Int, of depthSpectra: AlignedFloats, group: Range<Int>, size: Int, spectra: FFTPlaneSpectra,
    buffer: UnsafeMutablePointer<Float>, sums: UnsafeMutablePointer<Float>
  ) {
    let channelCount = inputs + outputs
    var kernel = tile.kernel
    for first in stride(from: 0, to: group.count, by: spectra.tiles) {
      let count = min(spectra.tiles, group.count - first)
      func depthPlane(_ index: Int) -> UnsafePointer<Float> {
        let index = min(index, channelCount * count - 1)
        let slot = index / count * size + first + index % count
        return UnsafePointer(depthSpectra.start + slot * tile.depthStride + plane * tile.planeStride)
      }
      for index in 0..<channelCount * count {
        fft_forward_plane(
          &kernel, depthPlane(index), depthPlane(index + 1), kernel.height,
          Int32(tile.columns(tile.extent.w)),
          buffer + spectra.offset(channel: 0, tile: index, of: count), spectra.step,
          buffer + spectra.count)
      }
      var channels = fft_channels(
        inputs: Int32(inputs), outputs: Int32(outputs), tiles: Int32(count), step: spectra.step)
      fft_accumulate(&kernel, &channels, buffer, sums, group.lowerBound + first > 0)
    }
  }

  /// The taps of every pair of channels.
  func transformBack(_ sums: AlignedFloats, work: WorkContext) throws(Cancelled) -> Tensor {
    let taps = geometry.kernel
    let compact = FFTCompactKernels(tile: tile, kernel: taps)
    let columnsOfTaps = AlignedFloats(count: pairs * compact.stride)
    let scratchFloats = (Self.channelsPerCopy + 1) * tile.planeStride
    let scratch = AlignedFloats(count: work.threadCount * scratchFloats)
    let single = FFTPlaneSpectra(tile: tile, channels: 1, tiles: 1)
    try work.forEach(count: tile.planes * outputs) { item, worker in
      let plane = item / outputs
      let output = item % outputs
      let buffers = scratch.start + worker * scratchFloats
      var kernel = tile.kernel
      for first in stride(from: 0, to: inputs, by: Self.channelsPerCopy) {
        let count = min(Self.channelsPerCopy, inputs - first)
        fft_get_weights(
          &kernel, sums.start + plane * pairs * tile.planeFloats, Int32(output * inputs + first),
          Int32(pairs), buffers, tile.planeStride, Int32(count))
        for channel in 0..<count {
          let pair = output * inputs + first + channel
          let taps = columnsOfTaps.start + pair * compact.stride + plane * compact.planeStride
          fft_inverse_plane(
            &kernel, buffers + channel * tile.planeStride, single.step, 0, Int32(compact.rows), 0,
            Int32(compact.columns), taps, taps, buffers + Self.channelsPerCopy * tile.planeStride)
        }
      }
    }
    return try filledTensor(shape: [outputs, inputs, taps.d, taps.h, taps.w]) {
      gradient throws(Cancelled) in
      try work.forEach(count: pairs, grain: 8) { pair, _ in
        var kernel = tile.kernel
        var how = fft_store(
          skip: 0, depth: Int32(taps.d), height: Int32(taps.h), width: Int32(taps.w),
          scale: tile.scale, bias: 0, rectifies: false, pools: false)
        fft_inverse_depth(
          &kernel, columnsOfTaps.start + pair * compact.stride, compact.planeStride,
          Int32(compact.columns), &how, gradient.start + pair * taps.product, taps.h * taps.w, taps.w)
      }
    }
  }
}
