import Tensors
import Work

/// Average-pooling: the mean over each window, with zeros in the padding.
package struct AveragePoolingOperation: PoolingOperation {
  package static let kind = "averagePooling"

  package var geometry: PoolingGeometry
  package var samePadding: SamePadding?
  /// Whether padding counts among the voxels that a mean is taken of.
  package var countsPadding: Bool

  package init(_ geometry: PoolingGeometry, samePadding: SamePadding? = nil, countsPadding: Bool = true) {
    self.geometry = geometry
    self.samePadding = samePadding
    self.countsPadding = countsPadding
  }

  package func prepared(_ geometry: PoolingGeometry) -> any PreparedOperation {
    PreparedAveragePooling(geometry: geometry, countsPadding: countsPadding)
  }

  package func forward(
    _ inputs: consuming [Tensor], by layer: TrainingLayer, work: WorkContext
  ) throws(Cancelled) -> TrainingOutput {
    let input = inputs.takeOnly()
    let (geometry, countsPadding, extent) = (geometry(for: input.extent), countsPadding, input.extent)
    let pooling = PreparedAveragePooling(geometry: geometry, countsPadding: countsPadding)
    return TrainingOutput(try pooling(input, work: work)) { gradient, work throws(Cancelled) in
      LayerGradients(
        input: try averagePoolingInputGradient(
          gradient, geometry: geometry, countsPadding: countsPadding, inputExtent: extent, work: work))
    }
  }
}

extension AveragePoolingOperation {
  private enum CodingKeys: String, CodingKey { case countsPadding }

  package init(from decoder: any Decoder) throws {
    let fields = try PoolingFields(from: decoder)
    let countsPadding = try decoder.container(keyedBy: CodingKeys.self).flag(.countsPadding, absent: true)
    self.init(fields.geometry, samePadding: fields.samePadding, countsPadding: countsPadding)
  }

  package func encode(to encoder: any Encoder) throws {
    try PoolingFields(geometry: geometry, samePadding: samePadding).encode(to: encoder)
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(countsPadding, forKey: .countsPadding)
  }
}
