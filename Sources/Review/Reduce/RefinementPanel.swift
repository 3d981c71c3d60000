import Screen
import Volumes

extension Action {
  /// Steps in the CRF panel.
  package enum RefinementStep: ActionGroup {
    case adjustKnob(Int, coarse: Bool), typeIntoKnob, eraseInKnob, resetKnob, resetAllKnobs, keep,
      togglePreview
    case flip, chooseAxis, choosePreset, savePreset

    static let bindings: [KeyBinding] = [
      KeyTable.bind(
        section, [.left, "h"], .refinement(.adjustKnob(-1, coarse: false)), "a fine step down", bar: "adjust",
        barKeys: [.left, .right]),
      KeyTable.bind(section, [.right, "l"], .refinement(.adjustKnob(1, coarse: false)), "a fine step up"),
      KeyTable.bind(
        section, ["H", "-"], .refinement(.adjustKnob(-1, coarse: true)), "a coarse step down",
        bar: "coarse",
        barKeys: ["-", "+"]),
      KeyTable.bind(section, ["L", "+"], .refinement(.adjustKnob(1, coarse: true)), "a coarse step up"),
      KeyTable.bind(
        section, "0123456789.,".map { Key.character($0) }, .refinement(.typeIntoKnob),
        "type a value; i,j,k for a width by axis, values for labels"),
      KeyTable.bind(section, [.backspace], .refinement(.eraseInKnob), "erase what was typed"),
      KeyTable.bind(
        section, [.tab], .refinement(.flip), "flip between before and after refinement", bar: "A/B"),
      KeyTable.bind(
        section, [.enter], .refinement(.keep), "take the typed value; keep the result as a version",
        bar: "keep"),
      KeyTable.bind(
        section, ["i"], .refinement(.chooseAxis), "the axis of a width that changes: all, i, j, k"),
      KeyTable.bind(
        section, ["P"], .refinement(.choosePreset), "choose kernels: advised, from the image, saved",
        bar: "presets"),
      KeyTable.bind(section, ["S"], .refinement(.savePreset), "save the kernels under a name"),
      KeyTable.bind(
        section, ["r"], .refinement(.resetKnob), "reset this knob to the model's value", bar: "reset"),
      KeyTable.bind(section, ["R"], .refinement(.resetAllKnobs), "reset all knobs to the model's values"),
      KeyTable.bind(
        section, ["p"], .refinement(.togglePreview),
        "refine around the crosshair after each change; off and on"
      ),
    ]

    private static let section = KeyContext.section(RefinementSection().id)
  }
}

extension ReviewState {
  /// Changes knobs by steps or typed values, and keeps the CRF's result as a version.
  mutating func refine(_ step: Action.RefinementStep, _ key: Key) -> [ReviewEffect] {
    switch step {
    case .adjustKnob(let steps, let coarse):
      knobEntry = nil
      let (knob, axis) = (selectedKnob, knobAxis)
      let labels = refinementBase?.table.labels.map(\.value) ?? []
      changeKnobs { $0.adjust(knob, by: steps, coarse: coarse, axis: axis, labels: labels) }
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
      changeKnobs("reset \(knob.name)") { $0[knob] = advised[knob] }
      return previewIfLive()
    case .resetAllKnobs:
      knobEntry = nil
      let advised = advisedKnobs
      changeKnobs("reset all knobs") { $0 = advised }
      return previewIfLive()
    case .togglePreview:
      isPreviewLive.toggle()
      message = Message(isPreviewLive ? "live refinement around the crosshair" : "live refinement off")
      if isPreviewLive { return previewIfLive() }
      return stopLive()
    case .flip: return flipLive()
    case .chooseAxis:
      knobAxis = knobAxis.map { $0 == 2 ? nil : $0 + 1 } ?? 0
      let axis = knobAxis.map { "axis \(["i", "j", "k"][$0]) alone" } ?? "all axes alike"
      message = Message("θα and θγ change along \(axis)")
    case .choosePreset: return choosePreset()
    case .savePreset: return openLine(.command, "save-preset ")
    case .keep: return applyEntryOrKeep()
    }
    return []
  }

  /// Changes the knobs as a step of the history; without a name, consecutive changes of one knob are one step.
  mutating func changeKnobs(_ name: String? = nil, _ change: (inout KnobSettings) -> Void) {
    decide(name ?? "change \(selectedKnob.name)", joins: name == nil) { change(&$0.knobs) }
  }

  /// The CRF settings of the shown version's model, else the program's defaults.
  var advisedKnobs: KnobSettings {
    KnobSettings(refinement: refinementBase?.advisedSettings ?? RefinementSettings())
  }

  private mutating func flipLive() -> [ReviewEffect] {
    guard live?.latest != nil else {
      message = Message("nothing refined yet: change a knob first", .warning)
      return []
    }
    showsLabelsBeforeRefinement.toggle()
    return []
  }

  private mutating func applyEntryOrKeep() -> [ReviewEffect] {
    guard let entry = knobEntry else { return keep() }
    var knobs = decisions.knobs
    if let problem = knobs.type(entry.text, for: selectedKnob) {
      message = Message(problem, .error)
      return []
    }
    knobEntry = nil
    changeKnobs("set \(selectedKnob.name)") { $0 = knobs }
    return previewIfLive()
  }

  /// The request for the CRF on the shown version, or on the version that it was refined from.
  func refinementRequest(_ base: Version, region: VoxelBounds?) -> RefinementRequest {
    var settings = decisions.knobs.refinement
    if base.probabilities == nil { settings.auxiliaryHeadWeights = [] }
    settings.auxiliaryHeadWeights = Array(settings.auxiliaryHeadWeights.prefix(base.auxiliaryHeadCount))
    settings.changedLabels = settings.changedLabels.filter { base.table[$0] != nil }
    return RefinementRequest(
      image: content.image,
      source: base.probabilities.map { .probabilities($0) }
        ?? .mask(base.labels, confidence: decisions.knobs.maskConfidence),
      table: base.table, settings: settings, region: region, labelsBefore: base.labels,
      componentsBefore: base.components)
  }

  /// Adds the CRF's result with the current knobs as a version, after computing it where necessary.
  private mutating func keep() -> [ReviewEffect] {
    guard let base = refinementBase else {
      message = Message("the CRF needs a mask or a network's result: m runs a network", .warning)
      return []
    }
    if let whole = live?.whole, live?.base == base.id, whole.knobs == decisions.knobs {
      return add(whole.part, refining: base.id, with: whole.knobs, frame: content.frame)
    }
    let job = RefinementJob(
      request: refinementRequest(base, region: nil), base: base.id, knobs: decisions.knobs,
      frame: content.frame)
    return cancel(.backgroundRefinement) + [start(job)]
  }
}
