import Tensors
import Work

/// Max-pooling: the maximum over each window.
package struct MaxPoolingOperation: NetworkOperation {
  package static let kind = "maxPooling"

  /// Windows and stride.
  package var geometry: PoolingGeometry

  package init(_ geometry: PoolingGeometry) { self.geometry = geometry }

  package var problem: String? {
    GraphLimit.problem(geometry.kernel, "kernel", from: 1)
      ?? GraphLimit.problem(geometry.stride, "stride", from: 1)
  }

  package func outputExtent(_ input: Extent3) -> Extent3? { geometry.output(input) }

  package func cumulativeStride(_ input: CumulativeStride, along axis: Axis) -> CumulativeStride? {
    input.strided(axis(geometry.stride))
  }

  package func inputs(of range: ClosedRange<Int>, along axis: Axis) -> ClosedRange<Int> {
    let stride = axis(geometry.stride)
    return (range.lowerBound * stride)...(range.upperBound * stride + axis(geometry.kernel) - 1)
  }

  package func forward(
    _ inputs: consuming [Tensor], by layer: TrainingLayer, work: WorkContext
  ) throws(Cancelled) -> TrainingOutput {
    let input = inputs.takeOnly()
    let (geometry, extent) = (geometry, input.extent)
    let (output, argMaxIndices) = try Tensors.maxPooling(input, geometry: geometry, work: work)
    return TrainingOutput(output) { gradient, work throws(Cancelled) in
      LayerGradients(
        input: try maxPoolingInputGradient(
          gradient, argMaxIndices: argMaxIndices, geometry: geometry, inputExtent: extent, work: work))
    }
  }

  package var trainingEpilogue: TrainingEpilogue? { .maxPooling(geometry) }

  package func stepBuilder(_ parameters: LayerParameters) -> any StepBuilder {
    FixedStepBuilder(operation: PreparedMaxPooling(geometry: geometry))
  }

  package func inferenceEpilogue(_ parameters: LayerParameters) -> InferenceEpilogue? {
    .maxPooling(geometry)
  }
}

extension NetworkOperation where Self == MaxPoolingOperation {
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
