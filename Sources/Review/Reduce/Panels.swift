import Volumes

extension ReviewState {
  /// Moves the pointer of whatever takes keys.
  mutating func movePointer(_ count: Int) -> [ReviewEffect] {
    switch dialog {
    case .help(let line): dialog = .help(line: clampedHelpLine(line + count))
    case .windows(let selected):
      dialog = .windows(selected: wrapped(selected + count, intensities.presets.count))
    case .models(let selected):
      if let models {
        dialog = .models(selected: wrapped(selected + count, models.count))
      } else {
        actionsAhead.append(.movePointer(count))
      }
    case .presets(let selected):
      dialog = .presets(selected: wrapped(selected + count, offeredPresets.count))
    case .colours(let edit, let selected):
      dialog = .colours(edit, selected: wrapped(selected + count, ReviewState.palette.count + 1))
    case .pairing(var pairing):
      pairing.selected = wrapped(pairing.selected + count, pairing.rows.count)
      dialog = .pairing(pairing)
    case .notes(let line): dialog = .notes(line: clampedNoteLine(line + count))
    case .command, .label, .question: break
    case nil: movePanelPointer(count)
    }
    return []
  }

  private mutating func movePanelPointer(_ count: Int) {
    switch focus {
    case .labels: selectLabel(count)
    case .versions:
      let ids = decisions.versions.map(\.id)
      guard !ids.isEmpty else { return }
      let position = ids.firstIndex { $0 == selectedVersion } ?? 0
      selectedVersion = ids[wrapped(position + count, ids.count)]
    case .refinement:
      let knobs = Knob.knobs(of: refinementBase)
      let position = knobs.firstIndex(of: selectedKnob) ?? 0
      selectedKnob = knobs[wrapped(position + count, knobs.count)]
      knobEntry = nil
    case .picture: break
    }
  }

  private func wrapped(_ position: Int, _ count: Int) -> Int {
    count == 0 ? 0 : (position % count + count) % count
  }

  /// Shows and hides labels.
  mutating func changeVisibility(_ action: Action) {
    if action == .showAllLabels {
      decide("show all labels") {
        $0.hiddenLabels = []
        $0.soloLabel = nil
      }
      return
    }
    if selectedLabel == nil { selectLabel(1) }
    guard let version = shownVersion, let label = version.label(selectedLabel) else { return }
    let name = cleaned(label.name)
    let key = version.key(of: label)
    let isShown = isVisible(label, of: version)
    switch action {
    case .toggleLabel:
      decide("\(isShown ? "hide" : "show") \(name)") { decisions in
        // Leaving solo keeps what was hidden by it hidden.
        if let solo = decisions.soloLabel {
          decisions.hiddenLabels = Set(version.keyedLabels.map { $1 }).subtracting([solo])
          decisions.soloLabel = nil
        }
        if isShown {
          decisions.hiddenLabels.insert(key)
        } else {
          decisions.hiddenLabels.remove(key)
        }
      }
    case .soloLabel:
      let isSolo = decisions.soloLabel == key
      decide(isSolo ? "show all but hidden labels" : "only \(name)") {
        $0.soloLabel = isSolo ? nil : key
      }
    default: break
    }
  }

  /// Chooses the versions that flip and compare.
  mutating func choosePair(_ action: Action) -> [ReviewEffect] {
    guard let id = selectedVersion, let version = version(id) else { return [] }
    let name = cleaned(version.name)
    switch action {
    case .chooseA:
      decide("A is \(name)") {
        if $0.b == id { $0.b = $0.a }
        $0.a = id
        $0.shownSide = .a
      }
    case .chooseB:
      guard decisions.a != id || decisions.b != nil else {
        message = Message("A and B would be the same version", .warning)
        return []
      }
      decide("B is \(name)") {
        if $0.a == id { $0.a = $0.b }
        $0.b = id
        $0.shownSide = .b
      }
    default:
      if decisions.a == id || decisions.b == id {
        decisions.shownSide = decisions.a == id ? .a : .b
      } else {
        decide("show \(name)") { if $0.shownSide == .a { $0.a = id } else { $0.b = id } }
      }
    }
    return compareIfNeeded()
  }
}
