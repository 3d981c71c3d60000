import Volumes
import Work

/// The measures of one label in all cases that have it.
struct LabelCohort {
  /// The robust deviations beyond which a number is an outlier: the limit of Iglewicz and Hoaglin (1993), which one of
  /// two thousand normally distributed numbers exceeds.
  static let maximumUsualDeviations = 3.5
  /// The minimum deviation of volumes, as a fraction of their median: repeated segmentations of one organ differ by
  /// some percent.
  private static let minimumVolumeFraction = 0.05
  /// The minimum distance of a flagged volume from the median, as a fraction of the median: organs of healthy people
  /// differ by as much, and the spread of a few cases is often small by chance.
  private static let minimumVolumeDifference = 0.25
  /// The minimum deviation of counts: where all other cases are alike, one more is not flagged, and two more are.
  private static let minimumCountDeviation = 0.5
  /// The minimum deviation of missing slices: one is flagged where usually none is missing.
  private static let minimumGapDeviation = 0.25
  /// The minimum deviation of Dice coefficients: readers differ by a few hundredths.
  private static let minimumDiceDeviation = 0.02
  /// The maximum fraction of a cohort with a count for which the count is flagged.
  private static let rareFraction = 0.2

  private let count: Int
  private let volume, components, holes, dice: RobustSpread?
  private let gaps: [AnatomicalPlane: RobustSpread]
  /// Numbers of components, holes and missing slices that are too frequent to be flagged.
  private let commonComponents, commonHoles: Int
  private let commonGaps: [AnatomicalPlane: Int]
  private let largePartCount: Int
  private let touchingCounts: [AnatomicalDirection: Int]

  /// The cohort of at least one case.
  init(_ labels: [CaseMeasures.LabelMeasures]) {
    count = labels.count
    func spread(
      _ numbers: [Double], _ floor: (Double) -> Double
    ) -> RobustSpread? {
      numbers.count < CohortFlags.minimumCaseCount ? nil : RobustSpread(numbers, floor: floor)
    }
    func gapCounts(_ plane: AnatomicalPlane) -> [Int] { labels.map { $0.missingSlices[plane] ?? 0 } }
    volume = spread(labels.map(\.millilitres)) { Self.minimumVolumeFraction * $0 }
    components = spread(labels.map { Double($0.componentCount) }) { _ in Self.minimumCountDeviation }
    holes = spread(labels.map { Double($0.holeCount) }) { _ in Self.minimumCountDeviation }
    dice = spread(labels.compactMap(\.dice)) { _ in Self.minimumDiceDeviation }
    var (gaps, commonGaps): ([AnatomicalPlane: RobustSpread], [AnatomicalPlane: Int]) = ([:], [:])
    for plane in AnatomicalPlane.allCases {
      gaps[plane] = spread(gapCounts(plane).map(Double.init)) { _ in Self.minimumGapDeviation }
      commonGaps[plane] = Self.common(gapCounts(plane))
    }
    (self.gaps, self.commonGaps) = (gaps, commonGaps)
    commonComponents = Self.common(labels.map(\.componentCount))
    commonHoles = Self.common(labels.map(\.holeCount))
    largePartCount = labels.count(where: Self.hasLargeSecondPart)
    touchingCounts = Dictionary(labels.flatMap(\.touchedSides).map { ($0, 1) }, uniquingKeysWith: +)
  }

  /// The sides of the image that most labels usually touch because the field of view ends there, for example at both
  /// ends of a stack of short-axis slices.
  static func edges(of cohorts: some Collection<LabelCohort>) -> Set<AnatomicalDirection> {
    let large = cohorts.filter { $0.count >= CohortFlags.minimumCaseCount }
    return Set(
      AnatomicalDirection.allCases.filter { side in
        2 * large.count { $0.usuallyTouches(side) } > large.count
      })
  }

  /// A line for each measure of a label that is unusual; `edges` are the sides that labels usually touch.
  func texts(_ label: CaseMeasures.LabelMeasures, edges: Set<AnatomicalDirection>) -> [String] {
    let name = label.name
    var texts = [volumeText(label)].compactMap(\.self)
    if let other = label.contradiction {
      texts.append(
        "\(name) lies where \(other.name) of the other mask lies (Dice \(decimals(other.dice, 2))), and is not compared with it"
      )
    }
    if let dice, let own = label.dice, dice.deviations(of: own) < -Self.maximumUsualDeviations {
      texts.append(
        "\(name): Dice \(decimals(own, 2)), cohort median \(decimals(dice.median, 2)), "
          + distance(dice.deviations(of: own)))
    }
    texts += [componentText(label), holeText(label), gapText(label)].compactMap(\.self)
    for side in label.touchedSides where !edges.contains(side) && !usuallyTouches(side) {
      texts.append("\(name) touches the image's \(side.borderName) border")
    }
    return texts
  }

