import Tensors
import Work

/// Per channel (x - mean) / sqrt(variance + epsilon) weight + bias: the batch's statistics in training, running
/// ones at inference.
package struct BatchNormalisationOperation: NetworkOperation {
  package static let kind = "batchNormalisation"

  /// Added to the variance.
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

  package var rectification: Rectification { .behind }

  package func trained(
    _ input: consuming Tensor, by layer: TrainedLayer, work: WorkContext
  ) throws(Cancelled) -> TrainedOutput {
    let input = input
    let weight = layer[.weight]
    let (output, statistics) = try Tensors.batchNormalisation(
      input, scale: weight, shift: layer[.bias], epsilon: epsilon, work: work)
    return TrainedOutput(output, statistics: statistics) { gradient, work throws(Cancelled) in
      LayerGradients(
        try batchNormalisationGradients(
          input: input, outputGradient: gradient, scale: weight, statistics: statistics, work: work))
    }
  }

  package var trainedStep: any TrainedStep { BatchNormalisationStep(operation: self) }

  package func draft(_ parameters: LayerParameters) -> any StepDraft {
    let affine = runningAffine(parameters)
    return FixedDraft(
      operation: PreparedChannelwiseAffine(
        factors: affine.factors.map { Float($0) }, offsets: affine.offsets.map { Float($0) }))
  }

  package func follower(_ parameters: LayerParameters) -> StepFollower? {
    .scaleAndShift(runningAffine(parameters))
  }

  /// From running statistics: factor = weight / sqrt(variance + epsilon), offset = bias - mean factor.
  private func runningAffine(_ parameters: LayerParameters) -> ChannelwiseAffine {
    func values(_ role: ParameterSlot.Role) -> [Double] { parameters[role].elements.map(Double.init) }
    let factors = zip(values(.weight), values(.runningVariance)).map {
      $0 / ($1 + Double(epsilon)).squareRoot()
    }
    let offsets = zip(values(.bias), zip(values(.runningMean), factors)).map { $0 - $1.0 * $1.1 }
    return ChannelwiseAffine(factors: factors, offsets: offsets)
  }
}

/// A batch normalisation in training, which runs as one with a rectifier and a pooling behind it: of what lies between
/// them nothing is kept.
private struct BatchNormalisationStep: TrainedStep {
  let operation: BatchNormalisationOperation
  var behind = RectifiedPooling()

  mutating func takeIn(_ follower: TrainedFollower) -> Bool { behind.takeIn(follower) }

  func run(
    _ input: consuming Tensor, by layers: [TrainedLayer], work: WorkContext
  ) throws(Cancelled) -> TrainedOutput {
    guard behind.rectifies else { return try operation.trained(input, by: layers[0], work: work) }
    let normalisation = try RectifiedNormalisation(
      of: input, scale: layers[0][.weight], shift: layers[0][.bias], epsilon: operation.epsilon, work: work)
    guard let pooling = behind.pooling else {
      let output = try normalisation.output(work: work)
      return TrainedOutput(output, statistics: normalisation.statistics) { gradient, work throws(Cancelled) in
        LayerGradients(try normalisation.gradients(gradient, work: work))
      }
    }
    let pooled = try normalisation.pooled(pooling, work: work)
    return TrainedOutput(pooled.output, statistics: normalisation.statistics) {
      gradient, work throws(Cancelled) in
      LayerGradients(try normalisation.gradients(gradient, of: pooled, geometry: pooling, work: work))
    }
  }
}

extension LayerGradients {
  /// Those of a batch normalisation.
  fileprivate init(_ gradients: (input: Tensor, scale: Tensor, shift: Tensor)) {
    self.init(input: gradients.input, parameters: [.weight: gradients.scale, .bias: gradients.shift])
  }
}

extension NetworkOperation where Self == BatchNormalisationOperation {
  /// A batch normalisation.
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
