import Volumes
import Work
import Worklist

/// The identity of a version within a session; later versions have larger numbers.
package struct VersionID: Hashable, Sendable, Comparable {
  /// The number, from 1.
  package var number: Int

  package init(_ number: Int) { self.number = number }

  /// Older first.
  package static func < (one: VersionID, other: VersionID) -> Bool { one.number < other.number }
}

/// One segmentation of a case: a loaded mask, a network's result or a refinement.
///
/// No version replaces another.
package struct Version: Equatable, Sendable {
  /// The origin of a version.
  package enum Origin: Equatable, Sendable, Codable {
    /// Opened from this file.
    case mask(path: String)
    /// Predicted by this model.
    case network(modelID: String, modelName: String)
    /// The fully connected CRF on an earlier version.
    case refinement(of: VersionID, settings: RefinementSettings, maskConfidence: Double?)
    /// An earlier version that was edited by hand.
    case edit(of: VersionID)

    /// The version that it was derived from; nil for masks and networks.
    package var base: VersionID? {
      switch self {
      case .mask, .network: nil
      case .refinement(let base, _, _), .edit(let base): base
      }
    }
  }

  package var id: VersionID
  /// The name in the list of versions: "liver network", "CRF 1".
  package var name: String
  package var origin: Origin
  /// The labels on the image's grid.
  package private(set) var labels: ChunkedLabels
  /// The components of ``labels``.
  package private(set) var components: LabelComponents
  /// The oldest version with the same label values and names: this version itself, or the one that it was derived from.
  package var family: VersionID
  /// The label of every value in ``labels``; values that no voxel has any more keep their entry.
  ///
  /// Colours are those of the structures: one structure has one colour in every version.
  package private(set) var table: LabelTable
  /// The labels of ``table`` with the colours of their own file or model.
  package private(set) var ownTable: LabelTable
  /// The labels as they were when the version was made: a mask's as its file has them.
  let tableAsRead: LabelTable
  /// The key of each label of ``table`` for visibility, selection and comparison: equal for labels of different
  /// versions that are one structure.
  private var keys: [String]
  /// The labels of ``table`` by descending size, equal sizes by ascending value.
  package var labelsBySize: [Label] { positionsBySize.map { table.labels[$0] } }
  private var positionsBySize: [Int] = []
  /// The fingerprint of the labels, which the worklist's records store for an accepted version.
  ///
  /// It is computed when labels change, because decisions are compared with the records after every key.
  package private(set) var fingerprint = ""
  /// Volume and position of each label with a voxel, ascending by value.
  package var statistics: [LabelStatistics] { components.statistics }
  /// The class probabilities that the CRF starts from; nil for a loaded mask, for which they follow from its labels.
  package var probabilities: ProbabilitiesHandle?
  /// Auxiliary heads that ``probabilities`` holds beside the main one.
  package var auxiliaryHeadCount: Int
  /// The CRF settings stored in the model file.
  package var advisedSettings: RefinementSettings?
  /// One line for each label that vanished, or whose volume more than doubled or halved.
  package var warnings: [String]
  /// The frame of the image that network or CRF read, counted from 0.
  package var frame: Int

  package init(
    id: VersionID, name: String, origin: Origin, labels: ChunkedLabels, table: LabelTable,
    components: LabelComponents, family: VersionID? = nil, probabilities: ProbabilitiesHandle? = nil,
    auxiliaryHeadCount: Int = 0, advisedSettings: RefinementSettings? = nil, warnings: [String] = [],
    frame: Int = 0
  ) {
    self.frame = frame
    self.id = id
    self.family = family ?? id
    self.name = name
    self.origin = origin
    self.labels = labels
    self.components = components
    ownTable = table.completed(for: components.statistics.map(\.label)).withDistinctNames
    tableAsRead = ownTable
    self.table = ownTable
    keys = ownTable.labels.map(\.nameKey)
    self.probabilities = probabilities
    self.auxiliaryHeadCount = auxiliaryHeadCount
    self.advisedSettings = advisedSettings
    self.warnings = warnings
    summariseLabels()
  }

  /// Sorts the labels by size and computes the fingerprint.
  private mutating func summariseLabels() {
    var voxelCounts = [Int](repeating: 0, count: ownTable.labels.count)
    for part in statistics {
      if let position = ownTable.position(of: part.label) { voxelCounts[position] = part.voxelCount }
    }
    positionsBySize = ownTable.labels.indices.sorted { (-voxelCounts[$0], $0) < (-voxelCounts[$1], $1) }
    fingerprint = CaseDecision.Version.fingerprint(
      of: statistics.map {
        CaseDecision.Version.LabelExtent(
          value: labels.coding.value(of: $0.label), voxelCount: $0.voxelCount, bounds: $0.bounds)
      })
  }

  /// Replaces the labels and their components.
  ///
  /// ``table`` must name every label.
  mutating func replaceLabels(_ labels: ChunkedLabels, _ components: LabelComponents) {
    (self.labels, self.components) = (labels, components)
    summariseLabels()
  }

  /// Applies a change of voxels.
  ///
  /// ``table`` must name every new label.
  mutating func apply(_ change: LabelChange) {
    labels = labels.applying(change)
    components.apply(change, labels: labels)
    summariseLabels()
  }

  /// Whether `other` has the same voxels, names and colours.
  func isWritten(like other: Version) -> Bool { labels == other.labels && ownTable == other.ownTable }

  /// Volume of a label in millilitres.
  package func millilitres(of value: UInt16) -> Double {
    statistics(of: value)?.millilitres ?? 0
  }

  /// The statistics of a label; nil where no voxel has it.
  /// - Complexity: O(log n).
  package func statistics(of value: UInt16) -> LabelStatistics? {
    statistics.ascending(value, by: \.label)
  }

  /// The key of a label for visibility, selection and comparison.
  package func key(of label: Label) -> String {
    table.position(of: label.value).map { keys[$0] } ?? label.nameKey
  }

  /// The label with this key; nil for none.
  package func label(_ key: String?) -> Label? { position(key).map { table.labels[$0] } }

  /// The position in ``table`` of the label with this key; nil for none.
  package func position(_ key: String?) -> Int? { key.flatMap { keys.firstIndex(of: $0) } }

  /// Every label with its key, ascending by value.
  package var keyedLabels: Zip2Sequence<[Label], [String]> { zip(table.labels, keys) }

  /// Changes a label's own name or colour; afterwards ``Decisions/identifyStructures(automatic:)`` must be called.
  mutating func change(_ value: UInt16, _ change: (inout Label) -> Void) { ownTable.change(value, change) }

  /// Sets keys and colours of structures; a label of an unknown structure keeps its own.
  ///
  /// - Parameter renamed: Called with each key that changes.
  mutating func identify(
    _ identity: (UInt16) -> (key: String, colour: RGBColour)?, renamed: (_ old: String, _ new: String) -> Void
  ) {
    table = ownTable
    for (position, label) in ownTable.labels.enumerated() {
      let found = identity(label.value)
      let key = found?.key ?? label.nameKey
      if key != keys[position] { renamed(keys[position], key) }
      keys[position] = key
      if let found, found.colour != label.colour {
        table.change(label.value) { $0.colour = found.colour }
      }
    }
  }
}

extension Version {
  /// Lines for labels that a refinement removed, or whose volume it more than doubled or halved.
  ///
  /// A label that the base lacks cannot vanish or shrink, but its appearance is reported.
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
