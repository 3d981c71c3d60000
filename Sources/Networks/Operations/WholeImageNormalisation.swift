import Tensors
import Work

/// A normalisation by the mean and the biased variance of groups of channels over the whole image: (x - mean) /
/// sqrt(variance + epsilon) · weight + bias, in training and at inference.
package protocol WholeImageNormalisation: NetworkOperation {
  /// Added to the variance; above 0.
  var epsilon: Float { get }
  /// Whether each channel has a weight and a bias.
  var isAffine: Bool { get }
  /// Groups of consecutive channels that share mean and variance; nil where each channel has its own.
  var groups: Int? { get }
}

extension WholeImageNormalisation {
  package var isLocal: Bool { false }
  package var initialisationGain: InitialisationGain { .ofReaders }

  /// Describes an epsilon that is no positive number; nil where it is one.
  var epsilonProblem: String? {
    epsilon.isFinite && epsilon > 0 ? nil : "epsilon: found \(epsilon), expected a number above 0"
  }

  package func parameterSlots(layer: String, inputChannels: Int) -> [ParameterSlot] {
    guard isAffine else { return [] }
    return [
      ParameterSlot(layer: layer, .weight, [inputChannels], start: .ones),
      ParameterSlot(layer: layer, .bias, [inputChannels], start: .zeros),
    ]
  }

  private func normalisation(_ parameters: LayerParameters) -> GroupNormalisation {
    GroupNormalisation(
      groups: groups, epsilon: epsilon, scale: isAffine ? parameters[.weight] : nil,
      shift: isAffine ? parameters[.bias] : nil)
  }

  package func forward(
    _ inputs: consuming [Tensor], by layer: TrainingLayer, work: WorkContext
  ) throws(Cancelled) -> TrainingOutput {
    let input = inputs.takeOnly()
    let normalisation = normalisation(layer.parameters)
    let statistics = try normalisation.statistics(of: input, work: work)
    let output = try normalisation.output(of: input, statistics, work: work)
    let isAffine = isAffine
    return TrainingOutput(output) { gradient, work throws(Cancelled) in
      let found = try normalisation.gradients(
        input: input, outputGradient: gradient, statistics, work: work)
      return LayerGradients(
        input: found.input, parameters: isAffine ? [.weight: found.scale, .bias: found.shift] : [:])
    }
  }
}

extension WholeImageNormalisation {
  package func stepBuilder(_ parameters: LayerParameters) -> any StepBuilder {
    WholeImageNormalisationStepBuilder(normalisation: normalisation(parameters))
  }
}

/// A normalisation with the ReLU or leaky ReLU fused after it.
private struct WholeImageNormalisationStepBuilder: StepBuilder {
  let normalisation: GroupNormalisation
  var negativeSlope: Float = 1

  mutating func fuse(_ epilogue: InferenceEpilogue) -> Bool {
    guard negativeSlope == 1, case .activation(let function) = epilogue,
      let slope = function.slopeOfLeakyReLU
    else { return false }
    negativeSlope = slope
    return true
  }

  func variant(for input: Extent3, slabDepth: Int) -> Bool { true }

  func operations(_ variant: Bool, work: WorkContext) -> [any PreparedOperation] {
    [PreparedGroupNormalisation(normalisation, negativeSlope: negativeSlope)]
  }
}
