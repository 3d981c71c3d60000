import Screen
import Volumes
import Work

extension Action {
  /// Steps through differences and islands, and to the ends of a label.
  package enum FindingStep: ActionGroup {
    case next(Int), toggleTarget, labelEnd(isLast: Bool)

    static let bindings: [KeyBinding] = [
      KeyTable.bind(
        .picture, ["n"], .finding(.next(1)),
        "next place where A and B differ, or next island; the largest first",
        bar: "differing", barKeys: ["n", "N"], rank: 4),
      KeyTable.bind(.picture, ["N"], .finding(.next(-1)), "the one before"),
      KeyTable.bind(
        .picture, ["I"], .finding(.toggleTarget),
        "n and N go through the islands of the selected label, or through differences again"),
      KeyTable.bind(
        .picture, ["^"], .finding(.labelEnd(isLast: false)),
        "first slice of the selected label in the active plane"),
      KeyTable.bind(.picture, ["$"], .finding(.labelEnd(isLast: true)), "its last slice"),
    ]
  }
}

extension ReviewState {
  /// Carries out a step to what matters.
  mutating func find(_ step: Action.FindingStep) {
    switch step {
    case .next(let count): findingTarget == .disagreements ? goToDisagreement(count) : goToIsland(count)
    case .toggleTarget: toggleFindingTarget()
    case .labelEnd(let isLast): goToLabelEnd(isLast: isLast)
    }
  }

  // MARK: - Differences

  /// Counts the slices of the versions and finds where they differ, unless they are known or being computed.
  ///
  /// With two versions their comparison must be known.
  mutating func findIfNeeded() -> [ReviewEffect] {
    guard let a = decisions.a.flatMap({ version($0) }) else {
      findings = nil
      return cancel(.findings)
    }
    let b = decisions.b.flatMap { version($0) }.flatMap { $0.id == a.id ? nil : $0 }
    let pairs = b == nil ? a.table.labels.map { LabelPair($0, nil) } : comparedPairs
    let request = FindingsRequest(a, b, pairs)
    if findings?.request == request || running(FindingsJob.self)?.request == request { return [] }
    findings = nil
    return [start(FindingsJob(request: request))]
  }

  private mutating func goToDisagreement(_ count: Int) {
    guard decisions.a != nil, decisions.b != nil, decisions.a != decisions.b else {
      message = Message(
        decisions.a == nil
          ? "no version to compare: open masks, or run a network (m)"
          : "there is one version, which differs from nothing; I goes through the islands of a label",
        .warning)
      return
    }
    guard let findings else {
      message = Message("still looking for where A and B differ")
      return
    }
    guard let list = findings.disagreements else {
      message = Message(findings.failure ?? "A and B cannot be compared", .error)
      return
    }
    guard !list.entries.isEmpty else {
      message = Message("A and B agree about every voxel of the labels that both know")
      return
    }
    let position = ReviewState.position(disagreementPosition, after: count, of: list.entries.count)
    disagreementPosition = position
    let entry = list.entries[position]
    let place = go(to: entry)
    message = Message(
      "\(position + 1) of \(list.count), \(volumeText(entry.voxelCount)), \(place), \(findings.kind(of: entry))"
    )
  }

  /// The position `count` further in a list, round and round; the first or last one from nowhere.
  private static func position(_ position: Int?, after count: Int, of all: Int) -> Int {
    guard let position else { return count < 0 ? all - 1 : 0 }
    return ((min(position, all - 1) + count) % all + all) % all
  }

  /// Puts the crosshair onto a component, in its largest slice of the active plane.
  /// - Returns: "axial 61".
  private mutating func go(to entry: ComponentList.Entry) -> String {
    let axis = geometry(view.activePlane).sliceAxis
    moveCrosshair(to: entry.centre(across: axis))
    if view.zoom > 1 { view.centre = continuous(view.crosshair) }
    return "\(view.activePlane.rawValue) \(view.crosshair[axis])"
  }

  /// "12.4 mL", and for what is too small for that the number of voxels.
  func volumeText(_ voxelCount: Int) -> String {
    let millilitres = Double(voxelCount) * grid.voxelVolume / 1000
    if millilitres >= 0.95 { return decimals(millilitres, 1) + " mL" }
    return millilitres >= 0.0095 ? decimals(millilitres, 2) + " mL" : counted(voxelCount, "voxel")
  }

  // MARK: - Islands

