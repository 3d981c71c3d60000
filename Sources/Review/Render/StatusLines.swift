import Foundation
import Screen
import Volumes
import Work

extension ReviewState {
  /// Draws the title line: case, versions A and B, verdict.
  func paintTitle(_ area: Rectangle, into frame: inout Frame) {
    frame.fill(area, Cell(" ", Theme.bar))
    let isRefining = live != nil && focus == .refinement
    let comparison = shownComparison?.view
    // On the narrowest screens the verdict comes before the name of the program, the filter and the version that is not
    // shown.
    let isNarrow = area.columns < ScreenLayout.panelBesidePictureColumns
    let program = isNarrow ? " " : " segdeck  "
    let sides = isNarrow && comparison == nil ? [shownVersion?.id] : [decisions.a, decisions.b]
    let versions = (isRefining ? [live?.base] : sides).compactMap { $0.flatMap { version($0) } }
    let isDifference = comparison == .difference
    let prefix = comparison.map(comparisonHeading) ?? ""
    // " segdeck  NAME  ", and two or more columns around each version.
    let around = isRefining ? 26 : versions.count * 5 + 2
    let filterWidth = area.columns >= 110 ? 30 : 12
    let filter = listFilter.map { ", filter " + TextWidth.truncated($0, to: filterWidth) } ?? ""
    let listPosition = position.map { $0 + (isNarrow ? "" : filter) + "  " } ?? ""
    let fixed = program.count + 1 + around + prefix.count + TextWidth.columns(listPosition)
    let natural = ([caseName ?? content.name] + versions.map(\.name)).reduce(fixed) {
      $0 + TextWidth.columns(cleaned($1))
    }
    // Both versions and the case's name come before the verdict, which the list of versions shows as well.
    let leastName = isNarrow ? 4 : 6
    let minimum = ([caseName ?? content.name] + versions.map(\.name)).reduce(fixed) {
      $0 + min(leastName, TextWidth.columns(cleaned($1)))
    }
    let verdict = verdictText(
      atMost: max(area.columns / 3, area.columns - natural), room: max(0, area.columns - minimum))
    let (name, names) = fittedNames(
      versions, in: area.columns - fixed - TextWidth.columns(verdict), atLeast: leastName)
    var spans = [
      Span(program, Theme.barQuiet, click: .pictureKey("?")),
      Span(listPosition, Theme.bar, click: position == nil ? nil : .key("C")),
      Span(name + "  ", Theme.barStrong, click: position == nil ? .pictureKey("M") : .key("C")),
    ]
    if !prefix.isEmpty {
      spans.append(Span(prefix, isDifference ? Theme.active : Theme.barStrong, click: .pictureKey("D")))
    }
    if isRefining, let base = names.first {
      let isRefined = shownLive != nil
      let shows = { (own: Bool) in own && !isDifference ? Theme.active : Theme.barQuiet }
      spans += [
        Span(" before \(base) ", shows(!isRefined), click: isRefined ? .key(.tab) : nil),
        Span(" ", Theme.bar), Span(" refined ", shows(isRefined), click: isRefined ? nil : .key(.tab)),
        Span(" ", Theme.bar),
      ]
    } else {
      for (version, name) in zip(versions, names) {
        let letter = version.id == decisions.a ? "A" : "B"
        let isShown = shownVersion?.id == version.id && !isDifference
        // A click on the version that is not shown flips to it; one on the version shown opens the list of versions.
        let key: Key = shownVersion?.id == version.id ? "v" : .tab
        spans += [
          Span(
            " \(letter) \(name) ", isShown ? Theme.active : Theme.barQuiet, click: .pictureKey(key)),
          Span(" ", Theme.bar),
        ]
      }
    }
    if decisions.versions.isEmpty, !isImageShownEarly {
      spans.append(Span("no mask", Theme.barQuiet, click: .pictureKey("m")))
    }
    frame.write(spans, row: area.row, in: area)
    frame.writeAtRight(verdict, row: area.row, style: Theme.barStrong, in: area)
    let width = TextWidth.columns(verdict)
    let right = area.splitRight(min(width, area.columns)).0
    if width > 0 { frame.clickAreas.append(ClickArea(right, .pictureKey("U"))) }
  }

