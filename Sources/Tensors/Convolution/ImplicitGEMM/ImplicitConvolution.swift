import Work

/// Convolution by implicit GEMM over panels of the column matrix: any kernel, stride, padding, dilation and groups.
package struct ImplicitConvolution: SingleInputOperation {
  private let geometry: ConvolutionGeometry
  private let channels: Int
  private var operation: ImplicitOperation
  /// Whether a 2x2x2 max-pooling is fused.
  private var pools = false

  /// Packs `weight`, [out, in / groups, z, y, x]; `bias` is [out].
  package init(
    weight: Tensor, bias: Tensor? = nil, geometry: ConvolutionGeometry,
    activation: PiecewiseLinear = .identity,
    work: WorkContext
  ) throws(Cancelled) {
    let (groups, taps) = (geometry.groups, geometry.kernel.product)
    let (rows, channels) = (weight.shape[0] / groups, weight.shape[1])
    self.geometry = geometry
    self.channels = channels * groups
    operation = ImplicitOperation(
      [
        ImplicitProduct(
          axes: geometry.tapAxes, step: geometry.stride, origin: Extent3(0), spacing: Extent3(1),
          weights: try PackedWeights(
            weight, rows: rows, channels: channels, groups: groups,
            order: .init(rowStride: channels * taps, channelStride: taps, taps: Array(0..<taps)), work: work))
      ], bias: bias, activation: activation)
  }

  /// The convolution of `input` with another bias; see ``convolution(_:weight:bias:geometry:activation:work:)``.
  func apply(
    _ input: Tensor, bias: Tensor?, activation: PiecewiseLinear, work: WorkContext
  ) throws(Cancelled) -> Tensor {
    try with(bias: bias, activation: activation)(input, work: work)
  }

  /// Whether a 2x2x2 max-pooling can be fused: with stride 1, where two planes are computed at a time.
  var storesMaxima: Bool { geometry.stride == Extent3(1) }

  /// The same weights with another bias and activation, and a fused 2x2x2 max-pooling where it `pools`, or the sum with
  /// what the output's memory holds where it `addsToOutput`.
  func with(
    bias: Tensor?, activation: PiecewiseLinear, pools: Bool = false, addsToOutput: Bool = false
  ) -> ImplicitConvolution {
    precondition(!pools || !addsToOutput, "maxima that are added")
    var convolution = self
    convolution.pools = pools
    convolution.operation = ImplicitOperation(
      operation.products, bias: bias, activation: activation, addsToOutput: addsToOutput)
    return convolution
  }

  package var kernelName: String { "convolution, packed product" + (pools ? ", pooled" : "") }
  package var worksInPlace: Bool { false }
  package var weightBytes: Int { operation.weightBytes }
  package func outputChannels(_ channels: Int) -> Int { operation.rows }
  package func outputExtent(_ input: Extent3) -> Extent3? {
    guard pools, let results = geometry.output(input) else { return geometry.output(input) }
    let output = Extent3(results.d / 2, results.h / 2, results.w / 2)
    return output.product > 0 ? output : nil
  }

  package func inputPlanes(for planes: Range<Int>, inputDepth: Int) -> Range<Int> {
    operation.inputPlanes(for: resultPlanes(planes), inputDepth: inputDepth)
  }

  private func resultPlanes(_ planes: Range<Int>) -> Range<Int> {
    pools ? 2 * planes.lowerBound..<2 * planes.upperBound : planes
  }

  package func operationCount(input: Extent3, channels: Int) -> Double {
    guard let output = geometry.output(input) else { return 0 }
    return 2 * Double(operation.rows * channels / geometry.groups) * Double(geometry.kernel.product)
      * Double(output.product)
  }

  package func scratchCount(planes: Int, input: Extent3, channels: Int, batch: Int, threadCount: Int) -> Int {
    guard let output = outputExtent(input) else { return 0 }
    if pools {
      return operation.pooledScratchCount(
        planes: planes, input: input, output: output, channels: channels, batch: batch,
        threadCount: threadCount)
    }
    return operation.scratchCount(
      planes: planes, input: input, output: output, channels: channels, batch: batch, threadCount: threadCount
    )
  }

  package func run(
    _ input: ActivationWindow, into output: ActivationWindow, scratch: DisjointBuffer<Float>,
    work: WorkContext
  ) throws(Cancelled) {
    precondition(
      input.channels == channels, "\(input.channels) channels for weights of \(channels)")
    if pools {
      try operation.runPooled(input, into: output, scratch: scratch, work: work)
    } else {
      try operation.run(input, into: output, scratch: scratch, work: work)
    }
  }
}

extension ConvolutionGeometry {
  /// The taps and source offsets along each axis.
  var tapAxes: (z: TapAxis, y: TapAxis, x: TapAxis) {
    (
      TapAxis(kernel: kernel.d, padding: padding.before.d, dilation: dilation.d),
      TapAxis(kernel: kernel.h, padding: padding.before.h, dilation: dilation.h),
      TapAxis(kernel: kernel.w, padding: padding.before.w, dilation: dilation.w)
    )
  }
}
