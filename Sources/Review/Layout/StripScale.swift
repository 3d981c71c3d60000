import Volumes

/// The slices that each row of a strip shows: those towards head, front or right at the top.
struct StripScale {
  /// The plane of the slices.
  let geometry: PlaneGeometry
  /// Rows of the strip.
  let rows: Int

  init(_ geometry: PlaneGeometry, rows: Int) {
    self.geometry = geometry
    self.rows = max(1, rows)
  }

  /// The slices of a row, at least one; rows beyond the strip have those of its ends.
  func slices(ofRow row: Int) -> ClosedRange<Int> {
    let row = min(max(0, row), rows - 1)
    let count = geometry.sliceCount
    let first = row * count / rows
    let last = max(first, (row + 1) * count / rows - 1)
    return geometry.sliceSign > 0 ? count - 1 - last...count - 1 - first : first...last
  }

  /// The slice in the middle of a row's.
  func slice(atRow row: Int) -> Int {
    let slices = slices(ofRow: row)
    return (slices.lowerBound + slices.upperBound) / 2
  }
}
