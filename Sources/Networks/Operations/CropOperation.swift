import Tensors

/// Its input without some voxels before and after each axis.
package struct CropOperation: ResamplingOperation {
  package static let kind = "crop"

  /// Voxels that are dropped before and after each axis.
  package var geometry: CropGeometry

  package init(_ geometry: CropGeometry) { self.geometry = geometry }

  package var problem: String? {
    GraphLimit.problem(geometry.before, "before", from: 0)
      ?? GraphLimit.problem(geometry.after, "after", from: 0)
  }

  package func inputs(of range: ClosedRange<Int>, along axis: Axis) -> ClosedRange<Int> {
    let before = axis(geometry.before)
    return range.lowerBound + before...range.upperBound + before
  }
}

extension NetworkOperation where Self == CropOperation {
  package static func crop(_ geometry: CropGeometry) -> CropOperation { CropOperation(geometry) }
}

extension CropOperation {
  private enum CodingKeys: String, CodingKey { case before, after }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    geometry = CropGeometry(
      before: try values.axisNumbers(.before, absent: Extent3(0)),
      after: try values.axisNumbers(.after, absent: Extent3(0)))
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(axisNumbers: geometry.before, forKey: .before)
    try values.encode(axisNumbers: geometry.after, forKey: .after)
  }
}
