import Volumes

/// The effect of a key; ``KeyTable`` binds keys to actions.
///
/// Each case is a group of actions that one reducer answers, and switches over case by case: the compiler finds an
/// action that no reducer answers.
package enum Action: Hashable, Sendable {
  case move(Move)
  case picture(PictureChange)
  case overlay(OverlayChange)
  case visibility(VisibilityChange)
  case label(LabelPart)
  case finding(FindingStep)
  case version(VersionRole)
  case refinement(RefinementStep)
  case session(SessionStep)
  case worklist(WorklistStep)
  case open(DialogName)
  case pointer(PointerMove)
  case search(SearchStep)
  case answer(Answer)
  case text(TextEdit)

  package enum Direction: Hashable, Sendable { case left, right, up, down }

  /// Moves of the crosshair; while the picture is being moved, `step` moves that.
  package enum Move: Hashable, Sendable { case scroll(Int), firstSlice, lastSlice, step(Direction, Int) }

  /// Changes of what the panes show and how.
  package enum PictureChange: Hashable, Sendable {
    case choosePlane(AnatomicalPlane), recentre
    case toggleLayout, zoom(Int), fit, pan, automaticWindow, toggleConvention, toggleCrosshair,
      toggleAnnotations, toggleStrips
  }

  /// Changes of how labels are shown, and of which one is selected.
  package enum OverlayChange: Hashable, Sendable {
    case toggle, toggleStyle, opacity(Int), flip, toggleDifference
    case selectLabel(Int), jumpToLabel, pickLabel
  }

  /// Changes of which labels are shown; the first two are of the selected label.
  package enum VisibilityChange: Hashable, Sendable { case toggle, solo, showAll }

  /// The property of the selected label that changes.
  package enum LabelPart: Hashable, Sendable { case name, colour, partner }

  /// Steps to what matters, and changes of the components that the table lists.
  package enum FindingStep: Hashable, Sendable {
    case next(Int), toggleTarget, labelEnd(isLast: Bool)
    case goToComponent, markComponent, removeComponent, keepMarked
  }

  /// The role of the version at the list's pointer.
  package enum VersionRole: Hashable, Sendable { case a, b, shown }

  /// Steps in the CRF panel.
  package enum RefinementStep: Hashable, Sendable {
    case adjustKnob(Int, coarse: Bool), typeIntoKnob, eraseInKnob, resetKnob, resetAllKnobs, keep,
      togglePreview
    case flip, chooseAxis, choosePreset, savePreset
  }

  /// Models, verdicts, export, undo, frames, panels, and quitting.
  package enum SessionStep: Hashable, Sendable {
    case changeFrame(Int), chooseModel, focus(ReviewState.Focus), verdict(Verdict), score(Int), export, undo,
      redo, chooseStep
    case back, close, interrupt, quit
  }

  /// Steps from case to case; `giveVerdict` gives a verdict and goes on to the next case.
  package enum WorklistStep: Hashable, Sendable {
    case next, previous, nextUnread, giveVerdict(Verdict), showList
    case filter, toggleUnread, sort(Int), reverse
  }

  /// A dialog that a key opens.
  package enum DialogName: Hashable, Sendable { case goTo, command, comment, help, messages, windows }

  /// Moves of the pointer in the list that receives keys: by entries, by pages, to the bottom or the top.
  package enum PointerMove: Hashable, Sendable { case entries(Int), pages(Int), end(isBottom: Bool) }

  /// Searches in the list that receives keys: a new one, or to the next match of the last.
  package enum SearchStep: Hashable, Sendable { case begin, next(Int) }

  /// Answers to the open dialog.
  package enum Answer: Hashable, Sendable { case accept, dismiss, changePartner(Int), typeColour }

  /// Changes of the line that is being typed.
  package enum TextEdit: Hashable, Sendable {
    case eraseBackwards, eraseForwards, eraseToStart, move(Int), moveToEnd(Bool)
  }

  /// Whether it only moves the crosshair or a pointer.
  var isMove: Bool {
    switch self {
    case .move, .pointer: true
    case .picture, .overlay, .visibility, .label, .finding, .version, .refinement, .session, .worklist, .open,
      .search,
      .answer, .text:
      false
    }
  }
}

/// The mode in which a key is bound.
package enum KeyContext: Hashable, Sendable {
  case picture, pan
  /// A section of the panel.
  case section(PanelSectionID)
  case cases, list, pairing, text, question, reading

  /// Every context, in the order of the key reference.
  package static let all =
    [KeyContext.picture, .pan] + PanelSections.all.map { .section($0.id) }
    + [.cases, .list, .pairing, .text, .question, .reading]

  /// The title of its keys in the key reference.
  var title: String {
    switch self {
    case .picture: "Picture"
    case .pan: "Moving the picture"
    case .section(let id): id.section.keysTitle
    case .cases: "Cases"
    case .list: "Lists"
    case .pairing: "Pairs of labels"
    case .text: "Typing a line"
    case .question: "Questions"
    case .reading: "Key reference and messages"
    }
  }

  /// A sentence for the key reference.
  var introduction: String {
    switch self {
    case .picture: "Always, unless a panel or a dialog below gives the key another meaning."
    case .pan: "After P, until Esc."
    case .section(let id): id.section.keysIntroduction
    case .cases: "After C, where a folder or a worklist was opened; every case with what readers decided."
    case .list: "Windows, models, kernels, colours and decisions."
    case .pairing:
      "Which labels of A and B are one structure: asked once, where names are missing or overlaps contradict them."
    case .text: "After :, g and /, and for a label's name or colour."
    case .question: "Nothing is overwritten or lost without one."
    case .reading: "After ? and M."
    }
  }

  /// Whether keys without a meaning here have the picture's.
  var fallsBackToPicture: Bool {
    switch self {
    case .pan, .section: true
    case .picture, .cases, .list, .pairing, .text, .question, .reading: false
    }
  }
}
