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
  /// Of all pairs of channels, transformed along z and y.
  let bands: AlignedFloats

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

  /// Bytes that the transformed weights occupy.
  package var weightBytes: Int { bands.count * MemoryLayout<Float>.stride }

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
    bands = try FFTTaps(
      tile: tile, outputs: outputChannels, inputs: inputChannels, kernel: geometry.kernel
    ).transformForward(weight, work: work)
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
    let sweep = adjoint
    let batch = outputGradient.batch
    let plan = sweep.plan(batch: batch, results: inputExtent)
    let scratch = AlignedFloats(count: plan.scratchCount(threadCount: work.threadCount))
    return try outputGradient.withWindow { source throws(Cancelled) in
      try Tensor(shape: [batch, inputChannels, inputExtent.d, inputExtent.h, inputExtent.w]) {
        result throws(Cancelled) in
        try sweep.run(
          source, into: result, results: inputExtent, planes: 0..<inputExtent.d, scratch: scratch.shared,
          weights: bands, work: work)
      }
    }
  }

  /// The pass of the input's gradient.
  var adjoint: FFTSweep {
    .adjoint(tile: tile, geometry: geometry, inputChannels: inputChannels, outputChannels: outputChannels)
  }
}
