import Work

/// Convolution by panels of a column matrix: any kernel, stride, padding and dilation.
package struct ImplicitConvolution: PreparedOperation {
  private let geometry: ConvolutionGeometry
  private let channels: Int
  private var operation: ImplicitOperation

  /// Packs `weight`, [out, in, z, y, x]; `bias` is [out].
  package init(
    weight: Tensor, bias: Tensor? = nil, geometry: ConvolutionGeometry, rectifies: Bool = false,
    work: WorkContext
  ) throws(Cancelled) {
    let (rows, channels, taps) = (weight.shape[0], weight.shape[1], geometry.kernel.product)
    self.geometry = geometry
    self.channels = channels
    operation = ImplicitOperation(
      [
        ImplicitProduct(
          axes: geometry.tapAxes, step: geometry.stride, origin: Extent3(0), spacing: Extent3(1),
          weights: try PackedWeights(
            weight, rows: rows, channels: channels,
            order: .init(rowStride: channels * taps, channelStride: taps, taps: Array(0..<taps)), work: work))
      ], bias: bias, rectifies: rectifies)
  }

  /// The convolution of `input` with another bias; see ``convolution(_:weight:bias:geometry:rectifies:work:)``.
  func apply(
    _ input: Tensor, bias: Tensor?, rectifies: Bool, work: WorkContext
  ) throws(Cancelled) -> Tensor {
    try with(bias: bias, rectifies: rectifies)(input, work: work)
  }

  /// The same weights with another bias.
  func with(bias: Tensor?, rectifies: Bool) -> ImplicitConvolution {
    var convolution = self
    convolution.operation = ImplicitOperation(operation.products, bias: bias, rectifies: rectifies)
    return convolution
  }

  package var kernelName: String { "convolution, packed product" }
  package var worksInPlace: Bool { false }
  package var weightBytes: Int { operation.weightBytes }
  package func outputChannels(_ channels: Int) -> Int { operation.rows }
  package func outputExtent(_ input: Extent3) -> Extent3? { geometry.output(input) }

  package func inputPlanes(for planes: Range<Int>, inputDepth: Int) -> Range<Int> {
    operation.inputPlanes(for: planes, inputDepth: inputDepth)
  }

  package func operationCount(input: Extent3, channels: Int) -> Double {
    guard let output = geometry.output(input) else { return 0 }
    return 2 * Double(operation.rows * channels) * Double(geometry.kernel.product) * Double(output.product)
  }

  package func scratchCount(planes: Int, input: Extent3, channels: Int, batch: Int, threadCount: Int) -> Int {
    guard let output = geometry.output(input) else { return 0 }
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
    try operation.run(input, into: output, scratch: scratch, work: work)
  }
}

extension ConvolutionGeometry {
  /// Where every tap reads.
  var tapAxes: (z: TapAxis, y: TapAxis, x: TapAxis) {
    (
      TapAxis(kernel: kernel.d, padding: padding.d, dilation: dilation.d),
      TapAxis(kernel: kernel.h, padding: padding.h, dilation: dilation.h),
      TapAxis(kernel: kernel.w, padding: padding.w, dilation: dilation.w)
    )
  }
}
