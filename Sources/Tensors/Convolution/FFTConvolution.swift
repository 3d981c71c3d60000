import CKernels
import Work

/// A convolution with large kernels by tiled overlap-save FFT: the spectra of one weight tensor.
///
/// Each tile of the input is transformed, multiplied with the spectra of the weights and transformed back; the
/// results that the cyclic convolution does not wrap are kept. A kernel of k taps costs the logarithm of the tile
/// instead of k per axis, and its rounding error is that of the transforms: about 3e-7 of the largest result.
/// Results do not depend on the number of threads.
package struct FFTConvolution: Sendable {
  /// The rule that the spectra were made for.
  package let geometry: ConvolutionGeometry
  /// Channels that the weights join.
  package let inputChannels, outputChannels: Int
  /// The tile that the spectra were made for.
  package let tile: FFTTile
  let spectra: AlignedFloats

  /// Whether this method computes `geometry`: stride and dilation 1, kernels of 2...9 taps and padding below the
  /// kernel on every axis.
  package static func serves(_ geometry: ConvolutionGeometry) -> Bool {
    func servesAxis(_ kernel: Int, _ padding: Int) -> Bool {
      2...9 ~= kernel && padding >= 0 && padding < kernel
    }
    return geometry.stride == Extent3(1) && geometry.dilation == Extent3(1)
      && servesAxis(geometry.kernel.d, geometry.padding.d)
      && servesAxis(geometry.kernel.h, geometry.padding.h)
      && servesAxis(geometry.kernel.w, geometry.padding.w)
  }

  /// Whether the results' maxima over the windows of `pooling` can be stored in place of the results: windows of
  /// 2x2x2 voxels that do not overlap, from tiles that hold at least one.
  package func fuses(_ pooling: PoolingGeometry) -> Bool {
    let valid = tile.valid(geometry.kernel)
    return pooling.kernel == Extent3(2) && pooling.stride == Extent3(2)
      && min(valid.d, valid.h, valid.w) >= 2
  }

  /// Bytes that the spectra occupy.
  package var spectraBytes: Int { spectra.count * MemoryLayout<Float>.stride }

  /// The tile with which the work on an input of `inputExtent` is estimated to be least.
  package static func cheapestTile(
    geometry: ConvolutionGeometry, inputChannels: Int, outputChannels: Int, batch: Int = 1,
    inputExtent: Extent3
  ) -> FFTTile {
    FFTWork(
      kernel: geometry.kernel, inputs: inputChannels, outputs: outputChannels, batch: batch,
      results: geometry.output(inputExtent) ?? Extent3(1)
    ).cheapestTile()
  }

  /// Transforms the weights [out, in, z, y, x] for tiles chosen for inputs of `inputExtent`.
  ///
  /// Inputs of other extents are convolved as correctly, only slower. Without an extent tiles suit a large volume.
  package init(
    weight: Tensor, geometry: ConvolutionGeometry, inputExtent: Extent3? = nil, work: WorkContext
  ) throws(Cancelled) {
    let tile = FFTConvolution.cheapestTile(
      geometry: geometry, inputChannels: weight.shape[1], outputChannels: weight.shape[0],
      inputExtent: inputExtent ?? Extent3(96, 192, 192))
    try self.init(weight: weight, geometry: geometry, tile: tile, work: work)
  }

  /// Transforms the weights [out, in, z, y, x] for a tile that is at least as large as the kernel.
  package init(
    weight: Tensor, geometry: ConvolutionGeometry, tile: FFTTile, work: WorkContext
  ) throws(Cancelled) {
    precondition(FFTConvolution.serves(geometry), "no FFT convolution for \(geometry)")
    precondition(
      weight.shape.count == 5 && weight.extent == geometry.kernel,
      "weights of shape \(weight.shape) for kernel \(geometry.kernel)")
    self.geometry = geometry
    outputChannels = weight.shape[0]
    inputChannels = weight.shape[1]
    self.tile = tile
    spectra = try FFTConvolution.spectra(of: weight, tile: tile, work: work)
  }

  /// The convolution of `input` [N, in, D, H, W], plus one `bias` per output channel, at least 0 where it `rectifies`.
  package func forward(
    _ input: Tensor, bias: Tensor? = nil, rectifies: Bool = false, work: WorkContext
  ) throws(Cancelled) -> Tensor {
    precondition(
      input.channels == inputChannels, "\(input.channels) channels for weights of \(inputChannels)")
    return try FFTConvolutionOperation(self, bias: bias, rectifies: rectifies)(input, work: work)
  }

  /// The gradient with respect to an input of `inputExtent`, given that with respect to the output: the adjoint of
  /// ``forward(_:bias:rectifies:work:)`` without bias and rectification.
  package func inputGradient(
    _ outputGradient: Tensor, inputExtent: Extent3, work: WorkContext
  ) throws(Cancelled) -> Tensor {
    precondition(
      outputGradient.channels == outputChannels,
      "\(outputGradient.channels) channels for weights of \(outputChannels)")
    precondition(
      geometry.output(inputExtent) == outputGradient.extent,
      "gradient of \(outputGradient.extent) for an input of \(inputExtent)")
    let kernel = geometry.kernel
    let lead = Extent3(kernel.d - 1, kernel.h - 1, kernel.w - 1)
    let sweep = FFTSweep(
      tile: tile, sourceChannels: outputChannels, resultChannels: inputChannels, kernel: kernel,
      reach: Extent3(
        geometry.padding.d - lead.d, geometry.padding.h - lead.h, geometry.padding.w - lead.w),
      skip: lead, isAdjoint: true, bias: nil, rectifies: false, pools: false)
    let batch = outputGradient.batch
    let plan = sweep.plan(batch: batch, results: inputExtent)
    let scratch = AlignedFloats(count: plan.scratchCount(threadCount: work.threadCount))
    return try outputGradient.withWindow { source throws(Cancelled) in
      try Tensor(shape: [batch, inputChannels, inputExtent.d, inputExtent.h, inputExtent.w]) {
        result throws(Cancelled) in
        try sweep.run(
          source, into: result, results: inputExtent, planes: 0..<inputExtent.d, scratch: scratch.shared,
          spectra: spectra, work: work)
      }
    }
  }
}

