import Volumes

extension ReviewState {
  /// Notes how far a job is; reports of forgotten jobs are late and change nothing.
  mutating func noteProgress(_ id: JobID, fraction: Double, elapsedSeconds: Double) {
    guard let kind = jobs.first(where: { $0.value.id == id })?.key else { return }
    let before = jobs[kind]?.fraction ?? 0
    jobs[kind]?.fraction = min(max(fraction, before), 1)
    jobs[kind]?.elapsedSeconds = elapsedSeconds
  }

  /// Takes what a job found; results of forgotten jobs are late and change nothing.
  mutating func take(_ outcome: JobOutcome, of id: JobID) -> [ReviewEffect] {
    guard let (kind, job) = jobs.first(where: { $0.value.id == id }) else { return [] }
    jobs[kind] = nil
    switch (outcome, job.purpose) {
    case (.opened(let opened), _): return open(opened)
    case (.journalOpened(let opened), _): return take(opened)
    case (.models(let models), _): return take(models)
    case (.segmented(let result, let components), .segmentation(let model, let frame)):
      let effects = add(result, components, by: model, frame: frame)
      show(largestOf: components.statistics, hasMoved: view.crosshair != job.crosshair)
      return effects
    case (.refined(let part), .refinement(let base, let knobs, let frame)):
      let effects = add(part, refining: base, with: knobs, frame: frame)
      takeWhole(part, base: base, knobs)
      return effects
    case (.refined(let part), .preview(let base, let knobs)): return take(part, base: base, knobs)
    case (.refined(let part), .following(let base, let knobs)): takeWhole(part, base: base, knobs)
    case (.measured(let measures), .measurement(let base)):
      self.measures = MeasuredVersion(version: base, measures: measures)
    case (.presets(let presets), .presets(let saved)): take(presets, saved: saved)
    case (.kernelsExist(let preset), _): dialog = .question(.replaceKernels(preset))
    case (.compared(let comparison), _): return take(comparison)
    case (.read(let frame), .frame): return take(frame)
    case (.remembered, _): break
    case (.exported(let outcome), .export(let version, let path, let quitsAfterwards)):
      return finishExport(outcome, version, to: path, quitsAfterwards: quitsAfterwards)
    case (.cancelled, _): if kind == .opening { return end() }
    case (.failed(let line), _): return fail(kind, line)
    default: preconditionFailure("\(kind) ended with another kind's outcome")
    }
    return []
  }

  /// Fills the list of models, and takes the keys that were pressed in it before it was there.
  private mutating func take(_ models: [ModelDescription]) -> [ReviewEffect] {
    self.models = models
    let keys = keysAhead
    keysAhead = []
    guard case .models = dialog else { return [] }
    message = nil
    guard !models.isEmpty else {
      dialog = nil
      message = Message("no models were found", .error)
      return []
    }
    return keys.flatMap { take($0) }
  }

  private mutating func open(_ opened: OpenedCase) -> [ReviewEffect] {
    phase = .reviewing
    content = opened.content
    intensities = opened.intensities
    choose(intensities.openingPreset)
    let names = ReviewState.distinctNames(content.masks)
    decisions.versions = zip(content.masks, opened.maskComponents).enumerated().map { position, mask in
      Version(
        id: VersionID(request.firstVersionNumber + position), name: names[position],
        origin: .mask(path: mask.0.path), labels: mask.0.labels, table: mask.0.table, components: mask.1)
    }
    identifyStructures()
    nextVersionNumber = request.firstVersionNumber + decisions.versions.count
    decisions.a = decisions.versions.first?.id
    decisions.b = decisions.versions.dropFirst().first?.id
    history = UndoHistory()
    if let plane = onlyPlane { view.activePlane = plane }
    let largest = decisions.versions.first?.statistics.max { $0.voxelCount < $1.voxelCount }
    view.centre = gridCentre
    moveCrosshair(
      to: largest?.centre ?? VoxelIndex(grid.size.i / 2, grid.size.j / 2, grid.size.k / 2))
    view.frame = content.frame
    greet()
    viewAtOpening = view
    return [start(.journal(content), for: .journal)] + compareIfNeeded()
  }

  /// Goes to the largest slice of what a network found, unless the reviewer went elsewhere meanwhile.
  private mutating func show(largestOf statistics: [LabelStatistics], hasMoved: Bool) {
    guard let largest = statistics.max(by: { $0.voxelCount < $1.voxelCount }),
      let label = shownVersion?.table[largest.label]
    else { return }
    guard hasMoved else { return jump(to: label) }
    selectedLabel = shownVersion?.key(of: label)
    if let text = message?.text {
      message = Message("\(text); G goes to \(cleaned(label.name))", message?.kind ?? .note)
    }
  }

