import Work

/// A transposed convolution with weights prepared for its method.
package struct PreparedTransposedConvolution: SingleInputOperation {
  private let geometry: TransposedConvolutionGeometry
  private let inputChannels: Int
  private let outputChannels: Int
  private let method: Method

  private enum Method: Sendable {
    case winograd(WinogradConvolution)
    case rows(RowTransposedConvolution)
    case implicitProduct(ImplicitOperation)
  }

  /// Prepares `weight`, [in, out / groups, z, y, x]; `bias` is [out], or nil for none.
  /// - Parameter activation: Applied to the results.
  /// - Throws: `Cancelled`.
  package init(
    weight: Tensor, bias: Tensor? = nil, geometry: TransposedConvolutionGeometry,
    activation: PiecewiseLinear = .identity,
    work: WorkContext
  ) throws(Cancelled) {
    precondition(
      weight.extent == geometry.kernel, "weights \(weight.shape) for a kernel of \(geometry.kernel)")
    self.geometry = geometry
    inputChannels = weight.shape[0]
    outputChannels = weight.shape[1] * geometry.groups
    if Self.winogradIsFaster(geometry, inputChannels: inputChannels, outputChannels: outputChannels) {
      method = .winograd(
        try WinogradConvolution(
          adjointOf: geometry.adjoint, weight: weight, bias: bias, activation: activation, work: work))
    } else if RowTransposedConvolution.supports(geometry),
      RowTransposedConvolution.isFaster(outputChannels: outputChannels)
    {
      method = .rows(RowTransposedConvolution(weight: weight, bias: bias, activation: activation))
    } else {
      method = .implicitProduct(
        try ImplicitAdjoint(
          weight: weight, bias: bias, geometry: geometry.adjoint, activation: activation, work: work
        ).operation)
    }
  }

  /// Whether Winograd can compute `geometry` and is faster than products of its phases, for a large volume.
  static func winogradIsFaster(
    _ geometry: TransposedConvolutionGeometry, inputChannels: Int, outputChannels: Int
  ) -> Bool {
    geometry.outputPadding == Extent3(0) && WinogradConvolution.supports(geometry.adjoint)
      && WinogradConvolution.isFaster(
        geometry.adjoint, inputChannels: inputChannels, outputChannels: outputChannels, inputExtent: nil)
  }

  package var kernelName: String {
    switch method {
    // With stride 1 it is a convolution with other weights.
    case .winograd(let convolution):
      (geometry.stride == Extent3(1) ? "transposed " : "") + convolution.kernelName
    case .rows: "transposed convolution, rows of all phases"
    case .implicitProduct: "transposed convolution, packed products of its phases"
    }
  }
  package var worksInPlace: Bool { false }
  package var weightBytes: Int {
    switch method {
    case .winograd(let convolution): convolution.weightBytes
    case .rows(let convolution): convolution.weightBytes
    case .implicitProduct(let operation): operation.weightBytes
    }
  }
  package func outputChannels(_ channels: Int) -> Int { outputChannels }
  package func outputExtent(_ input: Extent3) -> Extent3? { geometry.output(input) }

  package func inputPlanes(for planes: Range<Int>, inputDepth: Int) -> Range<Int> {
    switch method {
    case .winograd(let convolution): convolution.inputPlanes(for: planes, inputDepth: inputDepth)
    case .rows(let convolution): convolution.inputPlanes(for: planes, inputDepth: inputDepth)
    case .implicitProduct(let operation): operation.inputPlanes(for: planes, inputDepth: inputDepth)
    }
  }

  package var windowStep: Int {
    switch method {
    case .winograd(let convolution): convolution.windowStep
    case .rows, .implicitProduct: 1
    }
  }

  package func operationCount(input: Extent3, channels: Int) -> Double {
    2 * Double(outputChannels * channels / geometry.groups) * Double(geometry.kernel.product)
      * Double(input.product)
  }

  package func scratchCount(
    planes: Int, input: Extent3, channels: Int, batch: Int, threadCount: Int
  ) -> Int {
    guard let output = geometry.output(input) else { return 0 }
    switch method {
    case .winograd(let convolution):
      return convolution.scratchCount(
        planes: planes, input: input, channels: channels, batch: batch, threadCount: threadCount)
    case .rows(let convolution):
      return convolution.scratchCount(input: input)
    case .implicitProduct(let operation):
      return operation.scratchCount(
        planes: planes, input: input, output: output, channels: channels, batch: batch,
        threadCount: threadCount)
    }
  }

  package func run(
    _ input: ActivationWindow, into output: ActivationWindow, scratch: DisjointBuffer<Float>,
    work: WorkContext
  ) throws(Cancelled) {
    precondition(
      input.channels == inputChannels, "\(input.channels) channels for weights of \(inputChannels)")
    switch method {
    case .winograd(let convolution):
      try convolution.run(input, into: output, scratch: scratch, work: work)
    case .rows(let convolution):
      try convolution.run(input, into: output, scratch: scratch, work: work)
    case .implicitProduct(let operation):
      try operation.run(input, into: output, scratch: scratch, work: work)
    }
  }
}
