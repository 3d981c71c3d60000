import Volumes
import Work

/// Something unusual in the masks of a case, as a sentence for its reader.
package struct CohortFlag: Equatable, Sendable {
  /// The name of the label; empty where it concerns a whole mask.
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
  /// Among four cases, one outlier is a quarter and moves the median.
  static let minimumCaseCount = 5
  /// The part of the cohort that has a label whose absence is a finding.
  static let usualFraction = 0.8
  /// The part of the cohort up to which a label that is there is a finding; one case always is.
  static let unusualFraction = 0.1

  /// The flags of each case, in the order of the cases; none for a case without measures.
  /// - Complexity: O(n log n) in labels of all cases.
  package static func flags(of cases: [CaseMeasures?]) -> [[CohortFlag]] {
    var flags = cases.map { ($0?.misfits ?? []).map { CohortFlag(label: "", text: $0) } }
    var order: [String] = []
    var members: [String: [(number: Int, label: CaseMeasures.LabelMeasures)]] = [:]
    for (number, measures) in cases.enumerated() {
      for label in measures?.labels ?? [] where label.millilitres > 0 {
        let key = label.name.nameKey
        if members[key] == nil { order.append(key) }
        members[key, default: []].append((number, label))
      }
    }
    let cohorts = members.mapValues { LabelCohort($0.map(\.label)) }
    let edges = LabelCohort.edges(of: cohorts.values)
    let measured = cases.indices.filter { cases[$0] != nil }
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

  /// The frequency of a label among the measured cases.
  private enum Presence {
    /// Its absence is a finding, or its presence, or neither.
    case usual, unusual, neither

    init(of count: Int, in measured: Int) {
      let part = Double(count) / Double(max(1, measured))
      if measured < minimumCaseCount {
        self = .neither
      } else if part >= usualFraction {
        self = .usual
      } else {
        self = count == 1 || part <= unusualFraction ? .unusual : .neither
      }
    }
  }
}
