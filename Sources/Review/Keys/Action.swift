import Volumes

/// What a key does; the table of bindings says which.
package enum Action: Hashable, Sendable {
  /// A way across the screen.
  package enum Way: Hashable, Sendable { case left, right, up, down }

  // Moving
  case scroll(Int), firstSlice, lastSlice, step(Way, Int), choosePlane(AnatomicalPlane), goTo, recentre
  // Picture
  case toggleLayout, zoom(Int), fit, pan, chooseWindow, automaticWindow, toggleConvention
  case toggleCrosshair, toggleAnnotations
  // Overlay
  case toggleOverlay, toggleOverlayStyle, opacity(Int), flip, toggleDifference
  case selectLabel(Int), jumpToLabel, pickLabel
  // Work
  case changeFrame(Int)
  case chooseModel, focus(ReviewState.Focus), verdict(Verdict), export, undo, redo, chooseStep
  case command, help, messages, back, close, interrupt, quit
  // Panels
  case movePointer(Int), toggleLabel, soloLabel, showAllLabels
  case renameLabel, recolourLabel, choosePartner
  case chooseA, chooseB, showVersion
  case turnKnob(Int, coarse: Bool), typeIntoKnob, eraseInKnob, resetKnob, resetAllKnobs, refine, togglePreview
  case flipLive, chooseAxis, choosePreset, savePreset
  // Lists and dialogs
  case movePage(Int), moveToEnd(Bool), search, searchOn(Int)
  case accept, dismiss, changePartner(Int), typeColour
  case eraseBackwards, eraseForwards, eraseToStart, moveInText(Int), moveToTextEnd(Bool)

  /// Whether it only moves the crosshair or a pointer.
  var isMove: Bool {
    switch self {
    case .scroll, .firstSlice, .lastSlice, .step, .movePointer, .movePage, .moveToEnd: true
    default: false
    }
  }
}

/// Where a key has its meaning.
package enum KeyContext: String, Hashable, Sendable, CaseIterable {
  case picture = "Picture"
  case pan = "Moving the picture"
  case labels = "Label table"
  case versions = "Versions"
  case refinement = "CRF panel"
  case list = "Lists"
  case pairing = "Pairs of labels"
  case text = "Typing a line"
  case question = "Questions"
  case reading = "Key reference and messages"

  /// A sentence for the key reference.
  var introduction: String {
    switch self {
    case .picture: "Always, unless a panel or a dialog below gives the key another meaning."
    case .pan: "After P, until Esc."
    case .labels: "After b, until Esc."
    case .versions: "After v, until Esc. A and B are the two versions that Tab flips and d compares."
    case .refinement: "After t, until Esc. Knobs are in millimetres and in the image's own intensity units."
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
    case .pan, .labels, .versions, .refinement: true
    default: false
    }
  }
}
