import Work

/// A transposed convolution whose weights were brought into the form of its method once.
package struct PreparedTransposedConvolution: PreparedOperation {
  private let geometry: TransposedConvolutionGeometry
  private let channels: Int
  private let adjoint: ImplicitAdjoint

  /// Prepares `weight`, [in, out, z, y, x]; `bias` is [out], or nil for none.
  /// - Parameter rectifies: Whether negative results become 0.
  /// - Throws: `Cancelled`.
  package init(
    weight: Tensor, bias: Tensor? = nil, geometry: TransposedConvolutionGeometry, rectifies: Bool = false,
    work: WorkContext
  ) throws(Cancelled) {
    precondition(
      weight.extent == geometry.kernel, "weights \(weight.shape) for a kernel of \(geometry.kernel)")
    self.geometry = geometry
    channels = weight.shape[0]
    adjoint = try ImplicitAdjoint(
      weight: weight, bias: bias, geometry: geometry.adjoint, rectifies: rectifies, work: work)
  }

  package var kernelName: String { "transposed convolution, packed products of its phases" }
  package var worksInPlace: Bool { false }
  package var weightBytes: Int { adjoint.operation.weightBytes }
  package func outputChannels(_ channels: Int) -> Int { adjoint.operation.rows }
  package func outputExtent(_ input: Extent3) -> Extent3? { geometry.output(input) }

  package func inputPlanes(for planes: Range<Int>, inputDepth: Int) -> Range<Int> {
    adjoint.operation.inputPlanes(for: planes, inputDepth: inputDepth)
  }

  package func operationCount(input: Extent3, channels: Int) -> Double {
    2 * Double(adjoint.operation.rows * channels) * Double(geometry.kernel.product) * Double(input.product)
  }

  package func scratchCount(
    planes: Int, input: Extent3, channels: Int, batch: Int, threadCount: Int
  ) -> Int {
    guard let output = geometry.output(input) else { return 0 }
    return adjoint.operation.scratchCount(
      planes: planes, input: input, output: output, channels: channels, batch: batch, threadCount: threadCount
    )
  }

  package func run(
    _ input: ActivationWindow, into output: ActivationWindow, scratch: DisjointBuffer<Float>,
    work: WorkContext
  ) throws(Cancelled) {
    precondition(
      input.channels == channels, "\(input.channels) channels for weights of \(channels)")
    try adjoint.operation.run(input, into: output, scratch: scratch, work: work)
  }
}
