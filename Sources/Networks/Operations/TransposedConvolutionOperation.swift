import Tensors
import Work

/// A transposed convolution with weights [in, out / groups, z, y, x].
package struct TransposedConvolutionOperation: ConvolutionalOperation {
  package static let kind = "transposedConvolution"

  /// Kernel, stride, padding, output padding, dilation and groups.
  package var geometry: TransposedConvolutionGeometry
  package var outputChannels: Int
  package var hasBias: Bool
  /// Whether initial weights interpolate every channel linearly, instead of being random.
  package var startsAsInterpolation: Bool

  package init(
    _ geometry: TransposedConvolutionGeometry, outputChannels: Int, hasBias: Bool,
    startsAsInterpolation: Bool = false
  ) {
    self.geometry = geometry
    self.outputChannels = outputChannels
    self.hasBias = hasBias
    self.startsAsInterpolation = startsAsInterpolation
  }

  package var problem: String? {
    let (extra, stride) = (geometry.outputPadding, geometry.stride)
    return convolutionProblem(
      kernel: geometry.kernel, stride: stride, padding: geometry.padding, groups: geometry.groups)
      ?? GraphLimit.problem(geometry.dilation, "dilation", from: 1)
      ?? GraphLimit.problem(extra, "output padding", from: 0)
      ?? (extra.d < stride.d && extra.h < stride.h && extra.w < stride.w
        ? nil : "output padding: expected less than the stride")
  }

  package func problem(inputChannels: [Int]) -> String? {
    groupProblem(geometry.groups, inputChannels[0])
      ?? (startsAsInterpolation && inputChannels[0] != outputChannels
        ? "initialisation: interpolation has as many input channels as its \(outputChannels) output channels"
        : nil)
  }

  package func outputExtent(_ input: Extent3) -> Extent3? { geometry.output(input) }

  package func parameterSlots(layer: String, inputChannels: Int) -> [ParameterSlot] {
    let (kernel, groups) = (geometry.kernel, geometry.groups)
    // The taps that contribute to one output, on average over outputs.
    let fanIn = Double(inputChannels / groups * kernel.product) / Double(geometry.stride.product)
    return parameterSlots(
      layer: layer, weightShape: [inputChannels, outputChannels / groups, kernel.d, kernel.h, kernel.w],
      start: startsAsInterpolation ? .linearInterpolation : .random(fanIn: fanIn))
  }

  package func cumulativeStride(_ input: CumulativeStride, along axis: Axis) -> CumulativeStride? {
    input.upsampled(axis(geometry.stride))
  }

  package func inputs(of range: ClosedRange<Int>, along axis: Axis) -> ClosedRange<Int> {
    let (stride, padding) = (axis(geometry.stride), axis(geometry.padding.before))
    let span = axis(geometry.dilation) * (axis(geometry.kernel) - 1)
    let lower = -floorDivide(span - range.lowerBound - padding, stride)
    return lower...max(lower, floorDivide(range.upperBound + padding, stride))
  }

  package func forward(
    _ inputs: consuming [Tensor], by layer: TrainingLayer, work: WorkContext
  ) throws(Cancelled) -> TrainingOutput {
    let input = inputs.takeOnly()
    let (geometry, hasBias, passesGradient) = (geometry, hasBias, layer.passesGradient)
    let weight = layer[.weight]
    let output = try Tensors.transposedConvolution(
      input, weight: weight, bias: hasBias ? layer[.bias] : nil, geometry: geometry, work: work)
    return TrainingOutput(output) { gradient, work throws(Cancelled) in
      let found = try transposedConvolutionGradients(
        input: input, outputGradient: gradient, weight: weight, geometry: geometry,
        passesGradient: passesGradient, work: work)
      var gradients = LayerGradients(input: found.input, parameters: [.weight: found.weight])
      if hasBias { gradients.parameters[.bias] = found.bias }
      return gradients
    }
  }

  package var fusedTrainingStep: any FusedTrainingStep { TransposedConvolutionStep(operation: self) }

  package func stepBuilder(_ parameters: LayerParameters) -> any StepBuilder {
    TransposedConvolutionStepBuilder(
      geometry: geometry,
      weights: FoldedWeights(
        parameters, hasBias: hasBias, outputAxis: 1, groups: geometry.groups))
  }
}

extension NetworkOperation where Self == TransposedConvolutionOperation {
  package static func transposedConvolution(
    _ geometry: TransposedConvolutionGeometry, outputChannels: Int, hasBias: Bool,
    startsAsInterpolation: Bool = false
  ) -> TransposedConvolutionOperation {
    TransposedConvolutionOperation(
      geometry, outputChannels: outputChannels, hasBias: hasBias,
      startsAsInterpolation: startsAsInterpolation)
  }
}

extension TransposedConvolutionOperation {
  private enum CodingKeys: String, CodingKey { case padding, outputPadding, initialisation }

  /// The value of "initialisation" for weights that are not random.
  private static let interpolation = "linearInterpolation"

