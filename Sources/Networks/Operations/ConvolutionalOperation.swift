import Tensors

/// A convolution or transposed convolution: an operation with a kernel, its own number of output channels, and perhaps
/// a bias.
package protocol ConvolutionalOperation: NetworkOperation {
  /// Channels of the output, whatever the input has.
  var outputChannels: Int { get set }
  /// Whether each output channel has a bias.
  var hasBias: Bool { get }
}

extension ConvolutionalOperation {
  package func outputChannels(_ input: Int) -> Int { outputChannels }

  package func withOutputChannels(_ count: Int) -> any NetworkOperation {
    var changed = self
    changed.outputChannels = count
    return changed
  }

  /// Describes the first of the common fields that is out of range; nil where there is none.
  func convolutionProblem(kernel: Extent3, stride: Extent3, padding: Extent3) -> String? {
    GraphLimit.problem(outputChannels: outputChannels)
      ?? GraphLimit.problem(kernel, "kernel", from: 1)
      ?? GraphLimit.problem(stride, "stride", from: 1)
      ?? GraphLimit.problem(padding, "padding", from: 0)
  }

  /// The slot of the weight, followed by that of the bias where there is one.
  ///
  /// - Parameter fanIn: The number of inputs that contribute to one output, which scales the initial weights.
  func parameterSlots(layer: String, weightShape: [Int], fanIn: Double) -> [ParameterSlot] {
    let weight = ParameterSlot(layer: layer, .weight, weightShape, start: .random(fanIn: fanIn))
    return [weight] + (hasBias ? [ParameterSlot(layer: layer, .bias, [outputChannels], start: .zeros)] : [])
  }
}
