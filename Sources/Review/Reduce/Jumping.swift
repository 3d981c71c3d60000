import Screen
import Volumes
import Work

extension Action {
  /// Jumps of the crosshair to differences, islands, the first and last slice of a label, the furthest border points
  /// and uncertain slices.
  package enum JumpStep: ActionGroup {
    case next(Int), toggleTarget, labelEnd(isLast: Bool), furthest(Int), uncertainSlice

    static let bindings: [KeyBinding] = [
      KeyTable.bind(
        .picture, ["n"], .jump(.next(1)),
        "next difference of A and B, or next island; the largest first",
        bar: "differing", barKeys: ["n", "N"], rank: 4),
      KeyTable.bind(.picture, ["N"], .jump(.next(-1)), "the one before"),
      KeyTable.bind(
        .picture, ["I"], .jump(.toggleTarget),
        "n and N go through the islands of the selected label, or through differences again"),
      KeyTable.bind(
        .picture, [";"], .jump(.furthest(1)),
        "the border point where A and B are furthest apart, then that of the next label; the worst label first"
      ),
      KeyTable.bind(
        .picture, ["^"], .jump(.labelEnd(isLast: false)),
        "first slice of the selected label in the active plane"),
      KeyTable.bind(.picture, ["$"], .jump(.labelEnd(isLast: true)), "its last slice"),
      KeyTable.bind(
        .picture, ["!"], .jump(.uncertainSlice),
        "the slice of the active plane whose probabilities are most uncertain, then the next"),
    ]

    /// The key that jumps to the selected label's furthest point in the table of borders.
    static let borderTableBindings: [KeyBinding] = [
      KeyTable.bind(
        .section(SurfaceSection().id), [.enter], .jump(.furthest(0)), "go to the furthest point again",
        bar: "go to")
    ]
  }
}

extension ReviewState {
  /// Moves the crosshair to the next place of the kind that `step` names.
  mutating func jump(_ step: Action.JumpStep) {
    switch step {
    case .next(let count): jumpTarget == .disagreements ? goToDisagreement(count) : goToIsland(count)
    case .toggleTarget: toggleJumpTarget()
    case .labelEnd(let isLast): goToLabelEnd(isLast: isLast)
    case .furthest(let count): goToFurthestPoint(count)
    case .uncertainSlice: goToUncertainSlice()
    }
  }

  // MARK: - Differences

  /// Starts the job that counts voxels in each slice and finds where A and B differ, unless its result is known or
  /// being computed.
  ///
  /// With two versions, the pairs of labels must be known.
  mutating func compareSpatiallyIfNeeded() -> [ReviewEffect] {
    guard let a = decisions.a.flatMap({ version($0) }) else {
      spatialComparison = nil
      return cancel(.spatialComparison)
    }
    let b = decisions.b.flatMap { version($0) }.flatMap { $0.id == a.id ? nil : $0 }
    let pairs = b == nil ? a.table.labels.map { LabelPair($0, nil) } : comparedPairs
    let request = SpatialComparisonRequest(a, b, pairs, openLabels(a, b ?? a))
    if request.isIdentical(to: spatialComparison?.request)
      || request.isIdentical(to: running(SpatialComparisonJob.self)?.request)
    {
      return []
    }
    spatialComparison = nil
    return [start(SpatialComparisonJob(request: request))]
  }

  private mutating func goToDisagreement(_ count: Int) {
    guard decisions.a != nil, decisions.b != nil, decisions.a != decisions.b else {
      message = Message(
        decisions.a == nil
          ? "no version to compare: open masks, or run a network (m)"
          : "there is only one version; I goes through the islands of a label",
        .warning)
      return
    }
    guard let spatialComparison else {
      message = Message("still searching for differences of A and B")
      return
    }
    guard let list = spatialComparison.disagreements else {
      message = Message(spatialComparison.failure ?? "A and B cannot be compared", .error)
      return
    }
    guard !list.entries.isEmpty else {
      message = Message("A and B agree about every voxel of the labels that both know")
      return
    }
    let position = ReviewState.position(disagreementPosition, after: count, of: list.entries.count)
    disagreementPosition = position
    let entry = list.entries[position]
    let slice = go(to: entry)
    message = Message(
      "\(position + 1) of \(list.count), \(volumeText(entry.voxelCount)), \(slice), \(spatialComparison.kind(of: entry))"
    )
  }

  /// The index `count` after `position` in a list of `all` entries, wrapping around; without a position, the first
  /// index, or the last for a negative count.
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

  /// The volume of voxels: "12.4 mL"; for small volumes the number of voxels.
  func volumeText(_ voxelCount: Int) -> String {
    let millilitres = Double(voxelCount) * grid.voxelVolume / 1000
    if millilitres >= 0.95 { return decimals(millilitres, 1) + " mL" }
    return millilitres >= 0.0095 ? decimals(millilitres, 2) + " mL" : counted(voxelCount, "voxel")
  }

  // MARK: - Islands

  private mutating func toggleJumpTarget() {
    guard jumpTarget == .disagreements else {
      jumpTarget = .disagreements
      message = Message("n and N go through the differences of A and B")
      return
    }
    guard let (version, label) = labelToChange() else {
      message = Message("no label to go through: open a mask, or run a network (m)", .warning)
      return
    }
    jumpTarget = .islands
    message = Message(
      "n and N go through the islands of \(label.name) in \(version.name); I goes back to differences")
  }

  /// Starts the job that finds the components of the selected label where keys or the table need them, unless they are
  /// known or being computed.
  mutating func findIslandsIfNeeded() -> [ReviewEffect] {
    guard phase == .reviewing, jumpTarget == .islands || focus == .components, let shown = shownVersion,
      let key = selectedLabel, let label = shown.label(key)
    else { return [] }
    let otherID = decisions.a == shown.id ? decisions.b : decisions.a
    let other = otherID.flatMap { version($0) }.flatMap { $0.id == shown.id ? nil : $0 }
    let request = IslandsRequest(
      labels: shown.labels, value: label.value, other: other?.labels, otherValue: other?.label(key)?.value)
    if request.isIdentical(to: islands?.request) || request.isIdentical(to: running(IslandsJob.self)?.request)
    {
      return []
    }
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

  /// Goes `count` components further in the list of the selected label, wrapping around; 0 goes to the current one.
  mutating func goToIsland(_ count: Int) {
    guard let version = shownVersion, let label = version.label(selectedLabel) else {
      message = Message(
        "the version shown does not have the selected label; , and . select another", .warning)
      return
    }
    guard let islands else {
      message = Message("still searching for the islands of \(label.name)")
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
    let slice = go(to: entry)
    message = Message(
      "island \(position + 1) of \(list.count) of \(label.name), \(volumeText(entry.voxelCount)), \(slice)")
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

  /// Shows or hides strips, with a message about their meaning.
  mutating func toggleStrips() {
    view.showsStrips.toggle()
    guard view.showsStrips else { return message = Message("strips off") }
    let isWide = layout.panes.contains { !$0.strip.isEmpty }
    message =
      decisions.a == nil
      ? Message("strips on: they come with the first mask")
      : isWide
        ? Message(
          "strips of all slices: area in A, area in B, the fuller the next block the lower Dice; then the entropy, "
            + "where it is known")
        : Message("strips need panes of \(ScreenLayout.stripMinimumColumns) columns", .warning)
  }
}
