import Tensors

/// Voxels around its input: a constant, the input mirrored, or its border.
package struct PadOperation: ResamplingOperation {
  package static let kind = "pad"

  /// The mode and the voxels before and after each axis.
  package var geometry: PaddingGeometry

  package init(_ geometry: PaddingGeometry) { self.geometry = geometry }

  package var problem: String? {
    GraphLimit.problem(geometry.before, "before", from: 0)
      ?? GraphLimit.problem(geometry.after, "after", from: 0)
      ?? (geometry.value.isFinite ? nil : "value: found \(geometry.value), expected a finite number")
  }

  package func inputs(of range: ClosedRange<Int>, along axis: Axis) -> ClosedRange<Int> {
    let before = axis(geometry.before)
    return range.lowerBound - before...range.upperBound - before
  }
}

extension NetworkOperation where Self == PadOperation {
  package static func pad(_ geometry: PaddingGeometry) -> PadOperation { PadOperation(geometry) }
}

extension PadOperation {
  private enum CodingKeys: String, CodingKey { case mode, value, before, after }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    geometry = PaddingGeometry(
      try values.choice(.mode, absent: PaddingMode.constant),
      value: try values.decodeIfPresent(Float.self, forKey: .value) ?? 0,
      before: try values.axisNumbers(.before, absent: Extent3(0)),
      after: try values.axisNumbers(.after, absent: Extent3(0)))
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(geometry.mode.rawValue, forKey: .mode)
    if geometry.mode == .constant { try values.encode(geometry.value, forKey: .value) }
    try values.encode(axisNumbers: geometry.before, forKey: .before)
    try values.encode(axisNumbers: geometry.after, forKey: .after)
  }
}