  package init(from decoder: any Decoder) throws {
    let fields = try ConvolutionFields(from: decoder, defaultStride: 2)
    let values = try decoder.container(keyedBy: CodingKeys.self)
    if let rule = fields.padding.rule {
      throw DecodingError.dataCorruptedError(
        forKey: .padding, in: values, debugDescription: "found \"\(rule.name)\", expected numbers")
    }
    let initialisation = try values.decodeIfPresent(String.self, forKey: .initialisation)
    guard initialisation == nil || initialisation == Self.interpolation else {
      throw DecodingError.dataCorruptedError(
        forKey: .initialisation, in: values,
        debugDescription: "found \"\(initialisation ?? "")\", expected \(Self.interpolation)")
    }
    let outputPadding =
      try values
      .extent(.outputPadding, absent: Extent3(0), in: CodedGrid(from: decoder), depth: 0)
    self.init(
      TransposedConvolutionGeometry(
        kernel: fields.kernel, stride: fields.stride, padding: fields.padding.numbers,
        outputPadding: outputPadding, dilation: fields.dilation, groups: fields.groups),
      outputChannels: fields.outputChannels, hasBias: fields.hasBias,
      startsAsInterpolation: initialisation != nil)
  }

  package func encode(to encoder: any Encoder) throws {
    try ConvolutionFields(
      kernel: geometry.kernel, stride: geometry.stride, padding: CodedPadding(numbers: geometry.padding),
      dilation: geometry.dilation, groups: geometry.groups, outputChannels: outputChannels, hasBias: hasBias
    ).encode(to: encoder, writesDilation: false)
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(geometry.outputPadding, forKey: .outputPadding)
    if startsAsInterpolation { try values.encode(Self.interpolation, forKey: .initialisation) }
  }
}

/// A transposed convolution in training, fused with a pointwise convolution after it that has at most as many output
/// channels: fewer channels are computed at the output's extents.
private struct TransposedConvolutionStep: FusedTrainingStep {
  let operation: TransposedConvolutionOperation
  var pointwise: (outputs: Int, hasBias: Bool)?

  mutating func fuse(_ epilogue: TrainingEpilogue) -> Bool {
    guard pointwise == nil, operation.geometry.groups == 1,
      case .pointwiseConvolution(let outputs, let hasBias) = epilogue,
      outputs <= operation.outputChannels
    else { return false }
    pointwise = (outputs, hasBias)
    return true
  }

  func run(
    _ inputs: consuming [Tensor], by layers: [TrainingLayer], work: WorkContext
  ) throws(Cancelled) -> TrainingOutput {
    guard let pointwise else { return try operation.forward(inputs, by: layers[0], work: work) }
    let input = inputs.takeOnly()
    let (geometry, hasBias, passesGradient) = (
      operation.geometry, operation.hasBias, layers[0].passesGradient
    )
    let fused = TransposedConvolutionPointwise(
      weight: layers[0][.weight], bias: hasBias ? layers[0][.bias] : nil, pointwiseWeight: layers[1][.weight],
      pointwiseBias: pointwise.hasBias ? layers[1][.bias] : nil)
    let output = try Tensors.transposedConvolution(
      input, weight: fused.product.weight, bias: fused.product.bias, geometry: geometry, work: work)
    return TrainingOutput(output) { gradient, work throws(Cancelled) in
      let product = try transposedConvolutionGradients(
        input: input, outputGradient: gradient, weight: fused.product.weight, geometry: geometry,
        passesGradient: passesGradient, work: work)
      let found = fused.gradients(productWeight: product.weight, productBias: product.bias)
      var gradients = LayerGradients(
        input: product.input, parameters: [.weight: found.weight],
        epilogues: [[.weight: found.pointwiseWeight]])
      if hasBias { gradients.parameters[.bias] = found.bias }
      if pointwise.hasBias { gradients.epilogues[0][.bias] = found.pointwiseBias }
      return gradients
    }
  }
}

/// A transposed convolution with the layers fused after it: batch normalisation, a pointwise convolution and an
/// activation.
private struct TransposedConvolutionStepBuilder: StepBuilder {
  let geometry: TransposedConvolutionGeometry
  var weights: FoldedWeights
  var activation = PiecewiseLinear.identity

  mutating func fuse(_ epilogue: InferenceEpilogue) -> Bool {
    guard activation == .identity else { return false }
    switch epilogue {
    case .scaleAndShift(let affine): weights.fold(affine)
    case .activation(let function): activation = function
    // Exact, and cheaper as long as the pointwise convolution does not add channels.
    case .pointwiseConvolution(let pointwise)
    where pointwise.outputs <= weights.outputs && weights.groups == 1:
      weights.fold(pointwise: pointwise)
    case .pointwiseConvolution, .maxPooling, .sum: return false
    }
    return true
  }

  func variant(for input: Extent3, slabDepth: Int) -> Bool { true }

  func operations(_ variant: Bool, work: WorkContext) throws(Cancelled) -> [any PreparedOperation] {
    [
      try PreparedTransposedConvolution(
        weight: weights.weightTensor, bias: weights.biasTensor, geometry: geometry, activation: activation,
        work: work)
    ]
  }
}
