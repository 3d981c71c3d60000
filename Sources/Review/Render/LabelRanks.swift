import Screen
import Volumes

extension LabelRanks {
  /// The ranks of the visible labels and the look of each rank, from rank 1.
  ///
  /// Smaller labels have higher ranks, so that a lesion is visible in its organ.
  static func visible(
    of version: Version, where isVisible: (Label) -> Bool
  ) -> (ranks: LabelRanks, looks: [LabelLook]) {
    var ranks = LabelRanks()
    var looks: [LabelLook] = []
    let letters = version.table.letters
    for (position, label) in version.labelsBySize.lazy.filter(isVisible).enumerated() {
      ranks.give(
        UInt16(position + 1), to: label.value, bounds: version.statistics(of: label.value)?.bounds)
      looks.append(LabelLook(colour: label.colour.rgb, letter: letters[label.value] ?? "?"))
    }
    return (ranks, looks)
  }

  /// The given ranks of a version's values, 0 for all others.
  init(_ ranksByValue: [UInt16: UInt16], of version: Version) {
    self.init()
    for (value, rank) in ranksByValue {
      give(rank, to: value, bounds: version.statistics(of: value)?.bounds)
    }
  }
}

/// How a label looks in the panes.
struct LabelLook: Equatable {
  /// Its colour, and its letter where there are no colours.
  let colour: RGB
  let letter: Unicode.Scalar
}

extension LabelTable {
  /// The letters of the labels where there are no colours: a to z and A to Z in the order of the table, and again from a.
  var letters: [UInt16: Unicode.Scalar] {
    let letters = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".unicodeScalars)
    return Dictionary(
      labels.enumerated().map { position, label in (label.value, letters[position % letters.count]) },
      uniquingKeysWith: { first, _ in first })
  }
}

extension MaskAgreement {
  /// The letter of an agreement where there are no colours.
  static func letter(_ agreement: UInt16) -> Unicode.Scalar {
    switch agreement {
    case onlyA: "A"
    case onlyB: "B"
    case conflict: "X"
    default: "="
    }
  }
}
