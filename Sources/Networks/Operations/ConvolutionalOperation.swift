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
  func convolutionProblem(kernel: Extent3, stride: Extent3, padding: Padding, groups: Int) -> String? {
    GraphLimit.problem(outputChannels: outputChannels)
      ?? GraphLimit.problem(kernel, "kernel", from: 1)
      ?? GraphLimit.problem(stride, "stride", from: 1)
      ?? GraphLimit.problem(padding)
      ?? (groups > 0 && outputChannels.isMultiple(of: groups)
        ? nil : "groups: found \(groups), expected a divisor of its \(outputChannels) output channels")
  }

  /// Describes groups that do not divide the input's channels; nil where they do.
  func groupProblem(_ groups: Int, _ inputChannels: Int) -> String? {
    inputChannels.isMultiple(of: groups)
      ? nil : "its input's channels are no multiple of its \(groups) groups"
  }

  /// The slot of the weight, followed by that of the bias where there is one.
  ///
  /// - Parameter start: The initial weights.
  func parameterSlots(layer: String, weightShape: [Int], start: ParameterSlot.Start) -> [ParameterSlot] {
    let weight = ParameterSlot(layer: layer, .weight, weightShape, start: start)
    return [weight] + (hasBias ? [ParameterSlot(layer: layer, .bias, [outputChannels], start: .zeros)] : [])
  }
}

/// The fields in JSON that convolutions and transposed convolutions share.
struct ConvolutionFields {
  var kernel, stride: Extent3
  var padding: CodedPadding
  var dilation: Extent3
  var groups, outputChannels: Int
  var hasBias: Bool

  private enum CodingKeys: String, CodingKey {
    case kernel, stride, padding, dilation, groups, outputChannels, bias
  }
}

extension ConvolutionFields {
  /// Reads the fields; without padding it is 0, without dilation and groups 1, and without "bias" there is one.
  init(from decoder: any Decoder, defaultStride: Int) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let grid = try CodedGrid(from: decoder)
    kernel = grid.kernel
    stride = try values.extent(.stride, absent: grid.extent(defaultStride, depth: 1), in: grid, depth: 1)
    padding = try values.padding(.padding, in: grid)
    dilation = try values.extent(.dilation, absent: Extent3(1), in: grid, depth: 1)
    groups = try values.decodeIfPresent(Int.self, forKey: .groups) ?? 1
    outputChannels = try values.decode(Int.self, forKey: .outputChannels)
    hasBias = try values.flag(.bias, absent: true)
  }

  /// Writes the fields but for a single group and, unless it `writesDilation`, a dilation of 1.
  func encode(to encoder: any Encoder, writesDilation: Bool) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(kernel, forKey: .kernel)
    try values.encode(stride, forKey: .stride)
    try values.encode(padding, forKey: .padding)
    if writesDilation || dilation != Extent3(1) { try values.encode(dilation, forKey: .dilation) }
    if groups != 1 { try values.encode(groups, forKey: .groups) }
    try values.encode(outputChannels, forKey: .outputChannels)
    try values.encode(hasBias, forKey: .bias)
  }
}
