import Volumes

extension ReviewState {
  /// Shows and hides labels.
  mutating func changeVisibility(_ change: Action.VisibilityChange) {
    switch change {
    case .toggle: toggleSelectedLabel()
    case .solo: soloSelectedLabel()
    case .showAll:
      decide("show all labels") {
        $0.hiddenLabels = []
        $0.soloLabel = nil
      }
    }
  }

  private mutating func toggleSelectedLabel() {
    guard let (version, label) = labelToChange() else { return }
    let key = version.key(of: label)
    let isShown = isVisible(label, of: version)
    decide("\(isShown ? "hide" : "show") \(cleaned(label.name))") { decisions in
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
  }

  private mutating func soloSelectedLabel() {
    guard let (version, label) = labelToChange() else { return }
    let key = version.key(of: label)
    let isSolo = decisions.soloLabel == key
    decide(isSolo ? "show all but hidden labels" : "only \(cleaned(label.name))") {
      $0.soloLabel = isSolo ? nil : key
    }
  }

  /// The selected label and the version shown, after the first label was selected where none was; nil where the version
  /// does not have it.
  mutating func labelToChange() -> (version: Version, label: Label)? {
    if selectedLabel == nil { selectLabel(1) }
    guard let version = shownVersion, let label = version.label(selectedLabel) else { return nil }
    return (version, label)
  }

  /// Chooses the versions that flip and compare.
  mutating func useVersion(as role: Action.VersionRole) -> [ReviewEffect] {
    guard let id = selectedVersion, let version = version(id) else { return [] }
    let name = cleaned(version.name)
    switch role {
    case .a:
      decide("A is \(name)") {
        if $0.b == id { $0.b = $0.a }
        $0.a = id
        $0.shownSide = .a
      }
    case .b:
      guard decisions.a != id || decisions.b != nil else {
        message = Message("A and B would be the same version", .warning)
        return []
      }
      decide("B is \(name)") {
        if $0.a == id { $0.a = $0.b }
        $0.b = id
        $0.shownSide = .b
      }
    case .shown:
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
