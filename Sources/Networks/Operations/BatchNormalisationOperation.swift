import Tensors
import Work

/// Batch normalisation: (x - mean) / sqrt(variance + epsilon) · weight + bias per channel.
///
/// Mean and variance are the batch's in training and the running ones at inference.
package struct BatchNormalisationOperation: NetworkOperation {
  package static let kind = "batchNormalisation"

  /// Added to the variance; above 0.
  package var epsilon: Float

  package init(epsilon: Float) { self.epsilon = epsilon }

  package var problem: String? {
    epsilon.isFinite && epsilon > 0 ? nil : "epsilon: found \(epsilon), expected a number above 0"
  }

  package func parameterSlots(layer: String, inputChannels: Int) -> [ParameterSlot] {
    let shape = [inputChannels]
    return [
      ParameterSlot(layer: layer, .weight, shape, start: .ones),
      ParameterSlot(layer: layer, .bias, shape, start: .zeros),
      ParameterSlot(layer: layer, .runningMean, shape, start: .zeros),
      ParameterSlot(layer: layer, .runningVariance, shape, start: .ones),
    ]
  }

  package var initialisationGain: InitialisationGain { .ofReaders }

  package func forward(
    _ inputs: consuming [Tensor], by layer: TrainingLayer, work: WorkContext
  ) throws(Cancelled) -> TrainingOutput {
    let input = inputs.takeOnly()
    let weight = layer[.weight]
    let (output, statistics) = try Tensors.batchNormalisation(
      input, scale: weight, shift: layer[.bias], epsilon: epsilon, work: work)
    return TrainingOutput(output, statistics: statistics) { gradient, work throws(Cancelled) in
      LayerGradients(
        try batchNormalisationGradients(
          input: input, outputGradient: gradient, scale: weight, statistics: statistics, work: work))
    }
  }

  package var fusedTrainingStep: any FusedTrainingStep { BatchNormalisationStep(operation: self) }

  package func stepBuilder(_ parameters: LayerParameters) -> any StepBuilder {
    let affine = runningAffine(parameters)
    return FixedStepBuilder(
      operation: PreparedChannelwiseAffine(
        scales: affine.scales.map { Float($0) }, shifts: affine.shifts.map { Float($0) }))
  }

  package func inferenceEpilogue(_ parameters: LayerParameters) -> InferenceEpilogue? {
    .scaleAndShift(runningAffine(parameters))
  }

  /// The normalisation by running statistics: scale = weight / sqrt(variance + epsilon), shift = bias - mean · scale.
  private func runningAffine(_ parameters: LayerParameters) -> ChannelwiseAffine {
    func values(_ role: ParameterSlot.Role) -> [Double] { parameters[role].elements.map(Double.init) }
    let scales = zip(values(.weight), values(.runningVariance)).map {
      $0 / ($1 + Double(epsilon)).squareRoot()
    }
    let shifts = zip(values(.bias), zip(values(.runningMean), scales)).map { $0 - $1.0 * $1.1 }
    return ChannelwiseAffine(scales: scales, shifts: shifts)
  }
}

/// A batch normalisation in training, fused with the ReLU and the max-pooling after it so that the activations between
/// them are not stored.
private struct BatchNormalisationStep: FusedTrainingStep {
  let operation: BatchNormalisationOperation
  var epilogue = ReLUPooling()

  mutating func fuse(_ epilogue: TrainingEpilogue) -> Bool { self.epilogue.fuse(epilogue) }

  func run(
    _ inputs: consuming [Tensor], by layers: [TrainingLayer], work: WorkContext
  ) throws(Cancelled) -> TrainingOutput {
    guard epilogue.appliesReLU else { return try operation.forward(inputs, by: layers[0], work: work) }
    let normalisation = try BatchNormalisationReLU(
      of: inputs.takeOnly(), scale: layers[0][.weight], shift: layers[0][.bias], epsilon: operation.epsilon,
      work: work)
    guard let pooling = epilogue.pooling else {
      let output = try normalisation.output(work: work)
      return TrainingOutput(output, statistics: normalisation.statistics) {
        gradient, work throws(Cancelled) in
        LayerGradients(try normalisation.gradients(gradient, work: work))
      }
    }
    let pooled = try normalisation.pooled(pooling, work: work)
    return TrainingOutput(pooled.output, statistics: normalisation.statistics) {
      gradient, work throws(Cancelled) in
      LayerGradients(try normalisation.gradients(gradient, of: pooled, geometry: pooling, work: work))
    }
  }
}

extension LayerGradients {
  /// The gradients of a batch normalisation.
  fileprivate init(_ gradients: (input: Tensor, scale: Tensor, shift: Tensor)) {
    self.init(input: gradients.input, parameters: [.weight: gradients.scale, .bias: gradients.shift])
  }
}

extension NetworkOperation where Self == BatchNormalisationOperation {
  package static func batchNormalisation(epsilon: Float) -> BatchNormalisationOperation {
    BatchNormalisationOperation(epsilon: epsilon)
  }
}

extension BatchNormalisationOperation {
  private enum CodingKeys: String, CodingKey { case epsilon }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    epsilon = try values.decodeIfPresent(Float.self, forKey: .epsilon) ?? 1e-5
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(epsilon, forKey: .epsilon)
  }
}
