import Tensors
import Work

/// An element-wise function without weights.
package protocol ActivationOperation: NetworkOperation {
  /// The function of every element; NaN stays.
  var function: Activation { get }
}

extension ActivationOperation {
  package func forward(
    _ inputs: consuming [Tensor], by layer: TrainingLayer, work: WorkContext
  ) throws(Cancelled) -> TrainingOutput {
    let function = function
    var values = inputs.takeOnly()
    // Where the derivative needs the arguments, they stay beside the values.
    let arguments = function.hasDerivativeOfValue ? nil : values
    try activate(&values, by: [function], work: work)
    let output = values
    return TrainingOutput(output) { gradient, work throws(Cancelled) in
      var gradient = consume gradient
      try activationGradient(&gradient, at: arguments ?? output, functions: [function], work: work)
      return LayerGradients(input: gradient)
    }
  }

  package func stepBuilder(_ parameters: LayerParameters) -> any StepBuilder {
    FixedStepBuilder(operation: PreparedActivation(name: Self.kind, [function]))
  }

  package func inferenceEpilogue(_ parameters: LayerParameters) -> InferenceEpilogue? {
    function.piecewiseLinear.map { .activation($0) }
  }
}

/// x where it is not negative, else slope · x.
package struct LeakyReLUOperation: ActivationOperation {
  package static let kind = "leakyReLU"

  package var slope: Float

  package init(slope: Float) { self.slope = slope }

  package var function: Activation { .leakyReLU(slope: slope) }
  package var problem: String? { GraphLimit.problem(slope, "slope") }
  package var initialisationGain: InitialisationGain { .relu }
}

/// x where it is not negative, else alpha (exp(x) - 1).
package struct ELUOperation: ActivationOperation {
  package static let kind = "elu"

  package var alpha: Float

  package init(alpha: Float) { self.alpha = alpha }

  package var function: Activation { .elu(alpha: alpha) }
  package var problem: String? { GraphLimit.problem(alpha, "alpha") }
  package var initialisationGain: InitialisationGain { .relu }
}

/// x times the standard normal distribution function of x.
package struct GELUOperation: ActivationOperation {
  package static let kind = "gelu"

  /// How the distribution function is computed.
  package enum Approximation: String, Hashable, Sendable, Codable {
    /// By the error function, exactly.
    case none
    /// By a hyperbolic tangent.
    case tanh
  }

  package var approximation: Approximation

  package init(approximation: Approximation) { self.approximation = approximation }

  package var function: Activation { approximation == .none ? .gelu : .geluByTanh }
  package var initialisationGain: InitialisationGain { .relu }
}

/// x / (1 + exp(-x)), also called Swish.
package struct SiLUOperation: ActivationOperation {
  package static let kind = "silu"

  package init() {}

  package var function: Activation { .silu }
  package var initialisationGain: InitialisationGain { .relu }
}

/// 1 / (1 + exp(-x)).
package struct SigmoidOperation: ActivationOperation {
  package static let kind = "sigmoid"

  package init() {}

  package var function: Activation { .sigmoid }
}

/// The hyperbolic tangent.
package struct TanhOperation: ActivationOperation {
  package static let kind = "tanh"

  package init() {}

  package var function: Activation { .tanh }
}

/// x, but `lower` below it and `upper` above it: with 0 and 6, ReLU6.
package struct ClipOperation: ActivationOperation {
  package static let kind = "clip"

  package var lower, upper: Float

  package init(lower: Float, upper: Float) {
    self.lower = lower
    self.upper = upper
  }

  package var function: Activation { .clip(lower: lower, upper: upper) }

  package var problem: String? {
    GraphLimit.problem(lower, "lower") ?? GraphLimit.problem(upper, "upper")
      ?? (lower < upper ? nil : "upper: found \(upper), expected more than lower, \(lower)")
  }
}

/// log(1 + exp(x)).
package struct SoftplusOperation: ActivationOperation {
  package static let kind = "softplus"

  package init() {}

  package var function: Activation { .softplus }
}

extension LeakyReLUOperation {
  private enum CodingKeys: String, CodingKey { case slope }

  /// Without a slope it is PyTorch's and ONNX's, 0.01.
  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    slope = try values.decodeIfPresent(Float.self, forKey: .slope) ?? 0.01
  }
}

extension ELUOperation {
  private enum CodingKeys: String, CodingKey { case alpha }

  /// Without an alpha it is 1.
  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    alpha = try values.decodeIfPresent(Float.self, forKey: .alpha) ?? 1
  }
}

extension GELUOperation {
  private enum CodingKeys: String, CodingKey { case approximation }

  /// Without an approximation there is none.
  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    approximation = try values.decodeIfPresent(Approximation.self, forKey: .approximation) ?? .none
  }
}

extension SiLUOperation {
  package init(from decoder: any Decoder) throws {}
  package func encode(to encoder: any Encoder) throws {}
}

extension SigmoidOperation {
  package init(from decoder: any Decoder) throws {}
  package func encode(to encoder: any Encoder) throws {}
}

extension TanhOperation {
  package init(from decoder: any Decoder) throws {}
  package func encode(to encoder: any Encoder) throws {}
}

extension SoftplusOperation {
  package init(from decoder: any Decoder) throws {}
  package func encode(to encoder: any Encoder) throws {}
}
