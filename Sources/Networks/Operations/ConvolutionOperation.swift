import Tensors
import Work

/// A convolution with weights [out, in, z, y, x].
package struct ConvolutionOperation: NetworkOperation {
  package static let kind = "convolution"

  /// The spatial rule.
  package var geometry: ConvolutionGeometry
  /// Channels that leave.
  package var outputChannels: Int
  /// Whether each of them has an offset.
  package var hasBias: Bool

  package init(_ geometry: ConvolutionGeometry, outputChannels: Int, hasBias: Bool) {
    self.geometry = geometry
    self.outputChannels = outputChannels
    self.hasBias = hasBias
  }

  package var problem: String? {
    GraphLimit.problem(outputChannels: outputChannels) ?? GraphLimit.problem(
      geometry.kernel, "kernel", from: 1)
      ?? GraphLimit.problem(geometry.stride, "stride", from: 1)
      ?? GraphLimit.problem(geometry.padding, "padding", from: 0)
      ?? GraphLimit.problem(geometry.dilation, "dilation", from: 1)
  }

  package func outputChannels(_ input: Int) -> Int { outputChannels }
  package func outputExtent(_ input: Extent3) -> Extent3? { geometry.output(input) }

  package func parameterSlots(layer: String, inputChannels: Int) -> [ParameterSlot] {
    let kernel = geometry.kernel
    let weight = ParameterSlot(
      layer: layer, .weight, [outputChannels, inputChannels, kernel.d, kernel.h, kernel.w],
      start: .random(fanIn: Double(inputChannels * kernel.product)))
    return [weight] + (hasBias ? [ParameterSlot(layer: layer, .bias, [outputChannels], start: .zeros)] : [])
  }

  package func scale(_ scale: Scale, along axis: Axis) -> Scale? { scale.strided(axis(geometry.stride)) }

  package func inputs(of range: ClosedRange<Int>, along axis: Axis) -> ClosedRange<Int> {
    let (stride, padding) = (axis(geometry.stride), axis(geometry.padding))
    let reach = axis(geometry.dilation) * (axis(geometry.kernel) - 1)
    return (range.lowerBound * stride - padding)...(range.upperBound * stride - padding + reach)
  }

  package func trained(
    _ input: consuming Tensor, by layer: TrainedLayer, work: WorkContext
  ) throws(Cancelled) -> TrainedOutput {
    try ConvolutionStep(operation: self).run(input, by: [layer], work: work)
  }

  package var trainedStep: any TrainedStep { ConvolutionStep(operation: self) }

  package func draft(_ parameters: LayerParameters) -> any StepDraft {
    ConvolutionDraft(
      geometry: geometry, weights: FoldedWeights(parameters, hasBias: hasBias, outputAxis: 0))
  }

  package var trainedFollower: TrainedFollower? {
    isPointwise ? .mixing(outputs: outputChannels, hasBias: hasBias) : nil
  }

  private var isPointwise: Bool { geometry == ConvolutionGeometry(kernel: Extent3(1)) }

  package func follower(_ parameters: LayerParameters) -> StepFollower? {
    guard isPointwise else { return nil }
    return .mixing(FoldedWeights(parameters, hasBias: hasBias, outputAxis: 0))
  }
}

extension NetworkOperation where Self == ConvolutionOperation {
  /// A convolution.
  package static func convolution(
    _ geometry: ConvolutionGeometry, outputChannels: Int, hasBias: Bool
  ) -> ConvolutionOperation {
    ConvolutionOperation(geometry, outputChannels: outputChannels, hasBias: hasBias)
  }
}

extension ConvolutionOperation {
  private enum CodingKeys: String, CodingKey { case kernel, stride, padding, dilation, outputChannels, bias }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    geometry = ConvolutionGeometry(
      kernel: try values.extent(.kernel), stride: try values.extent(.stride, absent: Extent3(1)),
      padding: try values.extent(.padding, absent: Extent3(0)),
      dilation: try values.extent(.dilation, absent: Extent3(1)))
    outputChannels = try values.decode(Int.self, forKey: .outputChannels)
    hasBias = try values.flag(.bias, absent: true)
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(geometry.kernel, forKey: .kernel)
    try values.encode(geometry.stride, forKey: .stride)
    try values.encode(geometry.padding, forKey: .padding)
    try values.encode(geometry.dilation, forKey: .dilation)
    try values.encode(outputChannels, forKey: .outputChannels)
    try values.encode(hasBias, forKey: .bias)
  }
}

