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
      var gradient = consume gradient
      try rectifierGradient(&gradient, output: output, work: work)
      return LayerGradients(input: gradient)
    }
  }

  package var trainedStep: any TrainedStep { RectifierStep(operation: self) }
  package var trainedFollower: TrainedFollower? { .rectification }

  package func draft(_ parameters: LayerParameters) -> any StepDraft {
    FixedDraft(operation: PreparedRectifier())
  }

  package func follower(_ parameters: LayerParameters) -> StepFollower? { .rectification }
}

/// A rectifier in training, which follows a pooling behind it instead: the greatest rectified value is the rectified
/// greatest value, and there are fewer of them.
private struct RectifierStep: TrainedStep {
  let operation: RectifierOperation
  var pooling: PoolingGeometry?

  mutating func takeIn(_ follower: TrainedFollower) -> Bool {
    guard pooling == nil, case .maxPooling(let geometry) = follower else { return false }
    pooling = geometry
    return true
  }

  func run(
    _ input: consuming Tensor, by layers: [TrainedLayer], work: WorkContext
  ) throws(Cancelled) -> TrainedOutput {
    guard let pooling else { return try operation.trained(input, by: layers[0], work: work) }
    let extent = input.extent
    let (maxima, winners) = try maxPooling(input, geometry: pooling, work: work)
    var output = maxima
    try rectify(&output, work: work)
    let rectified = output
    return TrainedOutput(rectified) { gradient, work throws(Cancelled) in
      LayerGradients(
        input: try maxPoolingInputGradient(
          gradient, winners: winners, geometry: pooling, rectified: rectified, inputExtent: extent, work: work
        ))
    }
  }
}

extension NetworkOperation where Self == RectifierOperation {
  /// A rectifier.
  package static var rectifier: RectifierOperation { RectifierOperation() }
}

extension RectifierOperation {
  package init(from decoder: any Decoder) throws {}
  package func encode(to encoder: any Encoder) throws {}
}
