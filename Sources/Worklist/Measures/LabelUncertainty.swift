import Foundation
import Metrics
import Work

/// How uncertain a network was about one label of a case.
package struct LabelUncertainty: Equatable, Sendable, Codable {
  /// The name of the label; "label 6" where it has none.
  package var label: String
  /// The network; empty where a file of probabilities does not say.
  package var network: String
  /// The number of its classes, background among them.
  package var classCount: Int
  /// The mean entropies in the voxels where the label is the most probable one.
  package var entropy: ClassEntropy

  /// The uncertainty about a label; a network has two classes at least.
  package init(label: String, network: String, classCount: Int, entropy: ClassEntropy) {
    self.label = label
    self.network = network
    self.classCount = classCount
    self.entropy = entropy
  }

  /// The uncertainties about the labels of a network.
  /// - Parameters:
  ///   - means: The entropies by class; classes that are nowhere the most probable one are missing.
  ///   - names: The name of each class, background first.
  package static func all(
    _ means: [Int: ClassEntropy], network: String, names: [String]
  ) -> [LabelUncertainty] {
    means.sorted { $0.key < $1.key }.map { index, entropy in
      LabelUncertainty(
        label: names.indices.contains(index) ? names[index] : "label \(index)", network: network,
        classCount: names.count, entropy: entropy)
    }
  }

  /// Whether a name means this label.
  package func isCalled(_ text: String) -> Bool { label.nameKey == text.nameKey }

  /// The limit without a cohort: the entropy of a voxel with probabilities of 0.95 and 0.05 for two of the classes.
  package var limitWithoutCohort: Double {
    -(0.95 * log(0.95) + 0.05 * log(0.05)) / log(Double(max(2, classCount)))
  }
}

extension [LabelUncertainty] {
  /// These with others, which replace all those of the same network.
  package func merged(with later: [LabelUncertainty]) -> [LabelUncertainty] {
    let networks = Set(later.map(\.network))
    return filter { !networks.contains($0.network) } + later
  }

  /// These with the names that the masks of the case give to labels that probabilities only number.
  package func named(by measures: CaseMeasures?) -> [LabelUncertainty] {
    measures.map { named($0.labels.map { ($0.value, $0.name) }) } ?? self
  }

  /// These with names of labels by their values in the file, of which the first of each counts, in place of numbers.
  package func named(_ labels: [(value: Int, name: String)]) -> [LabelUncertainty] {
    let names = Dictionary(
      labels.map { ("label \($0.value)", $0.name) }, uniquingKeysWith: { first, _ in first })
    return map { uncertainty in
      var named = uncertainty
      named.label = names[uncertainty.label] ?? uncertainty.label
      return named
    }
  }
}

/// The uncertainty of one network about one label in all cases where it found it.
struct UncertaintyCohort {
  /// The minimum deviation of mean entropies: smaller differences are noise of the images.
  private static let minimumDeviation = 0.02

  private let nearBorder, inside: RobustSpread?

  /// The cohort of at least one case.
  init(_ uncertainties: [LabelUncertainty]) {
    func spread(_ means: [Double]) -> RobustSpread? {
      means.count < CohortFlags.minimumCaseCount
        ? nil : RobustSpread(means) { _ in UncertaintyCohort.minimumDeviation }
    }
    nearBorder = spread(uncertainties.compactMap(\.entropy.nearBorder))
    inside = spread(uncertainties.compactMap(\.entropy.inside))
  }

  /// What is unusual about a case: entropies far above those of the cohort, or without a cohort one above the limit for
  /// a case alone.
  func texts(_ uncertainty: LabelUncertainty) -> [String] {
    var texts: [String] = []
    if let own = uncertainty.entropy.inside {
      if let inside {
        texts += [text(uncertainty, "inside", own, inside)].compactMap(\.self)
      } else if own > uncertainty.limitWithoutCohort {
        texts.append(
          "\(uncertainty.label): \(subject(uncertainty)) is uncertain inside, entropy \(decimals(own, 2)) of 1, above "
            + "\(decimals(uncertainty.limitWithoutCohort, 2)), that of probabilities 0.95 and 0.05")
      }
    }
    if let own = uncertainty.entropy.nearBorder, let nearBorder {
      texts += [text(uncertainty, "near the border", own, nearBorder)].compactMap(\.self)
    }
    return texts
  }

  private func text(
    _ uncertainty: LabelUncertainty, _ part: String, _ own: Double, _ spread: RobustSpread
  ) -> String? {
    let deviations = spread.deviations(of: own)
    guard deviations > LabelCohort.maximumUsualDeviations else { return nil }
    return
      "\(uncertainty.label): \(subject(uncertainty)) is uncertain \(part), entropy \(decimals(own, 2)) of 1, "
      + "cohort median \(decimals(spread.median, 2)), \(decimals(deviations, 1)) robust deviations above"
  }

  private func subject(_ uncertainty: LabelUncertainty) -> String {
    uncertainty.network.isEmpty ? "the network" : uncertainty.network
  }
}

extension CohortFlags {
  /// The flags of each case, in the order of the cases: those of its masks, then those of networks.
  /// - Parameter uncertainties: Those of each case.
  package static func flags(
    of cases: [CaseMeasures?], and uncertainties: [[LabelUncertainty]]
  ) -> [[CohortFlag]] {
    zip(flags(of: cases), flags(of: uncertainties)).map { $0 + $1 }
  }

  /// The flags about the uncertainty of networks, in the order of the cases.
  ///
  /// A case is compared with those whose network and label have the same names.
  /// - Complexity: O(n log n) in labels of all cases.
  package static func flags(of cases: [[LabelUncertainty]]) -> [[CohortFlag]] {
    func key(_ uncertainty: LabelUncertainty) -> [String] {
      [uncertainty.network.nameKey, uncertainty.label.nameKey]
    }
    let cohorts = Dictionary(grouping: cases.joined(), by: key).mapValues { UncertaintyCohort($0) }
    return cases.map { uncertainties in
      uncertainties.flatMap { uncertainty in
        (cohorts[key(uncertainty)]?.texts(uncertainty) ?? []).map {
          CohortFlag(label: uncertainty.label, text: $0)
        }
      }
    }
  }
}
