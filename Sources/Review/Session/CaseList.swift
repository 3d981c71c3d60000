import Screen
import Worklist

extension Action {
  /// Changes of the list of cases.
  package enum CaseListStep: ActionGroup {
    case filter, toggleUnread, sort(Int), reverse

    static let bindings: [KeyBinding] =
      PointerMove.bindings(in: .cases, entry: "case") + [
        KeyTable.bind(.cases, [.enter], .answer(.accept), "open the case", bar: "open"),
        KeyTable.bind(
          .cases, ["/"], .caseList(.filter),
          "filter as you type: dice<0.8 and unread, flagged, score>=4, text",
          bar: "filter"),
        KeyTable.bind(
          .cases, ["u"], .caseList(.toggleUnread), "only the unread ones of these cases, or all of them",
          bar: "unread"),
        KeyTable.bind(.cases, ["s"], .caseList(.sort(1)), "sort by the next column", bar: "sort"),
        KeyTable.bind(.cases, ["S"], .caseList(.sort(-1)), "sort by the previous column"),
        KeyTable.bind(.cases, ["r"], .caseList(.reverse), "reverse the order", bar: "reverse"),
        KeyTable.bind(.cases, ["?", .function(1)], .session(.showHelp), "this key reference"),
        KeyTable.bind(.cases, [.escape, "C", "q"], .answer(.dismiss), "back to the case", bar: "back"),
      ]
  }
}

/// The list of cases while it is on the screen.
package struct CaseList: Equatable, Sendable {
  /// The case that the list points at; nil where the filter leaves none.
  package internal(set) var selected: CaseID?
  /// The filter while it is being typed.
  package var entry: TextEntry?
  /// The filter before typing, which Esc restores.
  var filterBefore = ""
}

extension SessionState {
  /// Whether the list receives keys: it is on the screen, without the key reference over it.
  var isListShown: Bool {
    if case .help? = review.dialog { return false }
    return worklist.list != nil
  }

  /// Opens the key reference of the case over the list, at the keys of the list.
  private mutating func showReference() {
    // Another dialog of the case waits until the list is closed.
    guard review.phase == .reviewing, review.dialog == nil else { return }
    cases[current]?.showReference(of: .cases)
  }

  /// Puts the list on the screen, with the current case selected.
  mutating func showList() -> [SessionEffect] {
    worklist.list = CaseList(selected: worklist.order.contains(current) ? current : worklist.order.first)
    return []
  }

  /// The key context while the list is on the screen.
  var listContext: KeyContext { worklist.list?.entry == nil ? .cases : .text }

  /// Handles a key in the list.
  mutating func handleListKey(_ key: Key) -> [SessionEffect] {
    switch KeyTable.action(key, in: listContext) {
    case .pointer(let move): point(move)
    case .answer(let answer): return self.answer(answer)
    case .caseList(let step): changeList(step)
    case .text(let edit):
      edit == .eraseBackwards && worklist.list?.entry?.text == ""
        ? cancelFilter() : editFilter { $0.edit(edit) }
    case .session(.showHelp): showReference()
    case nil:
      if listContext == .text, case .character(let character) = key {
        editFilter { $0.insert(String(character)) }
      }
      if key == .control("c") { return askBeforeLeaving() ?? leaveAll() }
    // No key of the list has these actions.
    case .move, .frame, .picture, .overlay, .jump, .component, .visibility, .label, .version, .refinement,
      .network, .focus, .verdict, .session, .worklist, .search, .commandLine:
      break
    }
    return []
  }

  /// Inserts pasted text.
  mutating func pasteIntoList(_ text: String) { if listContext == .text { editFilter { $0.insert(text) } } }

  /// Handles a click or the wheel in the list; a click on the selected case opens it.
  mutating func handleListMouse(_ event: MouseEvent) -> [SessionEffect] {
    switch event.action {
    case .wheelUp: point(.entries(-1))
    case .wheelDown: point(.entries(1))
    case .press where event.button == 1:
      switch render(self).clickTarget(at: event.cell) {
      case .key(let key): return handleListKey(key)
      case .heading(let position):
        worklist.sort(byColumn: position)
      case .entry(let position, _):
        guard worklist.order.indices.contains(position) else { return [] }
        let id = worklist.order[position]
        if worklist.list?.selected == id { return open(fromList: id) }
        worklist.list?.selected = id
      case .pictureKey, .candidate, .labelOfOther, nil: break
      }
    case .press, .drag, .release: break
    }
    return []
  }

  private mutating func point(_ move: Action.PointerMove) {
    let order = worklist.order
    guard !order.isEmpty else { return }
    let position = worklist.list?.selected.flatMap { order.firstIndex(of: $0) } ?? 0
    let next =
      switch move {
      case .entries(let count): position + count
      case .pages(let count): position + count * max(1, listRows - 1)
      case .end(let isBottom): isBottom ? order.count - 1 : 0
      }
    worklist.list?.selected = order[min(max(0, next), order.count - 1)]
  }

  private mutating func answer(_ answer: Action.Answer) -> [SessionEffect] {
    let isAccepted = answer == .accept
    if worklist.list?.entry != nil {
      if isAccepted { finishFilter() } else { cancelFilter() }
      return []
    }
    guard isAccepted else {
      worklist.list = nil
      return []
    }
    return worklist.list?.selected.map { open(fromList: $0) } ?? []
  }

  private mutating func open(fromList id: CaseID) -> [SessionEffect] {
    worklist.list = nil
    return id == current ? [] : move(to: id)
  }

  private mutating func changeList(_ step: Action.CaseListStep) {
    switch step {
    case .filter:
      worklist.list?.filterBefore = worklist.filter
      worklist.list?.entry = TextEntry(worklist.filter)
    case .toggleUnread: setFilter(filterTogglingUnread)
    case .sort(let count): worklist.sort(by: count)
    case .reverse: worklist.reverse()
    }
  }

  /// The filter for only the unread ones of the listed cases, or without that.
  private var filterTogglingUnread: String {
    let (unread, filter) = ("unread", worklist.filter)
    guard !filter.isEmpty, filter != unread else { return filter.isEmpty ? unread : "" }
    let beginning = "\(unread) and ("
    let inner = String(filter.dropFirst(beginning.count).dropLast())
    let isToggled =
      filter.hasPrefix(beginning) && filter.hasSuffix(")")
      && (try? CaseQuery(inner, columns: worklist.columns)) != nil
    return isToggled ? inner : "\(beginning)\(filter))"
  }

  private mutating func editFilter(_ edit: (inout TextEntry) -> Void) {
    guard var entry = worklist.list?.entry else { return }
    edit(&entry)
    worklist.list?.entry = entry
    setFilter(entry.text, isBeingTyped: true)
  }

  private mutating func finishFilter() {
    guard let entry = worklist.list?.entry else { return }
    setFilter(entry.text)
    // A filter that is not valid stays in its line, with its error.
    if worklist.filterProblem == nil { worklist.list?.entry = nil }
  }

  private mutating func cancelFilter() {
    worklist.list?.entry = nil
    setFilter(worklist.list?.filterBefore ?? "")
  }

  private mutating func setFilter(_ text: String, isBeingTyped: Bool = false) {
    worklist.setFilter(text, isBeingTyped: isBeingTyped)
    if let selected = worklist.list?.selected, worklist.order.contains(selected) { return }
    worklist.list?.selected = worklist.order.first
  }
}