  /// The part of the title line before the names of A and B.
  private func comparisonHeading(_ comparison: ComparisonView) -> String {
    switch comparison {
    case .versions where !versionsInGrid.isEmpty: " \(counted(versionsInGrid.count, "version")) "
    case .sideBySide, .versions: " side by side "
    case .off, .difference, .contours, .checkerboard, .spyglass: " \(comparison.title) of "
    }
  }

  /// The names of the case and of versions; the longest are truncated until all fit.
  private func fittedNames(
    _ versions: [Version], in width: Int, atLeast least: Int
  ) -> (name: String, versions: [String]) {
    let name = cleaned(caseName ?? content.name)
    let names = versions.map { cleaned($0.name) }
    let lengths = ([name] + names).map { TextWidth.columns($0) }
    let longest = (least...max(least, lengths.max() ?? 0)).last { maximum in
      lengths.reduce(0) { $0 + min($1, maximum) } <= width
    }
    return (TextWidth.shortened(name, to: longest ?? least), TextWidth.shortened(names, to: longest ?? least))
  }

  /// The verdicts in about `width` columns and at most `room` columns; empty where nothing was decided.
  func verdictText(atMost width: Int, room: Int) -> String {
    let (unkept, decided) = (unkeptFacts, verdictFacts)
    let facts = unkept + decided
    guard !facts.isEmpty else { return "" }
    var text = " " + facts.map(\.whole).joined(separator: ", ") + " "
    if let accepted = decisions.verdicts.accepted.flatMap({ version($0) }) {
      // The accepted version's name is truncated to the remaining columns.
      let name = TextWidth.shortened(
        cleaned(accepted.name), to: max(6, width - TextWidth.columns(text) + 1))
      text = text.replacing("@", with: name, maxReplacements: 1)
    }
    guard TextWidth.columns(text) > room else { return text }
    // The last facts are the least important, and the verdict comes before what is not kept of it.
    let notKept = unkept.count > 1 ? ["not kept"] : unkept.map(\.word)
    var words = decided.prefix(1).map(\.word) + notKept + decided.dropFirst().map(\.word)
    while words.count > 1, words.joined(separator: ", ").count + 2 > room { words.removeLast() }
    return TextWidth.truncated(" " + words.joined(separator: ", ") + " ", to: room)
  }

  /// What is not kept of the decisions, as a text and as few words.
  private var unkeptFacts: [(whole: String, word: String)] {
    var facts: [(whole: String, word: String)] = []
    switch journal {
    case .opening, .writing: break
    case .failing, .absent: facts.append(("not journalled", "not journalled"))
    }
    if unwrittenVerdictsReason != nil { facts.append(("verdicts not written", "not written")) }
    return facts
  }

  /// Each decision as a text, with "@" for the accepted version's name, and as one word.
  private var verdictFacts: [(whole: String, word: String)] {
    let verdicts = decisions.verdicts
    var facts: [(whole: String, word: String)] = []
    if let accepted = verdicts.accepted.flatMap({ version($0) }) {
      let isExported = exported[accepted.id] != nil
      facts.append(
        ("accepted: @" + (isExported ? " and exported" : ""), isExported ? "exported" : "accepted"))
    } else if let elsewhere = standingAcceptanceElsewhere {
      let name = TextWidth.shortened(cleaned(elsewhere.name), to: 20)
      let isHere = presentVersions.contains { isCalled($0, elsewhere.name) }
      facts.append(("accepted: \(name), \(isHere ? "changed since" : "not here")", "accepted"))
    }
    let isShownRejected = shownVersion.map { verdicts[$0.id] == .rejected } ?? false
    if isShownRejected || verdicts.isCaseRejected {
      facts.append((isShownRejected ? "rejected" : "case rejected", "rejected"))
    } else if verdicts.accepted == nil,
      let rejected = presentVersions.first(where: { verdicts.rejected.contains($0.id) })
    {
      // The verdict is that of the case, whichever version is shown.
      facts.append(("rejected: \(TextWidth.shortened(cleaned(rejected.name), to: 20))", "rejected"))
    }
    if verdicts.needsWork { facts.append(("needs work", "needs work")) }
    if verdicts.isFlagged { facts.append(("case flagged", "flagged")) }
    if let score = verdicts.score { facts.append(("score \(score)", "score \(score)")) }
    if !verdicts.comment.isEmpty { facts.append(("comment", "comment")) }
    return facts
  }

