import Tensors

/// Its first input, cropped around the centre to the extents of its second: skip connections of a U-Net without padding.
package struct CentreCropOperation: ResamplingToOperation {
  package static let kind = "centreCrop"

  package var geometry: any GridResampling { CentreCropGeometry() }

  package init() {}
}

extension NetworkOperation where Self == CentreCropOperation {
  package static var centreCrop: CentreCropOperation { CentreCropOperation() }
}

extension CentreCropOperation {
  package init(from decoder: any Decoder) throws {}
  package func encode(to encoder: any Encoder) throws {}
}
