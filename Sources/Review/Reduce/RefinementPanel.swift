import Screen
import Volumes

extension ReviewState {
  /// The box that is refined while a knob turns: about 80 000 voxels, refined in well under a second.
  private static let previewSide = GridSize(64, 64, 20)

  /// Turns and types knobs, and runs the CRF.
  mutating func changeRefinement(_ action: Action, _ key: Key) -> [ReviewEffect] {
    switch action {
    case .turnKnob(let steps, let coarse):
      knobEntry = nil
      let knob = selectedKnob
      turn { $0.turn(knob, by: steps, coarse: coarse) }
      return previewIfLive()
    case .typeIntoKnob:
      if case .character(let character) = key {
        var entry = knobEntry ?? TextEntry()
        entry.insert(String(character))
        knobEntry = entry
      }
    case .eraseInKnob:
      knobEntry?.deleteBackwards()
      if knobEntry?.text.isEmpty == true { knobEntry = nil }
    case .resetKnob:
      knobEntry = nil
      let advised = advisedKnobs
      let knob = selectedKnob
      turn("reset \(knob.name)") { $0[knob] = advised[knob] }
      return previewIfLive()
    case .resetAllKnobs:
      knobEntry = nil
      let advised = advisedKnobs
      turn("reset all knobs") { $0 = advised }
      return previewIfLive()
    case .togglePreview:
      isPreviewLive.toggle()
      preview = nil
      message = Message(isPreviewLive ? "live preview around the crosshair" : "live preview off")
      return isPreviewLive ? previewIfLive() : cancel(.preview)
    case .refine: return takeEntryOrRefine()
    default: break
    }
    return []
  }

  private mutating func turn(_ name: String? = nil, _ change: (inout KnobSettings) -> Void) {
    decide(name ?? "turn \(selectedKnob.name)", joins: name == nil) { change(&$0.knobs) }
  }

  /// What the model behind the shown version advises, else the program's own defaults.
  private var advisedKnobs: KnobSettings {
    KnobSettings(refinement: refinementBase?.advisedSettings ?? RefinementSettings())
  }

  private mutating func takeEntryOrRefine() -> [ReviewEffect] {
    guard let entry = knobEntry else { return refine() }
    knobEntry = nil
    var knobs = decisions.knobs
    if let problem = knobs.type(entry.text, for: selectedKnob) {
      message = Message(problem, .error)
      return []
    }
    turn("set \(selectedKnob.name)") { $0 = knobs }
    return previewIfLive()
  }

  /// The CRF on the shown version, or on what that was refined from.
  private func refinementRequest(_ base: Version, region: VoxelBounds?) -> RefinementRequest {
    var settings = decisions.knobs.refinement
    if base.probabilities == nil { settings.auxiliaryHeadWeights = [] }
    return RefinementRequest(
      image: content.image,
      source: base.probabilities.map { .probabilities($0) }
        ?? .mask(base.labels, confidence: decisions.knobs.maskConfidence),
      table: base.table, settings: settings, region: region)
  }

  private mutating func refine() -> [ReviewEffect] {
    guard let base = refinementBase else {
      message = Message("the CRF needs a mask or a network's result: m runs a network", .warning)
      return []
    }
    let purpose = RunningJob.Purpose.refinement(base: base.id, decisions.knobs)
    return [start(.refine(refinementRequest(base, region: nil)), for: purpose)]
  }

  /// Refines the box around the crosshair with the knobs as they stand; a newer one cancels an older one.
  mutating func previewIfLive() -> [ReviewEffect] {
    guard isPreviewLive, focus == .refinement, let base = refinementBase else { return [] }
    let region = VoxelBounds(around: view.crosshair, side: ReviewState.previewSide, in: grid.size)
    return [start(.preview(refinementRequest(base, region: region)), for: .preview(base: base.id))]
  }
}
