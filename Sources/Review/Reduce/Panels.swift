import Volumes

extension ReviewState {
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
        decide("show \(name)") {
          if $0.shownSide == .a || $0.a == nil { $0.a = id } else { $0.b = id }
        }
      }
    }
    return compareIfNeeded()
  }
}
