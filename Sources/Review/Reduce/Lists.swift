import Screen

extension Action {
  /// Moves of the pointer in the list that receives keys: by entries, by pages, or to the last or first entry.
  package enum PointerMove: ActionGroup {
    case entries(Int), pages(Int), end(isBottom: Bool)

    static let bindings: [KeyBinding] =
      bindings(in: .list, entry: "entry") + bindings(in: .pairing, entry: "label of A") + [
        KeyTable.bind(
          .reading, [.up, "k"], .pointer(.entries(-1)), "one line up", bar: "scroll", barKeys: [.up, .down]),
        KeyTable.bind(.reading, [.down, "j"], .pointer(.entries(1)), "one line down"),
        KeyTable.bind(.reading, ["["], .pointer(.pages(-1)), "a page up"),
        KeyTable.bind(
          .reading, ["]", " "], .pointer(.pages(1)), "a page down", bar: "page",
          barKeys: [.pageUp, .pageDown]),
      ] + pages(in: .reading)

    /// The keys that move the pointer of a list; `entry` names an entry in the key reference.
    static func bindings(in context: KeyContext, entry: String) -> [KeyBinding] {
      [
        KeyTable.bind(
          context, [.up, "k"], .pointer(.entries(-1)), "previous \(entry)", bar: "choose",
          barKeys: [.up, .down]),
        KeyTable.bind(context, [.down, "j"], .pointer(.entries(1)), "next \(entry)"),
      ] + pages(in: context)
    }

    private static func pages(in context: KeyContext) -> [KeyBinding] {
      [
        KeyTable.bind(context, [.pageUp], .pointer(.pages(-1)), "a page up"),
        KeyTable.bind(context, [.pageDown], .pointer(.pages(1)), "a page down"),
        KeyTable.bind(context, [.home], .pointer(.end(isBottom: false)), "to the top"),
        KeyTable.bind(context, [.end], .pointer(.end(isBottom: true)), "to the bottom"),
      ]
    }
  }

  /// Searches in the list that receives keys: a new search, or the next match of the last one.
  package enum SearchStep: ActionGroup {
    case begin, next(Int)

    static let bindings: [KeyBinding] = bindings(in: .list) + bindings(in: .reading)

    /// The keys that search in a list.
    static func bindings(in context: KeyContext) -> [KeyBinding] {
      [
        KeyTable.bind(
          context, ["/"], .search(.begin), "search; n and N go to the next and previous match", bar: "search",
          rank: 2),
        KeyTable.bind(context, ["n"], .search(.next(1)), "next match"),
        KeyTable.bind(context, ["N"], .search(.next(-1)), "previous match"),
      ]
    }
  }
}

/// A list with a pointer; the same keys move, page and search in every list.
struct PointedList {
  /// The identity of a list; a search ends when another list receives keys.
  enum Name: Hashable {
    case help, messages, windows, models, presets, colours, pairing, history, section(PanelSectionID)
  }

  let name: Name
  /// The number of entries, and the text of each for searches.
  let count: Int
  let text: (Int) -> String
  /// The selected entry, or the line at the top of a page of text; nil when there is none.
  let position: Int?
  /// The number of entries of a page.
  let page: () -> Int
  /// Whether the pointer wraps around at the ends.
  var wrapsAround = true

  /// The entry that the pointer is at after a move.
  func index(after move: Action.PointerMove) -> Int {
    let position = position ?? (move == .entries(-1) ? 0 : -1)
    switch move {
    case .entries(let steps):
      return wrapsAround ? (position + steps % count + count) % count : clamped(position + steps)
    case .pages(let pages): return clamped(max(0, position) + pages * page())
    case .end(let isBottom): return isBottom ? count - 1 : 0
    }
  }

  private func clamped(_ index: Int) -> Int { min(max(0, index), count - 1) }
}

extension ReviewState {
  /// The list that receives keys; nil where there is none.
  var pointedList: PointedList? {
    switch dialog {
    case .help(let line): textPages(.help, referenceLines, from: line)
    case .messages(let line): textPages(.messages, messageLines.map(\.text), from: line)
    case .windows(let selected): dialogList(.windows, intensities.presets.map(\.name), selected)
    case .models(let selected): dialogList(.models, (models ?? []).map { cleaned($0.name) }, selected)
    case .presets(let selected): dialogList(.presets, presetChoices.map(\.name), selected)
    case .colours(_, let selected):
      dialogList(.colours, ReviewState.palette.map(\.name) + ["another one, typed"], selected)
    case .pairing(let pairing):
      dialogList(
        .pairing, pairing.rows.map { version(pairing.a)?.table[$0.valueA]?.name ?? "" }, pairing.selected)
    case .history(let selected): dialogList(.history, history.steps.map(\.name), selected)
    case .command, .label, .comment, .question: nil
    case nil: focus.panelSection?.list(self)
    }
  }

  private func textPages(_ name: PointedList.Name, _ lines: [String], from line: Int) -> PointedList {
    PointedList(
      name: name, count: lines.count, text: { lines[$0] }, position: line, page: { max(1, textPageRows - 2) },
      wrapsAround: false)
  }

