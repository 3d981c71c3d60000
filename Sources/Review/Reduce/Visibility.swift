import Screen
import Volumes

extension Action {
  /// Changes of the visibility of labels; the first two change the selected label.
  package enum VisibilityChange: ActionGroup {
    case toggle, solo, showAll

    static let bindings: [KeyBinding] = [
      KeyTable.bind(section, [" "], .visibility(.toggle), "show or hide the label", bar: "hide"),
      KeyTable.bind(section, ["s"], .visibility(.solo), "only this label, or all again", bar: "solo"),
      KeyTable.bind(section, ["a"], .visibility(.showAll), "show all labels", bar: "all"),
    ]

    private static let section = KeyContext.section(LabelSection().id)
  }
}

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
      // After solo, the labels that it hid stay hidden.
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

  /// The version shown and its selected label; selects the first label where none is selected.
  ///
  /// nil where the version does not have the label.
  mutating func labelToChange() -> (version: Version, label: Label)? {
    if selectedLabel == nil { selectLabel(1) }
    guard let version = shownVersion, let label = version.label(selectedLabel) else { return nil }
    return (version, label)
  }
}
