import Tensors
import Work

/// A convolution with weights [out, in / groups, z, y, x].
package struct ConvolutionOperation: ConvolutionalOperation {
  package static let kind = "convolution"

  /// Kernel, stride, padding, dilation and groups; its padding is none where there is a rule for it.
  package var geometry: ConvolutionGeometry
  /// The rule that gives the padding of an input; nil where the geometry states it.
  package var samePadding: SamePadding?
  package var outputChannels: Int
  package var hasBias: Bool

  package init(
    _ geometry: ConvolutionGeometry, samePadding: SamePadding? = nil, outputChannels: Int, hasBias: Bool
  ) {
    self.geometry = geometry
    self.samePadding = samePadding
    self.outputChannels = outputChannels
    self.hasBias = hasBias
  }

  package var problem: String? {
    convolutionProblem(
      kernel: geometry.kernel, stride: geometry.stride, padding: geometry.padding, groups: geometry.groups)
      ?? GraphLimit.problem(geometry.dilation, "dilation", from: 1)
  }

  package func problem(inputChannels: [Int]) -> String? { groupProblem(geometry.groups, inputChannels[0]) }

  /// The geometry with the padding of an input.
  package func geometry(for input: Extent3) -> ConvolutionGeometry {
    guard let samePadding else { return geometry }
    var geometry = geometry
    geometry.padding = samePadding.padding(
      kernel: geometry.kernel, stride: geometry.stride, dilation: geometry.dilation, input: input)
    return geometry
  }

  package func outputExtent(_ input: Extent3) -> Extent3? { geometry(for: input).output(input) }

  package func parameterSlots(layer: String, inputChannels: Int) -> [ParameterSlot] {
    let (kernel, channels) = (geometry.kernel, inputChannels / geometry.groups)
    return parameterSlots(
      layer: layer, weightShape: [outputChannels, channels, kernel.d, kernel.h, kernel.w],
      start: .random(fanIn: Double(channels * kernel.product)))
  }

  package func cumulativeStride(_ input: CumulativeStride, along axis: Axis) -> CumulativeStride? {
    input.strided(axis(geometry.stride))
  }

  package func inputs(of range: ClosedRange<Int>, along axis: Axis) -> ClosedRange<Int> {
    // A rule for the padding gives that of an input whose extents are multiples of the stride.
    let (stride, padding) = (
      axis(geometry.stride), axis(geometry(for: geometry.stride).padding.before)
    )
    let span = axis(geometry.dilation) * (axis(geometry.kernel) - 1)
    return (range.lowerBound * stride - padding)...(range.upperBound * stride - padding + span)
  }

  package func forward(
    _ inputs: consuming [Tensor], by layer: TrainingLayer, work: WorkContext
  ) throws(Cancelled) -> TrainingOutput {
    try ConvolutionStep(operation: self).run(inputs, by: [layer], work: work)
  }

  package var fusedTrainingStep: any FusedTrainingStep { ConvolutionStep(operation: self) }

  package func stepBuilder(_ parameters: LayerParameters) -> any StepBuilder {
    ConvolutionStepBuilder(
      operation: self,
      weights: FoldedWeights(parameters, hasBias: hasBias, outputAxis: 0, groups: geometry.groups))
  }

  package var trainingEpilogue: TrainingEpilogue? {
    isPointwise ? .pointwiseConvolution(outputs: outputChannels, hasBias: hasBias) : nil
  }

  private var isPointwise: Bool { geometry == ConvolutionGeometry(kernel: Extent3(1)) }

  package func inferenceEpilogue(_ parameters: LayerParameters) -> InferenceEpilogue? {
    guard isPointwise else { return nil }
    return .pointwiseConvolution(
      FoldedWeights(parameters, hasBias: hasBias, outputAxis: 0, groups: geometry.groups))
  }
}

extension NetworkOperation where Self == ConvolutionOperation {
  package static func convolution(
    _ geometry: ConvolutionGeometry, samePadding: SamePadding? = nil, outputChannels: Int, hasBias: Bool
  ) -> ConvolutionOperation {
    ConvolutionOperation(
      geometry, samePadding: samePadding, outputChannels: outputChannels, hasBias: hasBias)
  }
}

extension ConvolutionOperation {
  package init(from decoder: any Decoder) throws {
    let fields = try ConvolutionFields(from: decoder, defaultStride: 1)
    self.init(
      ConvolutionGeometry(
        kernel: fields.kernel, stride: fields.stride, padding: fields.padding.numbers,
        dilation: fields.dilation, groups: fields.groups),
      samePadding: fields.padding.rule, outputChannels: fields.outputChannels, hasBias: fields.hasBias)
  }

  package func encode(to encoder: any Encoder) throws {
    try ConvolutionFields(
      kernel: geometry.kernel, stride: geometry.stride,
      padding: CodedPadding(numbers: geometry.padding, rule: samePadding), dilation: geometry.dilation,
      groups: geometry.groups, outputChannels: outputChannels, hasBias: hasBias
    ).encode(to: encoder, writesDilation: true)
  }
}

/// A convolution in training, fused with the ReLU and the max-pooling after it: the ReLU is applied as results are
/// stored, and one pass over the gradient serves the backward pass of all of them.
private struct ConvolutionStep: FusedTrainingStep {
  let operation: ConvolutionOperation
  var epilogue = ReLUPooling()

  mutating func fuse(_ epilogue: TrainingEpilogue) -> Bool { self.epilogue.fuse(epilogue) }

