import Tensors

/// Its first input, interpolated to the extents of its second.
package struct ResizeToOperation: ResamplingToOperation {
  package static let kind = "resizeTo"

  /// The interpolation; its factor is of no meaning.
  package let resizing: ResizeGeometry

  package init(_ interpolation: ResizeInterpolation, _ coordinates: ResizeCoordinates) {
    resizing = ResizeGeometry(factor: Extent3(1), interpolation, coordinates)
  }

  package var geometry: any GridResampling { resizing }
}

extension NetworkOperation where Self == ResizeToOperation {
  package static func resizeTo(
    _ interpolation: ResizeInterpolation, _ coordinates: ResizeCoordinates
  ) -> ResizeToOperation { ResizeToOperation(interpolation, coordinates) }
}

extension ResizeToOperation {
  package init(from decoder: any Decoder) throws {
    resizing = try ResizeGeometry(factor: Extent3(1), fieldsFrom: decoder)
  }

  package func encode(to encoder: any Encoder) throws { try resizing.encodeFields(to: encoder) }
}
