import Tensors
import Work

/// Max-pooling: the maximum over each window; the padding holds nothing.
package struct MaxPoolingOperation: PoolingOperation {
  package static let kind = "maxPooling"

  package var geometry: PoolingGeometry
  package var samePadding: SamePadding?

  package init(_ geometry: PoolingGeometry, samePadding: SamePadding? = nil) {
    self.geometry = geometry
    self.samePadding = samePadding
  }

  package func prepared(_ geometry: PoolingGeometry) -> any PreparedOperation {
    PreparedMaxPooling(geometry: geometry)
  }

  package func forward(
    _ inputs: consuming [Tensor], by layer: TrainingLayer, work: WorkContext
  ) throws(Cancelled) -> TrainingOutput {
    let input = inputs.takeOnly()
    let (geometry, extent) = (geometry(for: input.extent), input.extent)
    let (output, argMaxIndices) = try Tensors.maxPooling(input, geometry: geometry, work: work)
    return TrainingOutput(output) { gradient, work throws(Cancelled) in
      LayerGradients(
        input: try maxPoolingInputGradient(
          gradient, argMaxIndices: argMaxIndices, geometry: geometry, inputExtent: extent, work: work))
    }
  }

  // The steps before it do not know their results' extents, on which a rule for the padding depends.
  package var trainingEpilogue: TrainingEpilogue? { samePadding == nil ? .maxPooling(geometry) : nil }

  package func inferenceEpilogue(_ parameters: LayerParameters) -> InferenceEpilogue? {
    samePadding == nil ? .maxPooling(geometry) : nil
  }
}

extension NetworkOperation where Self == MaxPoolingOperation {
  package static func maxPooling(_ geometry: PoolingGeometry) -> MaxPoolingOperation {
    MaxPoolingOperation(geometry)
  }
}

extension MaxPoolingOperation {
  package init(from decoder: any Decoder) throws {
    let fields = try PoolingFields(from: decoder)
    self.init(fields.geometry, samePadding: fields.samePadding)
  }

  package func encode(to encoder: any Encoder) throws {
    try PoolingFields(geometry: geometry, samePadding: samePadding).encode(to: encoder)
  }
}
