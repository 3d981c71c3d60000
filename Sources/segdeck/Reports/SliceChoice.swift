import Work

/// The slices of a plane that a montage shows.
enum SliceChoice: Equatable {
  /// Every n-th slice, beginning with the first.
  case every(Int)
  /// The slices with these indices.
  case positions([Int])

  /// Reads "10,20,30", "10-40" and "10-40,60".
  /// - Throws: ``InputError`` when a part is neither a position nor a range that ascends.
  init(_ text: String) throws(InputError) {
    var positions: [Int] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
      guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1], first <= last,
        first >= 0, last - first < Self.limit, positions.count < Self.limit
      else {
        throw InputError(
          "--slices", "not a list of slices", found: "\"\(part)\"",
          expected: "positions and ranges, as in 10,20 or 10-40, at most \(Self.limit)")
      }
      positions += first...last
    }
    self = .positions(positions)
  }

  /// The maximum number of slices in a montage.
  private static let limit = 4096

  /// The indices of the slices along an axis.
  /// - Parameters:
  ///   - range: The indices of the slices that are shown.
  ///   - count: The number of slices of the image.
  /// - Throws: ``InputError`` for a slice that the image does not have.
  func positions(in range: ClosedRange<Int>, count: Int) throws(InputError) -> [Int] {
    switch self {
    case .every(let step): return Array(stride(from: range.lowerBound, through: range.upperBound, by: step))
    case .positions(let positions):
      if let outside = positions.first(where: { $0 >= count }) {
        throw InputError(
          "--slices", "the image has no such slice", found: "\(outside)", expected: "0 to \(count - 1)")
      }
      return positions
    }
  }
}