  /// Draws the view line: plane, zoom, window and overlay.
  func paintViewLine(_ area: Rectangle, into frame: inout Frame) {
    frame.fill(area, Cell(" ", Theme.bar))
    let window = intensities.onlyValue.map { "one intensity, \(brief(Double($0)))" } ?? view.window.text
    var spans = [Span(" window ", Theme.barQuiet), Span(window, Theme.barStrong)].clicked(as: "w")
    // At 80 columns, the legend and unusual settings replace the window's name.
    let comparison = shownComparison
    let isCrowded = comparison != nil || frameText != nil || !gridNotes.isEmpty
    if intensities.onlyValue == nil, let name = view.windowName, !isCrowded || area.columns >= 110 {
      spans.append(Span(" \(name)", Theme.bar, click: .pictureKey("w")))
    }
    spans.append(Span("  \(view.convention.rawValue)", Theme.barStrong, click: .pictureKey("O")))
    if let frameText { spans.append(Span("  " + frameText, Theme.barStrong, click: .pictureKey(")"))) }
    if view.zoom != 1 {
      spans.append(Span("  zoom \(brief(view.zoom, atMost: 1))", Theme.bar, click: .pictureKey("0")))
    }
    if let comparison, comparison.view != .difference {
      spans += [
        Span("  \(comparison.view.title)  ", Theme.barQuiet),
        Span(comparisonText(comparison.view), Theme.barStrong),
      ].clicked(as: "D")
    } else if let comparison {
      func swatch(_ colour: RGB, _ text: String) {
        spans += [
          Span("  ■ ", Style(foreground: colour.colour, background: Theme.bar.background)),
          Span(text, Theme.bar),
        ].clicked(as: "D")
      }
      var isLive = false
      if case .refinement = comparison.labels { isLive = true }
      swatch(Theme.onlyA, isLive ? "lost" : "only A")
      swatch(Theme.onlyB, isLive ? "gained" : "only B")
      swatch(Theme.both, isLive ? "kept" : "both")
      swatch(Theme.conflict, "other label")
    } else if mappedVersion(nil) != nil {
      spans += mapLegend()
    } else if view.overlay.isShown {
      let fill = "fill \(Int(saturating: (view.overlay.opacity * 100).rounded()))%"
      spans.append(
        Span(
          "  labels \(view.overlay.style == .fill ? fill : "outlined")", Theme.bar, click: .pictureKey("u")))
      let used = spans.reduce(0) { $0 + TextWidth.columns($1.text) }
      if let hidden = hiddenLabelsText(width: area.columns - used - 2) {
        spans.append(Span(", \(hidden)", Theme.barStrong, click: .pictureKey("b")))
      }
    } else {
      spans.append(Span("  labels off", Theme.barStrong, click: .pictureKey(" ")))
    }
    for note in gridNotes { spans.append(Span("  \(note)", Theme.bar, click: .pictureKey("M"))) }
    frame.write(spans, row: area.row, in: area)
  }

  /// The text about labels that the overlay does not show, in at most `width` columns; nil when it shows all.
  private func hiddenLabelsText(width: Int) -> String? {
    let (labels, hidden) = (shownLabels, hiddenLabelCount)
    guard hidden > 0 else { return nil }
    if hidden == labels.count - 1, let version = shownVersion,
      let shown = labels.first(where: { isVisible($0, of: version) })
    {
      return "only \(TextWidth.shortened(cleaned(shown.name), to: min(20, max(5, width - 5))))"
    }
    return "\(hidden) of \(labels.count) hidden"
  }

