import Volumes
import Work

/// Names one version within a session; later versions have larger numbers.
package struct VersionID: Hashable, Sendable, Comparable {
  /// From 1.
  package var number: Int

  /// The id.
  package init(_ number: Int) { self.number = number }

  /// Older first.
  package static func < (one: VersionID, other: VersionID) -> Bool { one.number < other.number }
}

/// One segmentation of a case: a loaded mask, a network's result or a refinement.
///
/// No version replaces another.
package struct Version: Equatable, Sendable {
  /// Where a version comes from.
  package enum Origin: Equatable, Sendable {
    /// Opened from this file.
    case mask(path: String)
    /// Made by this model.
    case network(modelID: String, modelName: String)
    /// The fully connected CRF on an earlier version.
    case refinement(of: VersionID, settings: RefinementSettings, maskConfidence: Double?)
  }

  /// Its id.
  package var id: VersionID
  /// What the versions list calls it: "liver network", "CRF 1".
  package var name: String
  /// Where it comes from.
  package var origin: Origin
  /// The labels on the image's grid.
  package var labels: LabelVolume
  /// Every value in ``labels`` is named here; values that vanished keep their names.
  package var table: LabelTable
  /// How much there is of each label and where, ascending by value; labels without a voxel are not among them.
  package var statistics: [LabelStatistics]
  /// The class probabilities that the CRF starts from; nil for a loaded mask, which gives its own.
  package var probabilities: ProbabilitiesHandle?
  /// Auxiliary heads that ``probabilities`` holds beside the main one.
  package var auxiliaryHeadCount: Int
  /// What the model's makers advise for the CRF.
  package var advisedSettings: RefinementSettings?
  /// Labels that vanished or changed beyond reason, one line each.
  package var warnings: [String]

  /// A version.
  package init(
    id: VersionID, name: String, origin: Origin, labels: LabelVolume, table: LabelTable,
    statistics: [LabelStatistics], probabilities: ProbabilitiesHandle? = nil, auxiliaryHeadCount: Int = 0,
    advisedSettings: RefinementSettings? = nil, warnings: [String] = []
  ) {
    self.id = id
    self.name = name
    self.origin = origin
    self.labels = labels
    self.table = table.completed(for: statistics.map(\.label))
    self.statistics = statistics
    self.probabilities = probabilities
    self.auxiliaryHeadCount = auxiliaryHeadCount
    self.advisedSettings = advisedSettings
    self.warnings = warnings
  }

  /// Volume of a label in millilitres.
  package func millilitres(of value: UInt16) -> Double {
    statistics(of: value)?.millilitres ?? 0
  }

  /// What is known of a label; nil when no voxel has it.
  package func statistics(of value: UInt16) -> LabelStatistics? {
    statistics.ascending(value, by: \.label)
  }
}

extension Version {
  /// Lines for labels that a refinement removed, or whose volume it more than doubled or halved.
  ///
  /// A label that the base lacks has nothing to lose; one that appears from nothing is reported.
  static func warnings(from base: Version, to new: [LabelStatistics]) -> [String] {
    base.table.completed(for: new.map(\.label)).labels.compactMap { label in
      let before = base.statistics(of: label.value)?.voxelCount ?? 0
      let after = new.ascending(label.value, by: \.label)?.voxelCount ?? 0
      let name = cleaned(label.name)
      if before > 0, after == 0 { return "\(name) vanished" }
      if before == 0, after > 0 { return "\(name) appeared" }
      guard before > 0 else { return nil }
      let ratio = Double(after) / Double(before)
      if ratio > 2 { return "\(name) grew \(decimals(ratio, 1))-fold" }
      if ratio < 0.5 { return "\(name) shrank to \(Int(saturating: (ratio * 100).rounded()))%" }
      return nil
    }
  }
}