  private mutating func add(
    _ result: SegmentationResult, _ components: LabelComponents, by model: ModelDescription, frame: Int
  ) -> [ReviewEffect] {
    let version = Version(
      id: takeVersionID(), name: uniqueName(model.name),
      origin: .network(modelID: model.id, modelName: model.name),
      labels: result.labels, table: result.table, components: components, probabilities: result.probabilities,
      auxiliaryHeadCount: result.auxiliaryHeadCount, advisedSettings: result.advisedSettings,
      warnings: components.statistics.isEmpty
        ? ["the network found nothing"]
        : result.leftOut.map { cleaned($0.note(result.table)) }, frame: frame)
    let advised = result.advisedSettings
    return add(version, comparedWith: shownVersion?.id) { decisions in
      if let advised { decisions.knobs.refinement = advised }
    }
  }

  /// Makes a version of a refinement of all of the image.
  mutating func add(
    _ part: RefinedPart, refining base: VersionID, with knobs: KnobSettings, frame: Int
  ) -> [ReviewEffect] {
    guard let base = version(base) else { return [] }
    refinementCount += 1
    let version = Version(
      id: takeVersionID(), name: "CRF \(refinementCount)",
      origin: refinementOrigin(base, knobs),
      labels: part.labels, table: base.ownTable, components: part.components, family: base.family,
      probabilities: base.probabilities, auxiliaryHeadCount: base.auxiliaryHeadCount,
      advisedSettings: base.advisedSettings,
      warnings: Version.warnings(from: base, to: part.components.statistics),
      frame: base.probabilities == nil ? frame : base.frame)
    return add(version, comparedWith: base.id)
  }

  /// Adds a version, shows it as B and what it is compared with as A.
  ///
  /// - Parameters:
  ///   - step: What was done; that it is shown unless given.
  ///   - change: Changes more decisions with it.
  mutating func add(
    _ version: Version, comparedWith other: VersionID?, as step: String? = nil,
    _ change: (inout Decisions) -> Void = { _ in }
  ) -> [ReviewEffect] {
    let name = cleaned(version.name)
    decide(step ?? "show \(name)") {
      $0.versions.append(version)
      $0.a = other ?? version.id
      $0.b = other == nil ? nil : version.id
      $0.shownSide = other == nil ? .a : .b
      change(&$0)
    }
    selectedVersion = version.id
    if version.warnings.isEmpty {
      message = Message("\(name) is shown" + (other == nil ? "" : "; Tab flips, d shows the difference"))
    } else {
      let warnings = version.warnings.joined(separator: ", ")
      // The network's name is often that of its label.
      message = Message(warnings.hasPrefix("\(name): ") ? warnings : "\(name): " + warnings, .warning)
    }
    return compareIfNeeded()
  }

  /// What a version says that was refined with these knobs.
  func refinementOrigin(_ base: Version, _ knobs: KnobSettings) -> Version.Origin {
    let confidence = base.probabilities == nil ? knobs.maskConfidence : nil
    return .refinement(of: base.id, settings: knobs.refinement, maskConfidence: confidence)
  }

  /// A number that no version had before.
  mutating func takeVersionID() -> VersionID {
    defer { nextVersionNumber += 1 }
    return VersionID(nextVersionNumber)
  }

  func uniqueName(_ name: String) -> String {
    let taken = Set(decisions.versions.map(\.name))
    guard taken.contains(name) else { return name }
    return (2...).lazy.map { "\(name) \($0)" }.first { !taken.contains($0) } ?? name
  }

  private mutating func finishExport(
    _ outcome: ExportOutcome, _ version: Version, to path: String, quitsAfterwards: Bool
  ) -> [ReviewEffect] {
    switch outcome {
    case .written(let written, let notes):
      // Its place may have been another version's.
      files = files.filter { $0.value.path != written }
      files[renumbered[version.id] ?? version.id] = WrittenVersion(path: written, version: version)
      let line = (["exported \(written)"] + notes).joined(separator: "; ")
      message = Message(line, notes.isEmpty ? .note : .warning)
      return quitsAfterwards && notes.isEmpty ? quit() : []
    case .exists(let existing):
      dialog = .question(
        .replaceFiles(existing: existing, path: path, version: version.id, quitsAfterwards: quitsAfterwards))
      return []
    }
  }

  private mutating func fail(_ kind: JobKind, _ line: String) -> [ReviewEffect] {
    switch kind {
    case .opening: return end(failure: line)
    case .journal: journal = .absent(line)
    case .models:
      keysAhead = []
      if case .models = dialog { dialog = nil }
    case .preview:
      live = nil
      previewIsDue = false
    case .following:
      // The box goes on following.
      live?.isOnlyRegion = true
      message = Message("only the box follows the knobs, Enter refines all of the image: \(line)", .warning)
      return []
    default: break
    }
    message = Message(line, .error)
    return []
  }
}
