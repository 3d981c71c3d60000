import Volumes
import Work

/// Something unusual in the masks of a case, as a sentence for its reader.
package struct CohortFlag: Equatable, Sendable {
  package var label: String
  /// "liver 2,310 mL, cohort median 1,480 mL, 6.1 robust deviations above".
  package var text: String

  /// A finding about a label.
  package init(label: String, text: String) {
    self.label = label
    self.text = text
  }
}

/// The outliers of a cohort, case by case and label by label.
///
/// Labels of the same name belong together, as everywhere: capitals, underscores and hyphens do not matter.
package enum CohortFlags {
  /// The fewest cases with a label that make a cohort.
  ///
  /// Of four, one outlier is a quarter and moves the median itself.
  static let minimumCaseCount = 5
  /// The robust deviations beyond which a number is an outlier: the limit of Iglewicz and Hoaglin (1993), which one of
  /// two thousand normally distributed numbers exceeds.
  static let deviationLimit = 3.5
  /// The least deviation of volumes, as a part of their median: repeated segmentations of one organ differ by some
  /// percent.
  static let minimumVolumeFraction = 0.05
  /// The least deviation of counts: one more than usual is no finding, two more are, where cases are alike.
  static let minimumCountDeviation = 0.5
  /// The least deviation of Dice coefficients: a difference of a few hundredths is within what readers differ by.
  static let minimumDiceDeviation = 0.02
  /// The part of the cohort that has a label whose absence is a finding.
  static let usualFraction = 0.8

  /// The flags of each case, in the order of the cases; none for a case without measures.
  /// - Complexity: O(n log n) in labels of all cases.
  package static func flags(of cases: [CaseMeasures?]) -> [[CohortFlag]] {
    var flags = [[CohortFlag]](repeating: [], count: cases.count)
    var order: [String] = []
    var members: [String: [(number: Int, label: CaseMeasures.LabelMeasures)]] = [:]
    for (number, measures) in cases.enumerated() {
      for label in measures?.labels ?? [] where label.millilitres > 0 {
        let key = label.name.nameKey
        if members[key] == nil { order.append(key) }
        members[key, default: []].append((number, label))
      }
    }
    let measured = cases.indices.filter { cases[$0] != nil }
    for key in order {
      let members = members[key] ?? []
      let cohort = Cohort(members.map(\.label))
      for (number, label) in members {
        flags[number] += cohort.texts(label).map { CohortFlag(label: label.name, text: $0) }
      }
      // What nearly all cases have is missed where it is not.
      let present = Set(members.map(\.number))
      if measured.count >= minimumCaseCount, Double(present.count) >= usualFraction * Double(measured.count),
        let name = members.first?.label.name
      {
        for number in measured where !present.contains(number) {
          flags[number].append(
            CohortFlag(
              label: name, text: "no \(name), which \(present.count) of \(measured.count) cases have"))
        }
      }
    }
    return flags
  }

  /// One label in all cases that have it.
  private struct Cohort {
    private let count: Int
    private let volume, components, holes, gaps, dice: RobustSpread?
    private let touchingCounts: [AnatomicalDirection: Int]

    init(_ labels: [CaseMeasures.LabelMeasures]) {
      count = labels.count
      func spread(
        _ numbers: [Double], _ floor: (Double) -> Double
      ) -> RobustSpread? { numbers.count < minimumCaseCount ? nil : RobustSpread(numbers, floor: floor) }
      volume = spread(labels.map(\.millilitres)) { minimumVolumeFraction * $0 }
      components = spread(labels.map { Double($0.componentCount) }) { _ in minimumCountDeviation }
      holes = spread(labels.map { Double($0.holeCount) }) { _ in minimumCountDeviation }
      gaps = spread(labels.map { Double($0.missingSliceCount) }) { _ in minimumCountDeviation }
      dice = spread(labels.compactMap(\.dice)) { _ in minimumDiceDeviation }
      touchingCounts = Dictionary(labels.flatMap(\.touchedSides).map { ($0, 1) }, uniquingKeysWith: +)
    }

    func texts(_ label: CaseMeasures.LabelMeasures) -> [String] {
      var texts: [String] = []
      let name = label.name
      if let volume, abs(volume.deviations(of: label.millilitres)) > deviationLimit {
        texts.append(
          "\(name) \(millilitres(label.millilitres)), cohort median \(millilitres(volume.median)), "
            + distance(volume.deviations(of: label.millilitres)))
      }
      if let other = label.contradiction {
        texts.append(
          "\(name) lies where \(other.name) of the other mask lies (Dice \(decimals(other.dice, 2))), and is not compared with it"
        )
      }
      if let dice, let own = label.dice, dice.deviations(of: own) < -deviationLimit {
        texts.append(
          "\(name): Dice \(decimals(own, 2)), cohort median \(decimals(dice.median, 2)), "
            + distance(dice.deviations(of: own)))
      }
      func count(_ number: Int, _ spread: RobustSpread?, _ one: String, _ several: String) {
        guard let spread, spread.deviations(of: Double(number)) > deviationLimit else { return }
        let usual = decimals(spread.median, spread.median == spread.median.rounded() ? 0 : 1)
        texts.append("\(name): \(counted(number, one, several)), usually \(usual)")
      }
      count(label.componentCount, components, "component", "components")
      count(label.holeCount, holes, "hole", "holes")
      count(label.missingSliceCount, gaps, "slice missing inside", "slices missing inside")
      // In more than half of a cohort it is how the images were taken.
      for side in label.touchedSides
      where self.count < minimumCaseCount || 2 * (touchingCounts[side] ?? 0) <= self.count {
        texts.append("\(name) touches the image's \(side.borderName) border")
      }
      return texts
    }

    private func distance(_ deviations: Double) -> String {
      "\(decimals(abs(deviations), 1)) robust deviations \(deviations < 0 ? "below" : "above")"
    }

    /// "2,310 mL", "48.2 mL", "0.35 mL".
    private func millilitres(_ volume: Double) -> String {
      let text = decimals(volume, volume >= 100 ? 0 : volume >= 10 ? 1 : 2)
      let whole = text.prefix { $0 != "." }
      var grouped = ""
      for (place, digit) in whole.reversed().enumerated() {
        if place > 0, place % 3 == 0, digit.isNumber { grouped.append(",") }
        grouped.append(digit)
      }
      return "\(String(grouped.reversed()))\(text.dropFirst(whole.count)) mL"
    }
  }
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