extension FFTConvolution {
  /// Spectra of all pairs of channels, laid out [band][frequency][out][in].
  private static func spectra(
    of weight: Tensor, tile: FFTTile, work: WorkContext
  ) throws(Cancelled) -> AlignedFloats {
    let taps = FFTTaps(tile: tile, outputs: weight.shape[0], inputs: weight.shape[1], kernel: weight.extent)
    let planes = AlignedFloats(count: taps.count)
    try weight.withSharedElements { elements throws(Cancelled) in
      try work.silent.forEach(count: taps.pairs, grain: 8) { pair, _ in
        var kernel = tile.kernel
        var box = fft_box(
          z_begin: 0, z_end: Int32(taps.kernel.d), y_begin: 0, y_end: Int32(taps.kernel.h), x_begin: 0,
          x_end: Int32(taps.kernel.w))
        fft_forward_depth(
          &kernel, elements.start + pair * taps.kernel.product, taps.kernel.h * taps.kernel.w, taps.kernel.w,
          &box, Int32(taps.rows), Int32(taps.columns), planes.start + taps.offset(pair: pair, plane: 0),
          taps.planeStride)
      }
    }
    let spectra = AlignedFloats(count: taps.spectraCount)
    let scratch = AlignedFloats(count: work.threadCount * taps.bandsStride)
    try work.silent.forEach(count: tile.planes * taps.outputs) { item, worker in
      let (plane, output) = (item / taps.outputs, item % taps.outputs)
      let bands = scratch.start + worker * taps.bandsStride
      var kernel = tile.kernel
      for pair in output * taps.inputs..<(output + 1) * taps.inputs {
        fft_forward_height(
          &kernel, planes.start + taps.offset(pair: pair, plane: plane), taps.planeStride, 1,
          Int32(taps.rows),
          Int32(taps.columns), bands, taps.bandFloats)
        for band in 0..<tile.bandsPerPlane {
          fft_forward_width(
            &kernel, bands + band * taps.bandFloats, Int32(taps.columns),
            spectra.start + taps.offset(pair: pair, band: plane * tile.bandsPerPlane + band), taps.step)
        }
      }
    }
    return spectra
  }
}

/// The kernels of all pairs of channels between taps and spectra: their depth spectra, and one plane's bands, without
/// the rows and columns of a tile that no tap reaches.
struct FFTTaps: Sendable {
  let tile: FFTTile
  let outputs, inputs: Int
  let kernel: Extent3

  var pairs: Int { outputs * inputs }
  var rows: Int { (kernel.h + 1) / 2 * 2 }
  var columns: Int { tile.columns(kernel.w) }
  /// Floats from one plane of a pair to the next.
  var planeStride: Int { rows * columns * tile.vectorFloats }
  /// Floats of the depth spectra of all pairs.
  var count: Int { pairs * tile.planes * planeStride }
  func offset(pair: Int, plane: Int) -> Int { (pair * tile.planes + plane) * planeStride }

  /// Floats of one band of one pair, and of a plane's bands.
  var bandFloats: Int { columns * tile.vectorFloats * tile.vectorFloats / 2 }
  var bandsStride: Int { (tile.bandsPerPlane + 1) * bandFloats }

  /// Floats of the spectra of all pairs, laid out [band][frequency][out][in], and from one frequency to the next.
  var spectraCount: Int { tile.bands * pairs * tile.bandFloats }
  var step: Int { pairs * tile.vectorFloats }
  func offset(pair: Int, band: Int) -> Int { band * pairs * tile.bandFloats + pair * tile.vectorFloats }
}
