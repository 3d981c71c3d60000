import CKernels
import Work

/// A convolution with large kernels by tiled overlap-save FFT, with the transformed weights.
///
/// Each tile of the input is transformed, multiplied by the spectra of the weights and transformed back; the results
/// without cyclic wrap-around are stored. The cost per axis is the logarithm of the tile's extent instead of the number
/// of taps. The rounding error is that of the transforms: about 3e-7 of the largest result. Results do not depend on
/// the number of threads.
package struct FFTConvolution: Sendable {
  /// The geometry that the weights were transformed for.
  package let geometry: ConvolutionGeometry
  /// Channels of the input and of the output.
  package let inputChannels, outputChannels: Int
  /// The tile that the weights were transformed for.
  package let tile: FFTTile
  /// The weights of all pairs of channels, transformed along z and y; see ``FFTTaps``.
  let frequencyRows: AlignedFloats

  /// Whether this method computes `geometry`: stride and dilation 1, one group, kernels of 2...9 taps and padding below the
  /// kernel on every axis.
  package static func supports(_ geometry: ConvolutionGeometry) -> Bool {
    func supportsAxis(_ axis: KeyPath<Extent3, Int>) -> Bool {
      let kernel = geometry.kernel[keyPath: axis]
      return 2...9 ~= kernel && 0..<kernel ~= geometry.padding.before[keyPath: axis]
        && 0..<kernel ~= geometry.padding.after[keyPath: axis]
    }
    return geometry.stride == Extent3(1) && geometry.dilation == Extent3(1) && geometry.groups == 1
      && supportsAxis(\.d) && supportsAxis(\.h) && supportsAxis(\.w)
  }

  /// Whether `pooling` can be fused: 2x2x2 windows that do not overlap, and tiles of at least one window.
  package func fuses(_ pooling: PoolingGeometry) -> Bool {
    let valid = tile.valid(geometry.kernel)
    return pooling.kernel == Extent3(2) && pooling.stride == Extent3(2) && pooling.padding == .none
      && min(valid.d, valid.h, valid.w) >= 2
  }

  /// Bytes that the transformed weights occupy.
  package var weightBytes: Int { frequencyRows.count * MemoryLayout<Float>.stride }

  /// The tile of the least estimated cost for inputs of `inputExtent`.
  package static func cheapestTile(
    geometry: ConvolutionGeometry, inputChannels: Int, outputChannels: Int, batch: Int = 1,
    inputExtent: Extent3
  ) -> FFTTile {
    FFTConvolutionCost(
      kernel: geometry.kernel, inputChannels: inputChannels, outputChannels: outputChannels, batch: batch,
      results: geometry.output(inputExtent) ?? Extent3(1)
    ).cheapestTile()
  }

  /// Transforms the weights [out, in, z, y, x] for the cheapest tile for inputs of `inputExtent`.
  ///
  /// Inputs of other extents give equal results more slowly. Without an extent the tile is that of a large volume.
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
    precondition(FFTConvolution.supports(geometry), "no FFT convolution for \(geometry)")
    precondition(
      weight.shape.count == 5 && weight.extent == geometry.kernel,
      "weights of shape \(weight.shape) for kernel \(geometry.kernel)")
    self.geometry = geometry
    outputChannels = weight.shape[0]
    inputChannels = weight.shape[1]
    self.tile = tile
    frequencyRows = try FFTTaps(
      tile: tile, outputChannels: outputChannels, inputChannels: inputChannels, kernel: geometry.kernel
    ).transformForward(weight, work: work)
  }

  /// The convolution of `input` [N, in, D, H, W], plus one `bias` per output channel, and `activation` of that.
  package func forward(
    _ input: Tensor, bias: Tensor? = nil, activation: PiecewiseLinear = .identity, work: WorkContext
  ) throws(Cancelled) -> Tensor {
    precondition(
      input.channels == inputChannels, "\(input.channels) channels for weights of \(inputChannels)")
    return try FFTConvolutionOperation(self, bias: bias, activation: activation)(input, work: work)
  }

  /// The gradient with respect to an input of `inputExtent`, given that of the output: the adjoint of
  /// ``forward(_:bias:activation:work:)`` without bias and activation.
  package func inputGradient(
    _ outputGradient: Tensor, inputExtent: Extent3, work: WorkContext
  ) throws(Cancelled) -> Tensor {
    precondition(
      outputGradient.channels == outputChannels,
      "\(outputGradient.channels) channels for weights of \(outputChannels)")
    precondition(
      geometry.output(inputExtent) == outputGradient.extent,
      "gradient of \(outputGradient.extent) for an input of \(inputExtent)")
    let tilePass = adjoint
    let batch = outputGradient.batch
    let plan = tilePass.plan(batch: batch, results: inputExtent)
    let scratch = AlignedFloats(count: plan.scratchCount(threadCount: work.threadCount))
    return try outputGradient.withWindow { source throws(Cancelled) in
      try Tensor(shape: [batch, inputChannels, inputExtent.d, inputExtent.h, inputExtent.w]) {
        result throws(Cancelled) in
        try tilePass.run(
          source, into: result, results: inputExtent, planes: 0..<inputExtent.d, scratch: scratch.shared,
          weights: frequencyRows, work: work)
      }
    }
  }

  /// The pass that computes the input's gradient.
  var adjoint: FFTTilePass {
    .adjoint(tile: tile, geometry: geometry, inputChannels: inputChannels, outputChannels: outputChannels)
  }
}
