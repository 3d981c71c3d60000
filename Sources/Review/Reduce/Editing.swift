import Volumes

extension ReviewState {
  /// Changes the labels of voxels of the shown version as a step that can be undone.
  ///
  /// The acceptance of the version is withdrawn.
  ///
  /// A version that was loaded or computed never changes: its first edit creates a copy, which shares all unchanged
  /// chunks of voxels with it, and further edits change that copy.
  ///
  /// - Parameters:
  ///   - name: The name of the step: "paint spleen".
  ///   - box: A box that holds every voxel that may change.
  ///   - label: Gives the new label of a voxel from its index and its present label: a label of the version, or 0.
  mutating func edit(
    _ name: String, in box: VoxelBounds, _ label: (VoxelIndex, UInt16) -> UInt16
  ) -> [ReviewEffect] {
    edit(name) { $0.setting(in: box, label) }
  }

  /// Changes the labels of the shown version to the result of `changed` as a step that can be undone.
  mutating func edit(_ name: String, _ changed: (ChunkedLabels) -> ChunkedLabels) -> [ReviewEffect] {
    guard let shown = shownVersion else {
      message = Message("no version to change: open a mask, or run a network (m)", .warning)
      return []
    }
    if let live = shownLive, live.whole?.part.labels != shown.labels {
      message = Message("the shown refinement is not a version yet: Enter keeps it as one", .warning)
      return []
    }
    guard let change = LabelChange(from: shown.labels, to: changed(shown.labels)) else {
      message = Message("nothing changes: the label is there already")
      return []
    }
    guard case .edit = shown.origin else {
      return add(edited(shown, by: change), comparedWith: shown.id, as: name)
    }
    let before = decisions
    var after = before
    if after.verdicts.accepted == shown.id { after.verdicts.accepted = nil }
    let wasAccepted = after.verdicts != before.verdicts
    var step = DecisionChange(from: before, to: after)
    step.add(change, of: shown.id)
    step.apply(to: &decisions)
    history.record(name, step, from: before)
    forget(what: shown.id)
    message = Message(
      "\(name) in \(cleaned(shown.name))" + (wasAccepted ? ", which is no longer accepted" : ""))
    return compareIfNeeded()
  }

  private mutating func edited(_ version: Version, by change: LabelChange) -> Version {
    var edited = version
    edited.id = makeVersionID()
    edited.name = uniqueName(version.name + " edited")
    edited.origin = .edit(of: version.id)
    // A network's probabilities do not contain manual edits.
    (edited.probabilities, edited.auxiliaryHeadCount) = (nil, 0)
    edited.warnings = []
    edited.apply(change)
    return edited
  }

  /// Discards results that were computed from a version's previous voxels.
  mutating func forget(what id: VersionID) {
    if let counted = comparison, counted.a == id || counted.b == id { comparison = nil }
    if measures?.version == id { measures = nil }
    if live?.base == id { live = LiveRefinement(base: id) }
  }

  /// Gives the voxel at the crosshair a label of the shown version, by name or value; 0 or "background" clears it.
  mutating func paint(_ text: String) -> [ReviewEffect] {
    guard let shown = shownVersion else { return edit("paint", in: VoxelBounds(grid.size)) { $1 } }
    // The value in the file, which may differ from the voxel's code.
    let value = Int(text)
    let label: Label?
    if value == 0 || value == nil && text.nameKey == "background" {
      label = nil
    } else if let found = shown.table.labels.first(where: { label in
      value.map { $0 == shown.labels.coding.value(of: label.value) } ?? (label.nameKey == text.nameKey)
    }) ?? shown.table.labels.first(where: { $0.isUnnamed && value == Int($0.value) }) {
      // A typed 1 also matches a label that is called "label 1", even if its value in the file is another.
      label = found
    } else {
      message = Message("paint: \(cleaned(shown.name)) has no label \"\(cleaned(text))\"", .error)
      return []
    }
    let voxel = VoxelBounds(lower: view.crosshair, upper: view.crosshair)
    return edit("paint \(label.map { cleaned($0.name) } ?? "background")", in: voxel) { _, _ in
      label?.value ?? 0
    }
  }
}
