import Tensors
import Work

/// Dropout: in training values, or whole channels, are 0 with some probability and the others are scaled so that the
/// mean is kept; nothing at inference.
package struct DropoutOperation: NetworkOperation {
  package static let kind = "dropout"

  /// The probability of 0.
  package var probability: Double
  /// Whether whole channels of an image are dropped instead of single values.
  package var dropsChannels: Bool

  package init(probability: Double, dropsChannels: Bool = false) {
    self.probability = probability
    self.dropsChannels = dropsChannels
  }

  package var problem: String? {
    (0..<1).contains(probability)
      ? nil : "probability: found \(probability), expected at least 0 and less than 1"
  }

  package var initialisationGain: InitialisationGain { .ofReaders }

  package var isIdentityAtInference: Bool { true }

  package func forward(
    _ inputs: consuming [Tensor], by layer: TrainingLayer, work: WorkContext
  ) throws(Cancelled) -> TrainingOutput {
    var values = inputs.takeOnly()
    let dropout = Dropout(
      probability: probability, dropsChannels: dropsChannels, generator: layer.generator)
    try dropout(&values, work: work)
    return TrainingOutput(values) { gradient, work throws(Cancelled) in
      var gradient = consume gradient
      try dropout(&gradient, work: work)
      return LayerGradients(input: gradient)
    }
  }

  package func stepBuilder(_ parameters: LayerParameters) -> any StepBuilder {
    FixedStepBuilder(operation: PreparedIdentity())
  }
}

extension NetworkOperation where Self == DropoutOperation {
  package static func dropout(probability: Double, dropsChannels: Bool = false) -> DropoutOperation {
    DropoutOperation(probability: probability, dropsChannels: dropsChannels)
  }
}

extension DropoutOperation {
  private enum CodingKeys: String, CodingKey { case probability, channels }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    probability = try values.decodeIfPresent(Double.self, forKey: .probability) ?? 0.5
    dropsChannels = try values.flag(.channels, absent: false)
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(probability, forKey: .probability)
    try values.encode(dropsChannels, forKey: .channels)
  }
}
