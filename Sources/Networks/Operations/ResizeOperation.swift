import Tensors

/// Its input with more voxels, by interpolation.
package struct ResizeOperation: ResamplingOperation {
  package static let kind = "resize"

  /// The factor, the interpolation and where output voxels lie.
  package var geometry: ResizeGeometry

  package init(_ geometry: ResizeGeometry) { self.geometry = geometry }

  package var problem: String? { GraphLimit.problem(geometry.factor, "factor", from: 1) }

  package var isLocal: Bool { !geometry.coordinates.dependsOnExtents }

  package func cumulativeStride(_ input: CumulativeStride, along axis: Axis) -> CumulativeStride? {
    input.upsampled(axis(geometry.factor))
  }

  package func inputs(of range: ClosedRange<Int>, along axis: Axis) -> ClosedRange<Int> {
    geometry.inputs(of: range, axis: axis.number)
  }
}

extension NetworkOperation where Self == ResizeOperation {
  package static func resize(_ geometry: ResizeGeometry) -> ResizeOperation { ResizeOperation(geometry) }
}

extension ResizeOperation {
  private enum CodingKeys: String, CodingKey { case factor }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    geometry = try ResizeGeometry(factor: values.axisNumbers(.factor), fieldsFrom: decoder)
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(axisNumbers: geometry.factor, forKey: .factor)
    try geometry.encodeFields(to: encoder)
  }
}

extension ResizeGeometry {
  private enum CodingKeys: String, CodingKey { case mode, rounding, coordinates }
  private enum Mode: String, CaseIterable { case nearest, linear }

  /// The interpolation of a layer's fields.
  init(factor: Extent3, fieldsFrom decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let interpolation: ResizeInterpolation =
      switch try values.choice(.mode, absent: Mode.nearest) {
      case .nearest: .nearest(try values.choice(.rounding, absent: .roundPreferFloor))
      case .linear: .linear
      }
    self.init(factor: factor, interpolation, try values.choice(.coordinates, absent: .halfPixel))
  }

  /// Writes the interpolation among a layer's fields.
  func encodeFields(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(coordinates.rawValue, forKey: .coordinates)
    switch interpolation {
    case .nearest(let rounding):
      try values.encode(Mode.nearest.rawValue, forKey: .mode)
      try values.encode(rounding.rawValue, forKey: .rounding)
    case .linear: try values.encode(Mode.linear.rawValue, forKey: .mode)
    }
  }
}