  /// Draws the message on the left and the running job on the right.
  func paintMessageLine(_ area: Rectangle, into frame: inout Frame) {
    var area = area
    let journal = jobs[.journal].map { (job: $0, title: "quits when the journal is open") }
    if let (job, title) = quitsWhenJournalIsWritten ? journal : longJob {
      var text = "\(title) \(progressBar(job.fraction, width: area.columns >= 110 ? 20 : 8))"
      if let seconds = job.remainingSeconds { text += "  \(duration(seconds)) left" }
      text += quitsWhenJournalIsWritten ? "  Esc stays " : "  Esc cancels "
      let width = min(TextWidth.columns(text), area.columns)
      let (right, rest) = area.splitRight(width)
      frame.write([Span(text, Theme.progress, click: .key(.escape))], row: area.row, in: right)
      // Two blank columns separate a truncated message from the job.
      area = rest.splitRight(2).rest
    }
    guard let message else { return }
    let style = message.kind.style
    var text = " " + message.text
    if TextWidth.columns(text) > area.columns { text = " " + message.textWithFileNames }
    guard TextWidth.columns(text) > area.columns else {
      frame.write(messageSpans(text, style).clicked(as: "M"), row: area.row, in: area)
      return
    }
    if message.kind == .error, area.row > 0 {
      return paintLongError(text, area, into: &frame)
    }
    let isReadable = KeyTable.action(.character("M"), in: keyContext) == .session(.showMessages)
    let hint = isReadable ? " M: all of it" : ""
    let room = area.columns - hint.count
    frame.write(
      (messageSpans(TextWidth.truncated(text, to: room).fitted(room), style) + [Span(hint, Theme.strong)])
        .clicked(as: "M"), row: area.row, in: area)
  }

  /// Draws an error that is longer than its row on this row and the one above, which has the settings of the view.
  private func paintLongError(_ text: String, _ area: Rectangle, into frame: inout Frame) {
    let hint =
      KeyTable.action(.character("M"), in: keyContext) == .session(.showMessages) ? " M: all of it" : ""
    let lines = wrapped(text, width: area.columns - 1)
    let rest = lines.dropFirst().joined(separator: " ")
    let isWhole = TextWidth.columns(rest) < area.columns
    let room = area.columns - 1 - (isWhole ? 0 : hint.count)
    let shown = [lines.first ?? "", TextWidth.truncated(rest, to: room)]
    for (offset, line) in shown.enumerated() {
      var spans = [Span(" " + line.fitted(offset == 0 ? area.columns - 1 : room), Theme.error)]
      if offset == 1, !isWhole { spans.append(Span(hint, Theme.strong)) }
      frame.write(
        spans.clicked(as: "M"), row: area.row - 1 + offset,
        in: Rectangle(
          row: area.row - 1 + offset, column: area.column, rows: 1, columns: area.columns))
    }
  }

  /// Draws the line that is being typed, or else as many keys of the current context as fit.
  func paintKeyBar(_ area: Rectangle, into frame: inout Frame) {
    if let search, search.isTyping {
      let isMissing = search.found == nil && !search.entry.text.isEmpty
      paintEntry("/", search.entry, hint: isMissing ? "nothing has this" : "", area, into: &frame)
    } else if case .command(let line) = dialog {
      paintEntry(
        line.prompt.rawValue, line.entry, hint: line.entry.text.isEmpty ? examples(line.prompt) : "", area,
        into: &frame)
      paintCandidates(line, above: area.row, into: &frame)
    } else if case .label(let edit, let entry) = dialog {
      paintEntry(TextWidth.truncated(prompt(edit), to: area.columns / 2), entry, hint: "", area, into: &frame)
    } else if case .comment(let entry) = dialog {
      paintEntry(
        "comment ", entry, hint: entry.text.isEmpty ? "Enter keeps it, Esc does not" : "", area, into: &frame)
    } else {
      paintKeys(area, into: &frame)
    }
  }

  /// Examples of input after a prompt.
  private func examples(_ prompt: CommandLine.Prompt) -> String {
    let label = shownLabels.first.map { ", \(TextWidth.shortened(cleaned($0.name), to: 20))" } ?? ""
    let destinations = "40, 120,80,40, -12.5,40,81mm" + label
    return prompt == .command ? "Tab completes, ↑ shows earlier lines, Enter does it" : destinations
  }

