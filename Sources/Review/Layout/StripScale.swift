import Volumes

/// The mapping between the rows of a strip and slices.
///
/// Slices towards head, front or right are at the top.
struct StripScale {
  /// The plane of the slices.
  let geometry: PlaneGeometry
  /// Rows of the strip.
  let rows: Int

  init(_ geometry: PlaneGeometry, rows: Int) {
    self.geometry = geometry
    self.rows = max(1, rows)
  }

  /// The slices of a row, at least one; a row outside the strip counts as the nearest row of it.
  func slices(ofRow row: Int) -> ClosedRange<Int> {
    let row = min(max(0, row), rows - 1)
    let count = geometry.sliceCount
    let first = row * count / rows
    let last = max(first, (row + 1) * count / rows - 1)
    return geometry.sliceSign > 0 ? count - 1 - last...count - 1 - first : first...last
  }

  /// The middle one of the slices of a row.
  func slice(atRow row: Int) -> Int {
    let slices = slices(ofRow: row)
    return (slices.lowerBound + slices.upperBound) / 2
  }
}