  /// Opens the key reference at the keys of a context.
  mutating func showReference(of context: KeyContext) {
    let lines = referenceLines
    dialog = .help(line: clampedTop(lines.firstIndex(of: context.title) ?? 0, of: lines.count))
  }

  private func dialogList(_ name: PointedList.Name, _ entries: [String], _ selected: Int) -> PointedList {
    PointedList(
      name: name, count: entries.count, text: { entries[$0] }, position: selected,
      page: { max(1, dialogListRows - 1) })
  }

  /// Points at an entry of the list that receives keys.
  private mutating func point(at index: Int) {
    switch dialog {
    case .help: dialog = .help(line: clampedTop(index, of: referenceLines.count))
    case .messages: dialog = .messages(line: clampedTop(index, of: messageLines.count))
    case .windows: dialog = .windows(selected: index)
    case .models: dialog = .models(selected: index)
    case .presets: dialog = .presets(selected: index)
    case .colours(let edit, _): dialog = .colours(edit, selected: index)
    case .pairing(var pairing):
      pairing.selected = index
      dialog = .pairing(pairing)
    case .history: dialog = .history(selected: index)
    case .command, .label, .comment, .question: break
    case nil: focus.panelSection?.point(at: index, &self)
    }
  }

  /// The first line of a page of text, clamped so that the page does not extend beyond the last line.
  func clampedTop(_ line: Int, of count: Int) -> Int { min(max(0, line), max(0, count - textPageRows)) }

  /// Shows the messages of the session from the end on.
  mutating func openMessages() { dialog = .messages(line: clampedTop(.max, of: messageLines.count)) }

  /// Moves the pointer of the list that receives keys.
  mutating func movePointer(_ move: Action.PointerMove) {
    guard let list = pointedList, list.count > 0 else { return }
    point(at: list.index(after: move))
  }

  /// Points at an entry of the list that receives keys, which must have it.
  mutating func pointTo(_ entry: Int) { point(at: entry) }

  // MARK: Searching

  /// Begins a search in the list that receives keys, or continues the last one.
  mutating func searchList(_ step: Action.SearchStep) {
    guard let list = pointedList else { return }
    switch step {
    // Also in a list that is empty, or not known yet: what is typed must not act as keys.
    case .begin: search = ListSearch(start: list.position ?? 0)
    case .next(let steps): searchOn(steps, in: list)
    }
  }

  /// Ends typing: keeps the match, or goes back to where the search began.
  mutating func endTypingSearch(_ answer: Action.Answer) {
    guard let list = pointedList else { return }
    // The list may have got its entries only after the text was typed.
    if answer == .accept, search?.found == nil { seek(in: list) }
    guard var search else { return }
    switch answer {
    case .accept:
      search.isTyping = false
      self.search = search.entry.text.isEmpty ? nil : search
      if search.found == nil, !search.entry.text.isEmpty { showNothingFoundMessage() }
    case .dismiss: endSearch()
    // No key has these actions while a line is being typed.
    case .changePartner, .typeColour: break
    }
  }

  /// Edits the text of the search, and points at the first match from where the search began.
  mutating func editSearch(_ edit: Action.TextEdit) {
    guard let search, let list = pointedList else { return }
    // Erasing an empty line leaves it, as editors do.
    if edit == .eraseBackwards, search.entry.text.isEmpty { return endSearch() }
    self.search?.entry.edit(edit)
    seek(in: list)
  }

  /// Adds typed text to the search.
  mutating func typeIntoSearch(_ text: String) {
    guard let list = pointedList else { return }
    search?.entry.insert(text)
    seek(in: list)
  }

  private mutating func seek(in list: PointedList) {
    guard let search else { return }
    let found = nextMatch(of: search, in: list, from: search.start, by: 1)
    self.search?.found = found
    if list.count > 0 { point(at: found ?? min(search.start, list.count - 1)) }
  }

  private mutating func endSearch() {
    if let start = search?.start, let list = pointedList, list.count > 0 {
      point(at: min(start, list.count - 1))
    }
    search = nil
  }

  private mutating func searchOn(_ steps: Int, in list: PointedList) {
    guard let search else {
      message = Message("/ searches in this list; n and N go to the next and previous match", .warning)
      return
    }
    let from = search.found ?? list.position ?? 0
    guard let match = nextMatch(of: search, in: list, from: from + steps, by: steps) else {
      return showNothingFoundMessage()
    }
    self.search?.found = match
    point(at: match)
  }

  private mutating func showNothingFoundMessage() {
    guard let search else { return }
    message = Message("nothing in this list has \"\(search.entry.text)\"", .warning)
  }

  /// The next match from an entry on; the search wraps around.
  private func nextMatch(of search: ListSearch, in list: PointedList, from start: Int, by step: Int) -> Int? {
    (0..<list.count).lazy.map { ((start + $0 * step) % list.count + list.count) % list.count }
      .first { search.matches(list.text($0)) }
  }
}
