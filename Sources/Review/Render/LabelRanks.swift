import Volumes

/// For each label value a rank: 0 is not shown; of two labels in one pixel the higher rank shows.
struct LabelRanks: Equatable {
  /// The rank of each of the 65536 label values.
  private(set) var ranks = [UInt16](repeating: 0, count: 65536)
  /// The smallest box that holds every voxel with a rank; nil when no voxel has one.
  private(set) var bounds: VoxelBounds?
  /// The colour of each rank from 1.
  private(set) var colours: [RGBColour] = []

  /// Ranks of the labels that are visible: the smaller a label is, the higher, so that a lesion shows in its organ.
  init(_ version: Version, isVisible: (Label) -> Bool) {
    for (position, label) in version.labelsBySize.lazy.filter(isVisible).enumerated() {
      give(UInt16(position + 1), to: label.value, of: version)
      colours.append(label.colour)
    }
  }

  /// The given ranks of a version's values, 0 for all others.
  init(_ ranksByValue: [UInt16: UInt16], of version: Version) {
    for (value, rank) in ranksByValue { give(rank, to: value, of: version) }
  }

  private mutating func give(_ rank: UInt16, to value: UInt16, of version: Version) {
    ranks[Int(value)] = rank
    guard let part = version.statistics(of: value)?.bounds else { return }
    bounds = bounds?.union(part) ?? part
  }

  /// The same ranks, with all of a volume of `size` as their bounds.
  func anywhere(in size: GridSize) -> LabelRanks {
    var ranks = self
    ranks.bounds = VoxelBounds(size)
    return ranks
  }
}
