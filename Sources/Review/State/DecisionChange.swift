import Volumes

/// The change of decisions in one step: each value before and after, so that it can be undone.
///
/// It contains neither the side that is shown, which is not a decision, nor new versions, which undo never removes.
package struct DecisionChange: Equatable, Sendable {
  /// A value before and after the change.
  struct Values<Value: Equatable & Sendable>: Equatable, Sendable {
    var before, after: Value

    /// nil where nothing changed.
    init?(_ before: Value, _ after: Value) {
      guard before != after else { return nil }
      (self.before, self.after) = (before, after)
    }

    mutating func invert() { (before, after) = (after, before) }
  }

  /// A label of a family of versions that got another name or colour.
  package struct Relabelling: Equatable, Sendable, Codable {
    package var family: VersionID
    /// The label before and after.
    package var before, after: Label
  }

  /// A label of a family of versions.
  struct OwnedLabel: Hashable, Sendable {
    var family: VersionID
    var value: UInt16
  }

  private var a, b: Values<VersionID?>?
  private var pairings: Values<[LabelPairing]>?
  private var hiddenLabels: Values<Set<String>>?
  private var soloLabel: Values<String?>?
  private var knobs: Values<KnobSettings>?
  private var verdicts: Values<Verdicts>?
  /// The changes of names and colours of labels.
  private var labels: [OwnedLabel: Values<Label>] = [:]
  /// The changes of voxels of versions.
  private var voxels: [VersionID: LabelChange] = [:]

  init() {}

  /// The change from `old` to `new`.
  package init(from old: Decisions, to new: Decisions) {
    a = Values(old.a, new.a)
    b = Values(old.b, new.b)
    pairings = Values(old.pairings, new.pairings)
    hiddenLabels = Values(old.hiddenLabels, new.hiddenLabels)
    soloLabel = Values(old.soloLabel, new.soloLabel)
    knobs = Values(old.knobs, new.knobs)
    verdicts = Values(old.verdicts, new.verdicts)
    let known = Dictionary(old.versions.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    for version in new.versions {
      guard let earlier = known[version.id] else { continue }
      if earlier.labels != version.labels {
        voxels[version.id] = LabelChange(from: earlier.labels, to: version.labels)
      }
      guard earlier.ownTable != version.ownTable else { continue }
      for label in version.ownTable.labels {
        guard let before = earlier.ownTable[label.value] else { continue }
        let owner = OwnedLabel(family: version.family, value: label.value)
        if let values = Values(before, label) { labels[owner] = values }
      }
    }
  }

  /// The versions that become A or B.
  var compared: [VersionID] { [a?.after ?? nil, b?.after ?? nil].compactMap(\.self) }

  /// Adds a change of a version's voxels.
  mutating func add(_ change: LabelChange, of version: VersionID) { voxels[version] = change }

  /// The changes of voxels of versions, ascending by version: more than one only in a step that returns over several.
  var edits: [(version: VersionID, change: LabelChange)] {
    voxels.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  /// Labels that get another name or colour.
  var relabellings: [Relabelling] {
    labels.map { Relabelling(family: $0.family, before: $1.before, after: $1.after) }
      .sorted { ($0.family, $0.before.value) < ($1.family, $1.before.value) }
  }

  /// Adds another name or colour of a label.
  mutating func add(_ relabelling: Relabelling) {
    labels[OwnedLabel(family: relabelling.family, value: relabelling.before.value)] =
      Values(relabelling.before, relabelling.after)
  }

  var isEmpty: Bool { self == DecisionChange() }

  /// The memory of the changes of voxels, in bytes.
  var byteCount: Int { voxels.values.reduce(0) { $0 + $1.byteCount } }

  /// The change back to the values before.
  package var inverse: DecisionChange {
    var inverse = self
    inverse.a?.invert()
    inverse.b?.invert()
    inverse.pairings?.invert()
    inverse.hiddenLabels?.invert()
    inverse.soloLabel?.invert()
    inverse.knobs?.invert()
    inverse.verdicts?.invert()
    inverse.labels = labels.mapValues {
      var values = $0
      values.invert()
      return values
    }
    inverse.voxels = voxels.mapValues(\.inverse)
    return inverse
  }

  /// Applies the change to decisions that equal the old ones.
  package func apply(to decisions: inout Decisions) {
    if let a { decisions.a = a.after }
    if let b { decisions.b = b.after }
    if let pairings { decisions.pairings = pairings.after }
    if let hiddenLabels { decisions.hiddenLabels = hiddenLabels.after }
    if let soloLabel { decisions.soloLabel = soloLabel.after }
    if let knobs { decisions.knobs = knobs.after }
    if let verdicts { decisions.verdicts = verdicts.after }
    guard !labels.isEmpty || !voxels.isEmpty else { return }
    for position in decisions.versions.indices {
      let version = decisions.versions[position]
      // All versions of a family share names, also later ones.
      for (owner, values) in labels
      where owner.family == version.family && version.ownTable[owner.value] != nil {
        decisions.versions[position].change(owner.value) { $0 = values.after }
      }
      if let change = voxels[version.id] { decisions.versions[position].apply(change) }
    }
  }
}
