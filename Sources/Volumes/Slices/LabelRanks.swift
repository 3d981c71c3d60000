/// For each label value a rank: 0 is not shown; of two labels in one pixel the higher rank shows.
package struct LabelRanks: Equatable, Sendable {
  /// The rank of each of the 65536 label values.
  package private(set) var ranks = [UInt16](repeating: 0, count: 65536)
  /// The smallest box that holds every voxel with a rank; nil when no voxel has one.
  package private(set) var bounds: VoxelBounds?

  /// Every label has rank 0.
  package init() {}

  /// Gives a label a rank.
  /// - Parameter bounds: The smallest box that holds the label's voxels; nil where it has none.
  package mutating func give(_ rank: UInt16, to value: UInt16, bounds part: VoxelBounds?) {
    ranks[Int(value)] = rank
    guard let part else { return }
    bounds = bounds?.union(part) ?? part
  }

  /// The same ranks, with all of a volume of `size` as their bounds.
  package func anywhere(in size: GridSize) -> LabelRanks {
    var ranks = self
    ranks.bounds = VoxelBounds(size)
    return ranks
  }
}
