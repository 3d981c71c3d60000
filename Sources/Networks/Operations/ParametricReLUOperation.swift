import Tensors
import Work

/// x where it is not negative, else x times a slope that is trained: one for each channel, or one for all of them.
package struct ParametricReLUOperation: NetworkOperation {
  package static let kind = "parametricReLU"

  /// Whether all channels have one slope.
  package var sharesSlope: Bool

  package init(sharesSlope: Bool = false) { self.sharesSlope = sharesSlope }

  package func parameterSlots(layer: String, inputChannels: Int) -> [ParameterSlot] {
    [ParameterSlot(layer: layer, .weight, [sharesSlope ? 1 : inputChannels], start: .constant(0.25))]
  }

  package var initialisationGain: InitialisationGain { .relu }

  package func forward(
    _ inputs: consuming [Tensor], by layer: TrainingLayer, work: WorkContext
  ) throws(Cancelled) -> TrainingOutput {
    let input = inputs.takeOnly()
    let functions = Self.functions(layer[.weight])
    let sharesSlope = sharesSlope
    var output = input
    try activate(&output, by: functions, work: work)
    return TrainingOutput(output) { gradient, work throws(Cancelled) in
      var gradient = consume gradient
      var slopes = try slopeGradient(gradient, at: input, work: work)
      if sharesSlope { slopes = Tensor(shape: [1], elements: [slopes.elements.reduce(0, +)]) }
      try activationGradient(&gradient, at: input, functions: functions, work: work)
      return LayerGradients(input: gradient, parameters: [.weight: slopes])
    }
  }

  package func stepBuilder(_ parameters: LayerParameters) -> any StepBuilder {
    FixedStepBuilder(operation: PreparedActivation(name: Self.kind, Self.functions(parameters[.weight])))
  }

  package func inferenceEpilogue(_ parameters: LayerParameters) -> InferenceEpilogue? {
    .activation(.leakyReLU(slopes: parameters[.weight].elements))
  }

  private static func functions(_ slopes: Tensor) -> [Activation] {
    slopes.elements.map { .leakyReLU(slope: $0) }
  }
}

extension ParametricReLUOperation {
  private enum CodingKeys: String, CodingKey { case sharesSlope }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    sharesSlope = try values.flag(.sharesSlope, absent: false)
  }
}
