import Screen
import Volumes

extension Action {
  /// Actions on the components that the table lists.
  package enum ComponentStep: ActionGroup {
    case goTo, mark, remove, keepMarked, toggleUnmatched

    static let bindings: [KeyBinding] = [
      KeyTable.bind(section, [" "], .component(.mark), "mark the island, or take the mark away", bar: "mark"),
      KeyTable.bind(
        section, ["x"], .component(.remove), "remove the island from the label; z undoes", bar: "remove"),
      KeyTable.bind(
        section, ["K"], .component(.keepMarked), "keep only the marked islands, or only this one; z undoes",
        bar: "keep"),
      KeyTable.bind(
        section, ["o"], .component(.toggleUnmatched), "only islands that the other version lacks, or all",
        bar: "unmatched"),
      KeyTable.bind(section, [.enter], .component(.goTo), "go to the island again", bar: "go to"),
    ]

    private static let section = KeyContext.section(ComponentSection().id)
  }
}

extension ReviewState {
  /// The components in the table and their label; nil where none is listed.
  private var listedComponents: (list: ComponentList, label: Label)? {
    guard let label = shownVersion?.label(selectedLabel), let list = islands?.list, !list.entries.isEmpty,
      (shownVersion?.labels).isIdentical(to: islands?.request.labels), islands?.request.value == label.value
    else { return nil }
    return (list, label)
  }

  /// Goes to, marks, removes or keeps components of the table.
  mutating func editComponents(_ step: Action.ComponentStep) -> [ReviewEffect] {
    switch step {
    case .goTo: goToIsland(0)
    case .mark: markComponent()
    case .toggleUnmatched: toggleUnmatchedComponents()
    case .remove: return removeComponent()
    case .keepMarked: return keepMarkedComponents()
    }
    return []
  }

  /// Marks or unmarks the selected component of the table, and selects the next.
  private mutating func markComponent() {
    guard let (list, _) = listedComponents, let position = islandPosition else {
      return showNoComponentsMessage()
    }
    if markedComponents.remove(position) == nil { markedComponents.insert(position) }
    if position + 1 < list.entries.count { goToIsland(at: position + 1) }
    message = Message("\(markedComponents.count) marked; K keeps nothing else of the label")
  }

  /// Removes the selected component of the table, as an edit.
  private mutating func removeComponent() -> [ReviewEffect] {
    guard let (list, label) = listedComponents, let position = islandPosition else {
      showNoComponentsMessage()
      return []
    }
    return edit("remove island \(position + 1) of \(cleaned(label.name))") {
      list.setting([position], to: 0, in: $0)
    }
  }

  /// Removes all components of the label except the marked ones, as an edit; where none is marked, all except the
  /// selected one.
  private mutating func keepMarkedComponents() -> [ReviewEffect] {
    guard let (list, label) = listedComponents, let position = islandPosition else {
      showNoComponentsMessage()
      return []
    }
    let kept = markedComponents.isEmpty ? [position] : markedComponents.sorted()
    guard kept.count < list.count else {
      message = Message("nothing changes: all islands of \(label.name) are kept")
      return []
    }
    let name = "keep \(kept.count) of \(list.count) islands of \(cleaned(label.name))"
    islandPosition = 0
    // The list may omit the smallest components.
    return edit(name) { labels in
      list.setting(kept, to: label.value, in: labels.replacing([label.value], by: 0) ?? labels)
    }
  }

  private mutating func showNoComponentsMessage() {
    message = Message(
      islands == nil ? "still searching for the islands" : "no island to change: the label has no voxel",
      .warning)
  }
}
