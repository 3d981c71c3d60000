import Volumes
import Work

/// Something unusual in the masks of a case, as a line of text.
package struct CohortFlag: Equatable, Sendable {
  /// The name of the label; empty for a flag of a whole mask.
  package var label: String
  /// "liver 2,310 mL, cohort median 1,480 mL, 6.1 robust deviations above".
  package var text: String

  /// A flag of a label, or of a whole mask where `label` is empty.
  package init(label: String, text: String) {
    self.label = label
    self.text = text
  }
}

/// The outliers of a cohort, case by case and label by label.
///
/// Labels with the same name form one cohort; letter case, underscores and hyphens do not matter.
package enum CohortFlags {
  /// The minimum number of cases with a label for a comparison.
  ///
  /// In four cases, one outlier is a quarter of them and moves the median.
  static let minimumCaseCount = 5
  /// The minimum fraction of cases with a label for which its absence in another case is flagged.
  static let usualFraction = 0.8
  /// The maximum fraction of cases with a label for which its presence is flagged; a label of one case always is.
  static let unusualFraction = 0.1

  /// The flags of each case, in the order of the cases; none for a case without measures.
  /// - Complexity: O(n log n) in labels of all cases.
  package static func flags(of cases: [CaseMeasures?]) -> [[CohortFlag]] {
    var flags = cases.map { measures in
      ([measures?.unreadMask].compactMap(\.self) + (measures?.misfits ?? [])).map {
        CohortFlag(label: "", text: $0)
      }
    }
    var order: [String] = []
    var members: [String: [(number: Int, label: CaseMeasures.LabelMeasures)]] = [:]
    for (number, measures) in cases.enumerated() {
      for label in measures?.labels ?? [] where label.millilitres > 0 {
        let key = label.name.nameKey
        if members[key] == nil { order.append(key) }
        members[key, default: []].append((number, label))
      }
    }
    addOneSided(cases, to: &flags)
    let cohorts = members.mapValues { LabelCohort($0.map(\.label)) }
    let edges = LabelCohort.edges(of: cohorts.values)
    let measured = cases.indices.filter { cases[$0].map { $0.unreadMask == nil } ?? false }
    for key in order {
      guard let members = members[key], let cohort = cohorts[key], let name = members.first?.label.name else {
        continue
      }
      let present = Set(members.map(\.number))
      let presence = Presence(of: present.count, in: measured.count)
      for (number, label) in members {
        if presence == .unusual {
          flags[number].append(
            CohortFlag(
              label: label.name,
              text: "\(label.name), which \(present.count) of \(measured.count) cases "
                + (present.count == 1 ? "has" : "have")))
        }
        flags[number] += cohort.texts(label, edges: edges).map { CohortFlag(label: label.name, text: $0) }
      }
      if presence == .usual {
        for number in measured where !present.contains(number) {
          flags[number].append(
            CohortFlag(
              label: name, text: "no \(name), which \(present.count) of \(measured.count) cases have"))
        }
      }
    }
    return flags
  }

  /// Flags labels that only one of the first two masks of a case has.
  ///
  /// Where that is so in nearly every case of a cohort, the masks are of different structures, and nothing is flagged.
  private static func addOneSided(_ cases: [CaseMeasures?], to flags: inout [[CohortFlag]]) {
    let compared = cases.count { $0?.labels.contains { $0.otherMillilitres != nil } == true }
    var counts: [String: Int] = [:]
    func key(_ label: CaseMeasures.LabelMeasures) -> String? {
      label.onlySide.map { $0 + label.name.nameKey }
    }
    for label in cases.flatMap({ $0?.labels ?? [] }) {
      if let key = key(label) { counts[key, default: 0] += 1 }
    }
    for (number, measures) in cases.enumerated() {
      if let text = measures.flatMap(emptyMask) {
        flags[number].append(CohortFlag(label: "", text: text))
        continue
      }
      for label in measures?.labels ?? [] {
        guard let key = key(label), let side = label.onlySide else { continue }
        let isUsual = Double(counts[key] ?? 0) >= usualFraction * Double(compared)
        if compared >= minimumCaseCount, isUsual { continue }
        let volume = millilitresText(side == "A" ? label.millilitres : label.otherMillilitres ?? 0)
        flags[number].append(
          CohortFlag(label: label.name, text: "\(label.name) is only in \(side), \(volume)"))
      }
    }
  }

  /// A line about a mask without any label beside one with several; nil where there is none.
  private static func emptyMask(_ measures: CaseMeasures) -> String? {
    let sides = measures.labels.map(\.onlySide)
    guard sides.count > 1, let side = sides[0], sides.allSatisfy({ $0 == side }) else { return nil }
    let volume = measures.labels.reduce(0) {
      $0 + (side == "A" ? $1.millilitres : $1.otherMillilitres ?? 0)
    }
    return "\(side == "A" ? "B" : "A") is empty; \(side) has \(counted(sides.count, "label")), "
      + millilitresText(volume)
  }

  /// How frequent a label is among the measured cases.
  private enum Presence {
    /// Its absence is flagged.
    case usual
    /// Its presence is flagged.
    case unusual
    /// Neither is flagged.
    case neither

    init(of count: Int, in measured: Int) {
      let fraction = Double(count) / Double(max(1, measured))
      if measured < minimumCaseCount {
        self = .neither
      } else if fraction >= usualFraction {
        self = .usual
      } else {
        self = count == 1 || fraction <= unusualFraction ? .unusual : .neither
      }
    }
  }
}
