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
    let hatches = version.table.hatches
    for (position, label) in version.labelsBySize.lazy.filter(isVisible).enumerated() {
      ranks.give(
        UInt16(position + 1), to: label.value, bounds: version.statistics(of: label.value)?.bounds)
      looks.append(
        LabelLook(
          colour: label.colour.rgb, letter: letters[label.value] ?? "?", hatch: hatches[label.value] ?? 0))
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
  /// Its colour, its letter where there are no colours, and its hatch where there are 16.
  let colour: RGB
  let letter: Unicode.Scalar
  let hatch: UInt8
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

extension LabelTable {
  /// The hatches of the labels where there are 16 colours: labels of one colour have different ones, as long as there are.
  package var hatches: [UInt16: UInt8] {
    var sameColour: [Int: Int] = [:]
    return Dictionary(
      labels.map { label in
        let colour = Palette.index16(label.colour.rgb)
        let earlier = sameColour[colour, default: 0]
        sameColour[colour] = earlier + 1
        return (label.value, UInt8(earlier % PixelLayer.hatchCount))
      }, uniquingKeysWith: { first, _ in first })
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
