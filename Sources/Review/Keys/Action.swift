/// The effect of a key.
///
/// Each case is a group of actions. A group's file has its actions, their keys and the reducer, which switches over
/// them case by case, so that the compiler finds an action that no reducer answers.
package enum Action: Hashable, Sendable {
  case move(Move)
  case frame(FrameStep)
  case picture(PictureChange)
  case overlay(OverlayChange)
  case jump(JumpStep)
  case component(ComponentStep)
  case visibility(VisibilityChange)
  case label(LabelPart)
  case version(VersionRole)
  case refinement(RefinementStep)
  case network(NetworkStep)
  case focus(FocusStep)
  case verdict(VerdictStep)
  case session(SessionStep)
  case worklist(WorklistStep)
  case caseList(CaseListStep)
  case pointer(PointerMove)
  case search(SearchStep)
  case answer(Answer)
  case commandLine(CommandLineStep)
  case text(TextEdit)

  /// Whether it only moves the crosshair or a pointer.
  var isMove: Bool {
    switch self {
    case .move, .pointer: true
    case .frame, .picture, .overlay, .jump, .component, .visibility, .label, .version, .refinement,
      .network, .focus, .verdict, .session, .worklist, .caseList, .search, .answer, .commandLine, .text:
      false
    }
  }
}

/// Actions of one kind with their keys.
protocol ActionGroup: Hashable, Sendable {
  /// The keys of the actions, in the order of the key reference.
  static var bindings: [KeyBinding] { get }
}

/// The mode in which a key is bound.
package enum KeyContext: Hashable, Sendable {
  case picture, pan
  /// A section of the panel.
  case section(PanelSectionID)
  case cases, list, pairing, command, text, question, reading

  /// Every context, in the order of the key reference.
  package static let all =
    [KeyContext.picture, .pan] + PanelSections.all.map { .section($0.id) }
    + [.cases, .list, .pairing, .command, .text, .question, .reading]

  /// The title of its keys in the key reference.
  var title: String {
    switch self {
    case .picture: "Picture"
    case .pan: "Moving the picture"
    case .section(let id): id.section.keysTitle
    case .cases: "Cases"
    case .list: "Lists"
    case .pairing: "Pairs of labels"
    case .command: "The command line"
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
    case .command: "After : and g, besides the keys for typing a line."
    case .text: "After :, g and /, and for comments, a label's name or its colour."
    case .question: "Nothing is overwritten or lost without one."
    case .reading: "After ? and M."
    }
  }

  /// The context in which a key without a binding in this one is looked up; nil for none.
  var fallback: KeyContext? {
    switch self {
    case .pan, .section: .picture
    case .command: .text
    case .picture, .cases, .list, .pairing, .text, .question, .reading: nil
    }
  }

  /// Whether characters are typed into a line.
  var isTyping: Bool { self == .text || self == .command }
}