  func paintEntry(
    _ prompt: String, _ entry: TextEntry, hint: String, _ area: Rectangle, into frame: inout Frame
  ) {
    let start = area.column + 1 + TextWidth.columns(prompt)
    let room = max(1, area.columns - start - 1)
    // The end of a long line matters more than its start.
    var (first, used) = (entry.cursor, 0)
    while first > 0 {
      used += TextWidth.columns(String(entry.characters[first - 1]))
      guard used <= room else { break }
      first -= 1
    }
    let before = String(entry.characters[first..<entry.cursor])
    let after = String(entry.characters[entry.cursor...])
    let spans = [Span(" " + prompt, Theme.strong), Span(before + after), Span("  " + hint, Theme.quiet)]
    frame.write(spans, row: area.row, in: area)
    frame.cursor = ScreenCell(row: area.row, column: start + TextWidth.columns(before))
  }

  /// Draws keys by importance; the keys for help and for leaving are visible on every screen.
  func paintKeys(_ area: Rectangle, in context: KeyContext? = nil, into frame: inout Frame) {
    frame.fill(area, Cell(" ", Theme.bar))
    let context = context ?? keyContext
    var column = area.column + 1
    let bindings = KeyTable.bindings.enumerated().filter {
      $0.element.context == context && $0.element.barWord != nil && hasEffect($0.element)
    }.sorted { (barRank($0.element), $0.offset) < (barRank($1.element), $1.offset) }.map(\.element)
    let last = bindings.filter { lastActions.contains($0.action) }
    let reserved = last.map { TextWidth.columns(barText($0)) + 2 }.reduce(0, +)
    let end = area.column + area.columns
    for binding in bindings where !last.contains(binding) {
      let width = TextWidth.columns(barText(binding)) + 2
      guard column + width + reserved <= end + 1 else { break }
      column = write(binding, row: area.row, column: column, in: area, into: &frame)
    }
    for binding in last { column = write(binding, row: area.row, column: column, in: area, into: &frame) }
  }

  /// Whether a binding has an effect: keys of the worklist have none in a review of one image.
  private func hasEffect(_ binding: KeyBinding) -> Bool {
    if case .worklist = binding.action { position != nil } else { true }
  }

  /// The rank of a binding in the bar; in a review of a worklist, the keys for going through it come first.
  private func barRank(_ binding: KeyBinding) -> Int {
    guard position != nil else { return binding.barRank }
    switch binding.action {
    case .verdict(.give(.accepted)), .worklist(.giveVerdict(.accepted)), .worklist(.next), .jump(.next):
      return 0
    default: return binding.barRank
    }
  }

  /// Help and the actions that leave the current context.
  private var lastActions: Set<Action> {
    [.session(.showHelp), .session(.quit), .session(.back), .answer(.dismiss)]
  }

  private func barText(_ binding: KeyBinding) -> String {
    barSpans(binding).map(\.text).joined().trimmingCharacters(in: .whitespaces)
  }

  /// The word of a binding; in pairs of labels that the reviewer asked for, leaving keeps no names.
  private func barWord(_ binding: KeyBinding) -> String {
    if binding.context == .pairing, binding.action == .answer(.dismiss), case .pairing(let pairing) = dialog,
      !pairing.isOpenedByProgram
    {
      return "leave them"
    }
    return binding.barWord ?? ""
  }

  /// The keys of a binding and its word; a click on a key presses that key, and one on the word the first key.
  private func barSpans(_ binding: KeyBinding) -> [Span] {
    let arrows: [Key: String] = [.up: "↑", .down: "↓", .left: "←", .right: "→"]
    let gap = binding.barKeys.allSatisfy { arrows[$0] != nil } ? "" : " "
    let keys = binding.barKeys.enumerated().map { position, key in
      Span((position == 0 ? "" : gap) + (arrows[key] ?? key.label), Theme.barStrong, click: .key(key))
    }
    let word = Span(
      " \(barWord(binding))  ", Theme.barQuiet, click: binding.barKeys.first.map { .key($0) })
    return keys + [word]
  }

  private func write(
    _ binding: KeyBinding, row: Int, column: Int, in area: Rectangle, into frame: inout Frame
  ) -> Int {
    let rest = Rectangle(
      row: row, column: column, rows: 1, columns: area.column + area.columns - column)
    var spans = barSpans(binding)
    let width = spans.reduce(0) { $0 + TextWidth.columns($1.text) }
    // What does not fit may be the gap behind the last word, which is no reason for an ellipsis.
    if width > rest.columns { spans.append(spans.removeLast().withoutTrailingBlanks) }
    frame.write(spans, row: row, in: rest)
    return column + width
  }
}
