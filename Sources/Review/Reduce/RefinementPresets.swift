import Volumes

/// An entry of the list of presets.
struct PresetChoice: Equatable {
  var name: String
  /// The source of the settings, in a word.
  var origin: String
  var settings: RefinementSettings
}

extension ReviewState {
  /// The model's settings, those suggested by the image, the defaults, and the saved ones.
  var presetChoices: [PresetChoice] {
    var offered: [PresetChoice] = []
    if let base = refinementBase, let advised = base.advisedSettings {
      offered.append(PresetChoice(name: cleaned(base.name), origin: "the model's", settings: advised))
    }
    if let base = refinementBase, measures?.version == base.id, let measures = measures?.measures {
      offered.append(
        PresetChoice(name: "from this image", origin: "noise, edges, spacing", settings: measures.suggested))
    }
    offered.append(
      PresetChoice(name: "defaults", origin: "the program's", settings: RefinementSettings()))
    for preset in savedPresets ?? [] {
      offered.append(PresetChoice(name: cleaned(preset.name), origin: "saved", settings: preset.settings))
    }
    return offered
  }

  /// The name of the preset that equals the current knobs; nil for none.
  var presetName: String? {
    presetChoices.first { applied($0.settings) == decisions.knobs.refinement }?.name
  }

  /// A preset for the shown version: the choice of labels is kept, and weights of missing heads are dropped.
  private func applied(_ settings: RefinementSettings) -> RefinementSettings {
    var own = settings
    own.changedLabels = decisions.knobs.refinement.changedLabels
    let heads = refinementBase.map { $0.probabilities == nil ? 0 : $0.auxiliaryHeadCount } ?? 0
    own.auxiliaryHeadWeights =
      heads == 0
      ? decisions.knobs.refinement.auxiliaryHeadWeights : Array(own.auxiliaryHeadWeights.prefix(heads))
    return own
  }

  mutating func choosePreset() -> [ReviewEffect] {
    let now = presetChoices.firstIndex { $0.name == presetName }
    dialog = .presets(selected: now ?? 0)
    return []
  }

  /// Sets every knob to the preset's value.
  mutating func usePreset(_ preset: PresetChoice) -> [ReviewEffect] {
    let settings = applied(preset.settings)
    decide("kernels \(preset.name)") { $0.knobs.refinement = settings }
    message = Message("kernels: \(preset.name)")
    return previewIfLive()
  }

  /// Uses the preset with this name, or the first whose name begins with it.
  mutating func usePreset(named name: String) -> [ReviewEffect] {
    let wanted = name.lowercased()
    let offered = presetChoices
    let match =
      offered.first { $0.name.lowercased() == wanted }
      ?? offered.first { $0.name.lowercased().hasPrefix(wanted) }
    guard let match, !wanted.isEmpty else {
      message = Message("preset: type one of \(offered.map(\.name).joined(separator: ", "))", .error)
      return []
    }
    return usePreset(match)
  }

  mutating func savePreset(named name: String) -> [ReviewEffect] {
    let allowed = name.unicodeScalars.allSatisfy {
      $0.properties.isAlphabetic || ("0"..."9").contains($0) || "-_. ".unicodeScalars.contains($0)
    }
    guard !name.isEmpty, name.count <= 40, allowed, !name.hasPrefix(".") else {
      message = Message("save-preset: type a name of letters, digits, - and _", .error)
      return []
    }
    var settings = decisions.knobs.refinement
    settings.changedLabels = []
    return save(NamedKernels(name: name, settings: settings), replacesExisting: false)
  }

  mutating func save(_ preset: NamedKernels, replacesExisting: Bool) -> [ReviewEffect] {
    [start(PresetsJob(saving: preset, replacesExisting: replacesExisting))]
  }
}
