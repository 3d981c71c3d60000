import Tensors
import Work

/// The maximum over each window.
package struct MaxPoolingOperation: NetworkOperation {
  package static let kind = "maxPooling"

  /// The windows.
  package var geometry: PoolingGeometry

  package init(_ geometry: PoolingGeometry) { self.geometry = geometry }

  package var problem: String? {
    GraphLimit.problem(geometry.kernel, "kernel", from: 1)
      ?? GraphLimit.problem(geometry.stride, "stride", from: 1)
  }

  package func outputExtent(_ input: Extent3) -> Extent3? { geometry.output(input) }

  package func scale(_ scale: Scale, along axis: Axis) -> Scale? { scale.strided(axis(geometry.stride)) }

  package func inputs(of range: ClosedRange<Int>, along axis: Axis) -> ClosedRange<Int> {
    let stride = axis(geometry.stride)
    return (range.lowerBound * stride)...(range.upperBound * stride + axis(geometry.kernel) - 1)
  }

  package func trained(
    _ input: consuming Tensor, by layer: TrainedLayer, work: WorkContext
  ) throws(Cancelled) -> TrainedOutput {
    let (geometry, extent) = (geometry, input.extent)
    let (output, winners) = try Tensors.maxPooling(input, geometry: geometry, work: work)
    return TrainedOutput(output) { gradient, work throws(Cancelled) in
      LayerGradients(
        input: try maxPoolingInputGradient(
          gradient, winners: winners, geometry: geometry, inputExtent: extent, work: work))
    }
  }

  package var trainedFollower: TrainedFollower? { .maxPooling(geometry) }

  package func draft(_ parameters: LayerParameters) -> any StepDraft {
    FixedDraft(operation: PreparedMaxPooling(geometry: geometry))
  }

  package func follower(_ parameters: LayerParameters) -> StepFollower? { .maxPooling(geometry) }
}

extension NetworkOperation where Self == MaxPoolingOperation {
  /// A max-pooling.
  package static func maxPooling(_ geometry: PoolingGeometry) -> MaxPoolingOperation {
    MaxPoolingOperation(geometry)
  }
}

extension MaxPoolingOperation {
  private enum CodingKeys: String, CodingKey { case kernel, stride, roundsUp }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let kernel = try values.extent(.kernel)
    geometry = PoolingGeometry(
      kernel: kernel, stride: try values.extent(.stride, absent: kernel),
      roundsUp: try values.flag(.roundsUp, absent: false))
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(geometry.kernel, forKey: .kernel)
    try values.encode(geometry.stride, forKey: .stride)
    try values.encode(geometry.roundsUp, forKey: .roundsUp)
  }
}
