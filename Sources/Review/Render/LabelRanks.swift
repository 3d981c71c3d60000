import Volumes

extension LabelRanks {
  /// The ranks of the visible labels and the colour of each rank, from rank 1.
  ///
  /// Smaller labels have higher ranks, so that a lesion is visible in its organ.
  static func visible(
    of version: Version, where isVisible: (Label) -> Bool
  ) -> (ranks: LabelRanks, colours: [RGBColour]) {
    var ranks = LabelRanks()
    var colours: [RGBColour] = []
    for (position, label) in version.labelsBySize.lazy.filter(isVisible).enumerated() {
      ranks.give(
        UInt16(position + 1), to: label.value, bounds: version.statistics(of: label.value)?.bounds)
      colours.append(label.colour)
    }
    return (ranks, colours)
  }

  /// The given ranks of a version's values, 0 for all others.
  init(_ ranksByValue: [UInt16: UInt16], of version: Version) {
    self.init()
    for (value, rank) in ranksByValue {
      give(rank, to: value, bounds: version.statistics(of: value)?.bounds)
    }
  }
}
