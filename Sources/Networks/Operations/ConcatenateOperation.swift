import Tensors
import Work

/// The channels of its inputs one after the other: skip connections of a U-Net.
package struct ConcatenateOperation: NetworkOperation {
  package static let kind = "concatenate"

  package init() {}

  package var inputCounts: ClosedRange<Int> { 2...GraphLimit.inputs }

  package func outputChannels(_ inputs: [Int]) -> Int { inputs.reduce(0, +) }

  package var initialisationGain: InitialisationGain { .ofReaders }

  package func forward(
    _ inputs: consuming [Tensor], by layer: TrainingLayer, work: WorkContext
  ) throws(Cancelled) -> TrainingOutput {
    let channels = inputs.map(\.channels)
    let output = try PreparedConcatenate()(inputs, work: work)
    return TrainingOutput(output) { gradient, work throws(Cancelled) in
      var gradients: [Tensor] = []
      var first = 0
      for count in channels {
        gradients.append(try gradient.channels(first..<first + count, work: work))
        first += count
      }
      return LayerGradients(inputs: gradients)
    }
  }

  package func stepBuilder(_ parameters: LayerParameters) -> any StepBuilder {
    FixedStepBuilder(operation: PreparedConcatenate())
  }
}

extension NetworkOperation where Self == ConcatenateOperation {
  package static var concatenate: ConcatenateOperation { ConcatenateOperation() }
}

extension ConcatenateOperation {
  package init(from decoder: any Decoder) throws {}
  package func encode(to encoder: any Encoder) throws {}
}
