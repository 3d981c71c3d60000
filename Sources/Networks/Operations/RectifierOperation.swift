import Tensors
import Work

/// max(x, 0).
package struct RectifierOperation: NetworkOperation {
  package static let kind = "rectifier"

  package init() {}

  package var rectification: Rectification { .here }

  package func trained(
    _ input: consuming Tensor, by layer: TrainedLayer, work: WorkContext
  ) throws(Cancelled) -> TrainedOutput {
    try rectify(&input, work: work)
    let output = input
    return TrainedOutput(output) { gradient, work throws(Cancelled) in
      var gradient = gradient
      try rectifierGradient(&gradient, output: output, work: work)
      return LayerGradients(input: gradient)
    }
  }

  package func draft(_ parameters: LayerParameters) -> any StepDraft {
    FixedDraft(operation: PreparedRectifier())
  }

  package func follower(_ parameters: LayerParameters) -> StepFollower? { .rectification }
}

extension NetworkOperation where Self == RectifierOperation {
  /// A rectifier.
  package static var rectifier: RectifierOperation { RectifierOperation() }
}

extension RectifierOperation {
  package init(from decoder: any Decoder) throws {}
  package func encode(to encoder: any Encoder) throws {}
}
