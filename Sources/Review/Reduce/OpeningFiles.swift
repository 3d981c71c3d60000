import Volumes
import Work

extension ReviewState {
  // MARK: Masks

  /// Starts the job that reads a mask in addition to the open ones.
  mutating func openMask(_ path: String, _ part: MaskPart?, named name: String?) -> [ReviewEffect] {
    let coding = decisions.versions.first { if case .mask = $0.origin { true } else { false } }?.labels.coding
    let request = MaskRequest(
      path: path, part: part, imagePath: content.imagePath, coding: coding,
      selections: self.request.selections)
    return [start(MaskJob(request: request, name: name))]
  }

  /// Adds a mask that was read as a version; a mask that is open already is only shown.
  mutating func add(_ added: AddedMask, named name: String?) -> [ReviewEffect] {
    let mask = added.mask
    if let known = decisions.versions.first(where: {
      $0.origin == .mask(path: mask.path) && $0.labels == mask.labels
    }) {
      selectedVersion = known.id
      let effects = useVersion(as: .shown)
      message = Message("\(cleaned(known.name)) is open already and is shown")
      return effects
    }
    content.masks.append(mask)
    content.findings += added.findings
    let fileName = ReviewState.distinctNames(content.masks)[content.masks.count - 1]
    let version = Version(
      id: makeVersionID(), name: uniqueName(name.map { cleaned($0) } ?? fileName),
      origin: .mask(path: mask.path), labels: mask.labels, table: mask.table, components: added.components)
    let isFirst = shownVersion == nil
    let effects = add(version, comparedWith: shownVersion?.id)
    if isFirst, let largest = version.statistics.max(by: { $0.voxelCount < $1.voxelCount }) {
      moveCrosshair(to: largest.centre)
    }
    for finding in added.findings { messageLog.add(Message(finding, .warning)) }
    if let finding = added.findings.first {
      let others = added.findings.count - 1
      message = Message(
        "\(message?.text ?? ""); \(finding)" + (others > 0 ? " (M: \(others) more)" : ""), .warning)
    }
    return effects
  }

  // MARK: Images

  /// Starts the job that checks an image that is to be opened.
  mutating func openImage(_ path: String, series: String?) -> [ReviewEffect] {
    [start(ImageJob(path: path, series: series))]
  }

  /// Leaves the case for an image that can be opened, after a question where something would be lost.
  mutating func leave(for image: CheckedImage) {
    guard image.path != content.imagePath || image.series != request.imageSeries else {
      message = Message("\(cleaned(content.name)) is open already")
      return
    }
    // Cases of a worklist stay in memory or in their journals, with the jobs that run.
    let losing = losses.filter { position == nil || $0 == .refinement }
    guard losing.isEmpty else {
      dialog = .question(.open(image, losing: losing))
      return
    }
    requestedImage = image
  }
}
