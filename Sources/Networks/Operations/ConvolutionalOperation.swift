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
  package func outputChannels(_ inputs: [Int]) -> Int { outputChannels }

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

/// The fields in JSON that convolutions and transposed convolutions share.
struct ConvolutionFields {
  var kernel, stride, padding: Extent3
  var outputChannels: Int
  var hasBias: Bool

  private enum CodingKeys: String, CodingKey { case kernel, stride, padding, outputChannels, bias }
}

extension ConvolutionFields {
  /// Reads the fields; without padding it is 0, and without "bias" there is one.
  init(from decoder: any Decoder, defaultStride: Extent3) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    kernel = try values.extent(.kernel)
    stride = try values.extent(.stride, absent: defaultStride)
    padding = try values.extent(.padding, absent: Extent3(0))
    outputChannels = try values.decode(Int.self, forKey: .outputChannels)
    hasBias = try values.flag(.bias, absent: true)
  }

  /// Writes all fields.
  func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(kernel, forKey: .kernel)
    try values.encode(stride, forKey: .stride)
    try values.encode(padding, forKey: .padding)
    try values.encode(outputChannels, forKey: .outputChannels)
    try values.encode(hasBias, forKey: .bias)
  }
}