  func run(
    _ inputs: consuming [Tensor], by layers: [TrainingLayer], work: WorkContext
  ) throws(Cancelled) -> TrainingOutput {
    let input = inputs.takeOnly()
    let prepared = try PreparedConvolution(
      weight: layers[0][.weight], geometry: operation.geometry(for: input.extent), inputExtent: input.extent,
      work: work)
    let hasBias = operation.hasBias
    let output = try prepared.apply(
      input, bias: hasBias ? layers[0][.bias] : nil,
      activation: epilogue.appliesReLU ? .relu : .identity, work: work)
    let backward = ConvolutionBackward(prepared, input: input, layer: layers[0])
    guard epilogue.appliesReLU else {
      return TrainingOutput(output) { gradient, work throws(Cancelled) in
        let sums = hasBias ? try channelSums(gradient, work: work) : nil
        return try backward.gradients(gradient, bias: sums, work: work)
      }
    }
    guard let pooling = epilogue.pooling else {
      return TrainingOutput(output) { gradient, work throws(Cancelled) in
        var gradient = consume gradient
        let sums = try reluGradient(&gradient, output: output, work: work)
        return try backward.gradients(gradient, bias: hasBias ? sums : nil, work: work)
      }
    }
    let extent = output.extent
    let (pooled, argMaxIndices) = try maxPooling(output, geometry: pooling, work: work)
    return TrainingOutput(pooled) { gradient, work throws(Cancelled) in
      // Max-pooling moves gradients and drops none, so that their sums are taken over the fewer pooled voxels.
      let sums = hasBias ? try channelSums(gradient, wherePositive: pooled, work: work) : nil
      let passed = try maxPoolingInputGradient(
        gradient, argMaxIndices: argMaxIndices, geometry: pooling, reluOutput: pooled, inputExtent: extent,
        work: work)
      return try backward.gradients(passed, bias: sums, work: work)
    }
  }
}

/// The backward pass of a convolution: from the gradient of its results to those of its input and its weights.
private struct ConvolutionBackward: Sendable {
  let geometry: ConvolutionGeometry
  let input: Tensor
  let weight: Tensor
  let passesGradient: Bool
  /// The forward pass's prepared weights, where the backward pass can use them: the spectra of large kernels of a layer
  /// that passes a gradient on.
  let prepared: PreparedConvolution?

  init(_ prepared: PreparedConvolution, input: Tensor, layer: TrainingLayer) {
    geometry = prepared.geometry
    self.input = input
    weight = layer[.weight]
    passesGradient = layer.passesGradient
    self.prepared = layer.passesGradient && prepared.method == .fourier ? prepared : nil
  }

  /// - Parameter bias: The gradient of the bias; nil without a bias.
  func gradients(
    _ gradient: Tensor, bias: Tensor?, work: WorkContext
  ) throws(Cancelled) -> LayerGradients {
    var gradients = LayerGradients()
    gradients.parameters[.bias] = bias
    if let prepared {
      let both = try prepared.gradients(input: input, outputGradient: gradient, work: work)
      (gradients.input, gradients.parameters[.weight]) = (both.input, both.weight)
      return gradients
    }
    gradients.parameters[.weight] = try convolutionWeightGradient(
      input: input, outputGradient: gradient, geometry: geometry, work: work)
    if passesGradient {
      gradients.input = try convolutionInputGradient(
        gradient, weight: weight, inputExtent: input.extent, geometry: geometry, work: work)
    }
    return gradients
  }
}

/// A convolution with the layers fused after it: batch normalisation, a sum with another activation, an activation and,
/// without a sum, a max-pooling.
private struct ConvolutionStepBuilder: StepBuilder {
  let operation: ConvolutionOperation
  var weights: FoldedWeights
  var isSum = false
  var activation = PiecewiseLinear.identity
  var pooling: PoolingGeometry?

  mutating func fuse(_ epilogue: InferenceEpilogue) -> Bool {
    switch epilogue {
    case .scaleAndShift(let affine) where activation == .identity && pooling == nil && !isSum:
      weights.fold(affine)
    case .sum where activation == .identity && pooling == nil && !isSum: isSum = true
    case .activation(let function) where activation == .identity && pooling == nil: activation = function
    case .maxPooling(let geometry) where pooling == nil && !isSum: pooling = geometry
    case .scaleAndShift, .sum, .activation, .maxPooling, .pointwiseConvolution: return false
    }
    return true
  }

  func variant(for input: Extent3, slabDepth: Int) -> PreparedConvolution.Choice {
    PreparedConvolution.choice(
      geometry: operation.geometry(for: input), weightShape: weights.shape,
      inputExtent: Extent3(slabDepth, input.h, input.w))
  }

  func operations(
    _ variant: PreparedConvolution.Choice, work: WorkContext
  ) throws(Cancelled) -> [any PreparedOperation] {
    let prepared = try PreparedConvolution(weight: weights.weightTensor, choice: variant, work: work)
    let bias = weights.biasTensor
    if isSum { return [ConvolutionSum(prepared, bias: bias, activation: activation)] }
    guard let pooling else { return [prepared.operation(bias: bias, activation: activation)] }
    if let fused = prepared.operation(bias: bias, activation: activation, pooling: pooling) {
      return [fused]
    }
    return [prepared.operation(bias: bias, activation: activation), PreparedMaxPooling(geometry: pooling)]
  }
}
