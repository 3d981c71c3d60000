import Work

/// A convolution of its first input plus its second one, which has the output's shape, with an activation of the sum.
///
/// Where the output overwrites the second input, the results are added there as they are stored. Elsewhere they are stored
/// and a pass of its own adds them, which is faster than to copy the second input first: measured.
package struct ConvolutionSum: PreparedOperation {
  private let convolution: any SingleInputOperation
  /// The convolution that adds its results to what the output's memory holds, with the same weights.
  private let addingConvolution: any SingleInputOperation
  private let activation: PiecewiseLinear

  /// - Parameter bias: [out], or nil for none.
  package init(_ convolution: PreparedConvolution, bias: Tensor?, activation: PiecewiseLinear) {
    self.convolution = convolution.operation(bias: bias, activation: .identity)
    addingConvolution = convolution.operation(bias: bias, activation: activation, addsToOutput: true)
    self.activation = activation
  }

  package var kernelName: String { convolution.kernelName + ", added" }
  package var worksInPlace: Bool { false }
  package func mayOverwrite(input index: Int) -> Bool { index == 1 }
  package var weightBytes: Int { convolution.weightBytes }
  package var windowStep: Int { convolution.windowStep }
  package func outputChannels(_ channels: [Int]) -> Int { convolution.outputChannels(channels[0]) }
  package func outputExtent(_ input: Extent3) -> Extent3? { convolution.outputExtent(input) }

  package func inputPlanes(for planes: Range<Int>, inputDepth: Int) -> Range<Int> {
    convolution.inputPlanes(for: planes, inputDepth: inputDepth)
  }

  package func inputPlanes(for planes: Range<Int>, ofInput index: Int, inputDepth: Int) -> Range<Int> {
    index == 1 ? planes : inputPlanes(for: planes, inputDepth: inputDepth)
  }

  package func operationCount(input: Extent3, channels: Int) -> Double {
    convolution.operationCount(input: input, channels: convolutionChannels(channels))
  }

  package func scratchCount(planes: Int, input: Extent3, channels: Int, batch: Int, threadCount: Int) -> Int {
    convolution.scratchCount(
      planes: planes, input: input, channels: convolutionChannels(channels), batch: batch,
      threadCount: threadCount)
  }

  /// Channels of the first input, of those of both together.
  private func convolutionChannels(_ channels: Int) -> Int { channels - convolution.outputChannels(channels) }

  package func run(
    _ inputs: [ActivationWindow], into output: ActivationWindow, scratch: DisjointBuffer<Float>,
    work: WorkContext
  ) throws(Cancelled) {
    precondition(inputs.count == 2, "\(inputs.count) inputs of \(kernelName)")
    let summand = inputs[1].part(output.planes)
    precondition(
      summand.extent == output.extent && summand.channels == output.channels && summand.batch == output.batch,
      "\(summand.channels) channels of \(summand.extent) for \(output.channels) of \(output.extent)")
    if summand.memory.start == output.memory.start {
      try addingConvolution.run(inputs[0], into: output, scratch: scratch, work: work)
    } else {
      try convolution.run(inputs[0], into: output, scratch: scratch, work: work)
      try work.withoutProgress.join([output, summand], by: .sum, into: output, activation: activation)
    }
  }
}