  private mutating func toggleFindingTarget() {
    guard findingTarget == .disagreements else {
      findingTarget = .disagreements
      message = Message("n and N go through where A and B differ")
      return
    }
    guard let (version, label) = labelToChange() else {
      message = Message("no label to go through: open a mask, or run a network (m)", .warning)
      return
    }
    findingTarget = .islands
    message = Message(
      "n and N go through the islands of \(label.name) in \(version.name); I goes back to differences")
  }

  /// Finds the components of the selected label where something goes through them, unless they are known or being
  /// sought.
  mutating func followIslands() -> [ReviewEffect] {
    guard phase == .reviewing, findingTarget == .islands || focus == .components, let shown = shownVersion,
      let key = selectedLabel, let label = shown.label(key)
    else { return [] }
    let otherID = decisions.a == shown.id ? decisions.b : decisions.a
    let other = otherID.flatMap { version($0) }.flatMap { $0.id == shown.id ? nil : $0 }
    let request = IslandsRequest(
      labels: shown.labels, value: label.value, other: other?.labels, otherValue: other?.label(key)?.value)
    if islands?.request == request || running(IslandsJob.self)?.request == request { return [] }
    islands = nil
    markedComponents = []
    // After an edit the pointer stays where it was.
    if islandsLabel != key { islandPosition = nil }
    islandsLabel = key
    return [start(IslandsJob(request: request))]
  }

  /// Stores the components of a label.
  mutating func receiveIslands(_ found: Islands) {
    islands = found
    let count = found.list?.entries.count ?? 0
    islandPosition = islandPosition.flatMap { count == 0 ? nil : min($0, count - 1) }
    if focus == .components, islandPosition == nil, count > 0 { islandPosition = 0 }
  }

  /// Goes `count` components further in the list of the selected label, round and round; 0 goes to the present one.
  mutating func goToIsland(_ count: Int) {
    guard let version = shownVersion, let label = version.label(selectedLabel) else {
      message = Message(
        "the version shown does not have the selected label; , and . select another", .warning)
      return
    }
    guard let islands else {
      message = Message("still looking for the islands of \(label.name)")
      return
    }
    guard let list = islands.list else {
      message = Message(islands.failure ?? "the islands are not known", .error)
      return
    }
    guard !list.entries.isEmpty else {
      message = Message("\(label.name) has no voxel in this version", .warning)
      return
    }
    goToIsland(at: ReviewState.position(islandPosition, after: count, of: list.entries.count))
  }

  /// Goes to a component of the list, which must have it.
  mutating func goToIsland(at position: Int) {
    guard let list = islands?.list, let label = shownVersion?.label(selectedLabel) else { return }
    islandPosition = position
    let entry = list.entries[position]
    let place = go(to: entry)
    message = Message(
      "island \(position + 1) of \(list.count) of \(label.name), \(volumeText(entry.voxelCount)), \(place)")
  }

  // MARK: - Slices

  /// Goes to the first or the last slice of the selected label in the active plane.
  private mutating func goToLabelEnd(isLast: Bool) {
    guard let (version, label) = labelToChange(), let box = version.statistics(of: label.value)?.bounds else {
      message = Message("the version shown has no voxel of a selected label", .warning)
      return
    }
    let geometry = geometry(view.activePlane)
    let axis = geometry.sliceAxis
    var slice = box
    let position = isLast == (geometry.sliceSign > 0) ? box.upper[axis] : box.lower[axis]
    slice.lower[axis] = position
    slice.upper[axis] = position
    guard let voxel = version.labels.centre(of: label.value, in: slice, across: axis) else { return }
    moveCrosshair(to: voxel)
    if view.zoom > 1 { view.centre = continuous(view.crosshair) }
    message = Message(
      "\(isLast ? "last" : "first") \(view.activePlane.rawValue) slice of \(label.name): \(position) of "
        + "\(box.lower[axis])-\(box.upper[axis])")
  }

  // MARK: - Strips

  /// Shows strips or not, and says what they mean.
  mutating func toggleStrips() {
    view.showsStrips.toggle()
    guard view.showsStrips else { return message = Message("strips off") }
    let isWide = layout.panes.contains { !$0.strip.isEmpty }
    message =
      decisions.a == nil
      ? Message("strips on: they come with the first mask")
      : isWide
        ? Message("strips of all slices: area in A, area in B, and the fuller the last block the lower Dice")
        : Message("strips need panes of \(ScreenLayout.stripMinimumColumns) columns", .warning)
  }
}