  /// Whether the label touches a side of the image in at least half of the cases, in a cohort of sufficient size.
  private func usuallyTouches(_ side: AnatomicalDirection) -> Bool {
    count >= CohortFlags.minimumCaseCount && 2 * (touchingCounts[side] ?? 0) >= count
  }

  private func volumeText(_ label: CaseMeasures.LabelMeasures) -> String? {
    guard let volume else { return nil }
    let deviations = volume.deviations(of: label.millilitres)
    let difference = abs(label.millilitres - volume.median)
    guard abs(deviations) > Self.maximumUsualDeviations,
      difference >= Self.minimumVolumeDifference * volume.median
    else { return nil }
    return
      "\(label.name) \(millilitresText(label.millilitres)), cohort median \(millilitresText(volume.median)), "
      + distance(deviations)
  }

  /// "liver: 2 components, usually 1, the second of 12.3 mL".
  private func componentText(_ label: CaseMeasures.LabelMeasures) -> String? {
    guard let components else { return nil }
    let isSecondLarge =
      components.median < 2 && Self.hasLargeSecondPart(label) && isRare(largePartCount)
    guard isSecondLarge || isOutlier(label.componentCount, components, common: commonComponents) else {
      return nil
    }
    return "\(label.name): \(counted(label.componentCount, "component")), usually \(usual(components))"
      + (isSecondLarge ? ", the second of \(millilitresText(label.secondComponentMillilitres))" : "")
  }

  private func holeText(_ label: CaseMeasures.LabelMeasures) -> String? {
    guard let holes, isOutlier(label.holeCount, holes, common: commonHoles) else { return nil }
    return "\(label.name): \(counted(label.holeCount, "hole")), usually \(usual(holes))"
  }

  /// "liver: 2 axial slices missing inside, usually 0; 1 sagittal slice missing inside, usually 0".
  private func gapText(_ label: CaseMeasures.LabelMeasures) -> String? {
    let parts = AnatomicalPlane.allCases.compactMap { plane -> String? in
      guard let spread = gaps[plane], let number = label.missingSlices[plane],
        isOutlier(number, spread, common: commonGaps[plane] ?? 0)
      else { return nil }
      return "\(counted(number, "\(plane.rawValue) slice")) missing inside, usually \(usual(spread))"
    }
    return parts.isEmpty ? nil : "\(label.name): \(parts.joined(separator: "; "))"
  }

  private func isOutlier(_ number: Int, _ spread: RobustSpread, common: Int) -> Bool {
    number > common && spread.deviations(of: Double(number)) > Self.maximumUsualDeviations
  }

  private func isRare(_ count: Int) -> Bool { Double(count) <= Self.rareFraction * Double(self.count) }

  private static func hasLargeSecondPart(_ label: CaseMeasures.LabelMeasures) -> Bool {
    label.secondComponentMillilitres > 0
      && label.secondComponentMillilitres
        >= CaseMeasures.LabelMeasures.minimumPartFraction * label.millilitres
  }

  /// The largest number that more than ``rareFraction`` of the cohort reaches or exceeds.
  private static func common(_ numbers: [Int]) -> Int {
    let sorted = numbers.sorted(by: >)
    return sorted[min(Int(saturating: rareFraction * Double(sorted.count)), sorted.count - 1)]
  }

  private func usual(_ spread: RobustSpread) -> String {
    decimals(spread.median, spread.median == spread.median.rounded() ? 0 : 1)
  }

  private func distance(_ deviations: Double) -> String {
    "\(decimals(abs(deviations), 1)) robust deviations \(deviations < 0 ? "below" : "above")"
  }
}

/// A volume in millilitres: "2,310 mL", "48.2 mL", "0.35 mL"; of a few voxels with as many decimals as show that it is
/// not 0: "0.0007 mL".
func millilitresText(_ millilitres: Double) -> String {
  var decimalPlaces = millilitres >= 100 ? 0 : millilitres >= 10 ? 1 : 2
  var least = 0.01
  while millilitres > 0, millilitres < least, decimalPlaces < 9 {
    decimalPlaces += 1
    least /= 10
  }
  let text = decimals(millilitres, decimalPlaces)
  let whole = text.prefix { $0 != "." }
  var grouped = ""
  for (index, digit) in whole.reversed().enumerated() {
    if index > 0, index % 3 == 0, digit.isNumber { grouped.append(",") }
    grouped.append(digit)
  }
  return "\(String(grouped.reversed()))\(text.dropFirst(whole.count)) mL"
}

extension AnatomicalDirection {
  /// The name of the border of the image on this side.
  fileprivate var borderName: String {
    switch self {
    case .right: "right"
    case .left: "left"
    case .anterior: "front"
    case .posterior: "back"
    case .superior: "upper"
    case .inferior: "lower"
    }
  }
}