/// A convolution in training, which runs as one with a rectifier and a pooling behind it: results are rectified as
/// they are stored, and one pass goes back to their gradient.
private struct ConvolutionStep: TrainedStep {
  let operation: ConvolutionOperation
  var behind = RectifiedPooling()

  mutating func takeIn(_ follower: TrainedFollower) -> Bool { behind.takeIn(follower) }

  func run(
    _ input: consuming Tensor, by layers: [TrainedLayer], work: WorkContext
  ) throws(Cancelled) -> TrainedOutput {
    let prepared = try PreparedConvolution(
      weight: layers[0][.weight], geometry: operation.geometry, inputExtent: input.extent, work: work)
    let hasBias = operation.hasBias
    let output = try prepared.apply(
      input, bias: hasBias ? layers[0][.bias] : nil, rectifies: behind.rectifies, work: work)
    let wayBack = ConvolutionWayBack(operation, prepared, input: input, layer: layers[0])
    guard behind.rectifies else {
      return TrainedOutput(output) { gradient, work throws(Cancelled) in
        let sums = hasBias ? try channelSums(gradient, work: work) : nil
        return try wayBack.gradients(gradient, bias: sums, work: work)
      }
    }
    guard let pooling = behind.pooling else {
      return TrainedOutput(output) { gradient, work throws(Cancelled) in
        var gradient = consume gradient
        let sums = try rectifierGradient(&gradient, output: output, work: work)
        return try wayBack.gradients(gradient, bias: hasBias ? sums : nil, work: work)
      }
    }
    let extent = output.extent
    let (pooled, winners) = try maxPooling(output, geometry: pooling, work: work)
    return TrainedOutput(pooled) { gradient, work throws(Cancelled) in
      // The pooling moves gradients and loses none, so that they may be added up where they are fewer.
      let sums = hasBias ? try channelSums(gradient, wherePositive: pooled, work: work) : nil
      let passed = try maxPoolingInputGradient(
        gradient, winners: winners, geometry: pooling, rectified: pooled, inputExtent: extent, work: work)
      return try wayBack.gradients(passed, bias: sums, work: work)
    }
  }
}

/// From the gradient by a convolution's results to those by its input and its weights.
private struct ConvolutionWayBack: Sendable {
  let geometry: ConvolutionGeometry
  let input: Tensor
  let weight: Tensor
  let passesGradient: Bool
  /// Only the spectra of large kernels serve both ways; a first layer has no way back.
  let kept: PreparedConvolution?

  init(
    _ operation: ConvolutionOperation, _ prepared: PreparedConvolution, input: Tensor, layer: TrainedLayer
  ) {
    geometry = operation.geometry
    self.input = input
    weight = layer[.weight]
    passesGradient = layer.passesGradient
    kept = layer.passesGradient && prepared.method == .fourier ? prepared : nil
  }

  /// - Parameter bias: The gradient by the offsets, where there are any.
  func gradients(
    _ gradient: Tensor, bias: Tensor?, work: WorkContext
  ) throws(Cancelled) -> LayerGradients {
    var gradients = LayerGradients()
    gradients.parameters[.bias] = bias
    if let kept {
      let both = try kept.gradients(input: input, outputGradient: gradient, work: work)
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

/// A convolution with what folds into it: batch normalisation, a rectifier, and a pooling of its results.
private struct ConvolutionDraft: StepDraft {
  let geometry: ConvolutionGeometry
  var weights: FoldedWeights
  var rectifies = false
  var pooling: PoolingGeometry?

  mutating func takeIn(_ follower: StepFollower) -> Bool {
    switch follower {
    case .scaleAndShift(let affine) where !rectifies && pooling == nil: weights.fold(affine)
    case .rectification where !rectifies && pooling == nil: rectifies = true
    case .maxPooling(let geometry) where pooling == nil: pooling = geometry
    default: return false
    }
    return true
  }

  func variant(for input: Extent3) -> PreparedConvolution.Choice {
    PreparedConvolution.choice(geometry: geometry, weightShape: weights.shape, inputExtent: input)
  }

  func operations(
    _ variant: PreparedConvolution.Choice, work: WorkContext
  ) throws(Cancelled) -> [any PreparedOperation] {
    let prepared = try PreparedConvolution(
      weight: weights.weightTensor, geometry: geometry, choice: variant, work: work)
    let bias = weights.biasTensor
    guard let pooling else { return [prepared.operation(bias: bias, rectifies: rectifies)] }
    if let fused = prepared.operation(bias: bias, rectifies: rectifies, pooling: pooling) { return [fused] }
    return [prepared.operation(bias: bias, rectifies: rectifies), PreparedMaxPooling(geometry: pooling)]
  }
}
