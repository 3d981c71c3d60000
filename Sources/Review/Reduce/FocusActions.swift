import Screen

extension Action {
  /// Moves of the focus: to a section of the panel, or out of what has it.
  package enum FocusStep: ActionGroup {
    case move(ReviewState.Focus), close

    static var bindings: [KeyBinding] { PanelSections.all.reversed().map { $0.openingBinding } }
  }
}

extension ReviewState {
  /// Moves the focus to a section, or leaves the panel.
  mutating func moveFocus(_ step: Action.FocusStep) -> [ReviewEffect] {
    switch step {
    case .move(let focus): moveFocus(to: focus)
    case .close: close()
    }
  }

  /// Moves the focus to the picture or a section of the panel.
  private mutating func moveFocus(to focus: Focus) -> [ReviewEffect] {
    let stopped = leave(for: focus)
    guard self.focus == focus else { return stopped }
    return stopped + (focus.panelSection?.begin(&self) ?? [])
  }

  /// Leaves the panel, or else the difference.
  mutating func close() -> [ReviewEffect] {
    if view.isPanning {
      view.isPanning = false
    } else if focus != .picture {
      return leave(for: .picture)
    } else if view.showsDifference {
      view.showsDifference = false
    }
    return []
  }

  /// Moves the focus to the picture or another section.
  ///
  /// If that would drop a result of the CRF, the first attempt only warns.
  private mutating func leave(for next: Focus) -> [ReviewEffect] {
    let isLeavingRefinement = focus == .refinement && next != .refinement
    if isLeavingRefinement, live?.hasWarnedOfLoss == false, hasUnkeptRefinement {
      live?.hasWarnedOfLoss = true
      message = Message(ReviewState.unkeptWarning, .warning)
      return []
    }
    focus = next
    view.isPanning = false
    if isLeavingRefinement { knobEntry = nil }
    return isLeavingRefinement ? stopLive() : []
  }
}
