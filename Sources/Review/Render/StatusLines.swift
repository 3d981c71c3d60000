import Screen
import Volumes
import Work

extension ReviewState {
  /// Draws the title line: case, versions A and B, verdict.
  func paintTitle(_ area: Rectangle, into frame: inout Frame) {
    frame.fill(area, Cell(" ", Theme.bar))
    let isRefining = live != nil && focus == .refinement
    let ids = isRefining ? [live?.base] : [decisions.a, decisions.b]
    let versions = ids.compactMap { $0.flatMap { version($0) } }
    let isDifference = shownDifference != nil
    let prefix = isDifference ? " difference of " : ""
    // " segdeck  NAME  ", and two or more columns around each version.
    let around = isRefining ? 26 : versions.count * 5 + 2
    let place = position.map { $0 + "  " } ?? ""
    let fixed = 11 + around + prefix.count + place.count
    let natural = ([content.name] + versions.map(\.name)).reduce(fixed) {
      $0 + TextWidth.columns(cleaned($1))
    }
    let verdict = verdictText(atMost: max(area.columns / 3, area.columns - natural))
    let (name, names) = fittedNames(
      versions, in: area.columns - fixed - TextWidth.columns(verdict))
    var spans = [
      Span(" segdeck  ", Theme.barQuiet), Span(place, Theme.bar), Span(name + "  ", Theme.barStrong),
    ]
    if isDifference { spans.append(Span(prefix, Theme.active)) }
    if isRefining, let base = names.first {
      let isRefined = shownLive != nil
      let shows = { (own: Bool) in own && !isDifference ? Theme.active : Theme.barQuiet }
      spans += [
        Span(" before \(base) ", shows(!isRefined)), Span(" ", Theme.bar),
        Span(" refined ", shows(isRefined)), Span(" ", Theme.bar),
      ]
    } else {
      for (version, name) in zip(versions, names) {
        let letter = version.id == decisions.a ? "A" : "B"
        let isShown = shownVersion?.id == version.id && !isDifference
        spans += [Span(" \(letter) \(name) ", isShown ? Theme.active : Theme.barQuiet), Span(" ", Theme.bar)]
      }
    }
    if decisions.versions.isEmpty { spans.append(Span("no mask", Theme.barQuiet)) }
    frame.write(spans, row: area.row, in: area)
    frame.writeAtRight(verdict, row: area.row, style: Theme.barStrong, in: area)
  }

  /// The names of the case and of versions, the longest cut until all of them fit.
  private func fittedNames(_ versions: [Version], in width: Int) -> (name: String, versions: [String]) {
    let name = cleaned(content.name)
    let names = versions.map { cleaned($0.name) }
    let lengths = ([name] + names).map { TextWidth.columns($0) }
    let longest = (6...max(6, lengths.max() ?? 0)).last { most in
      lengths.reduce(0) { $0 + min($1, most) } <= width
    }
    return (TextWidth.shortened(name, to: longest ?? 6), TextWidth.shortened(names, to: longest ?? 6))
  }

  /// The verdicts, in at most `width` columns; empty when nothing was.
  private func verdictText(atMost width: Int) -> String {
    let verdicts = decisions.verdicts
    var facts: [String] = []
    switch journal {
    case .opening, .writing: break
    case .failing, .absent: facts.append("not journalled")
    }
    if let accepted = verdicts.accepted.flatMap({ version($0) }) {
      facts.append("accepted: @" + (exported[accepted.id] == nil ? "" : " and exported"))
    }
    if let shown = shownVersion, verdicts[shown.id] == .rejected { facts.append("rejected") }
    if verdicts.needsWork { facts.append("needs work") }
    if verdicts.isFlagged { facts.append("case flagged") }
    if let score = verdicts.score { facts.append("score \(score)") }
    if !verdicts.comment.isEmpty { facts.append("comment") }
    guard !facts.isEmpty else { return "" }
    let text = " " + facts.joined(separator: ", ") + " "
    guard let accepted = verdicts.accepted.flatMap({ version($0) }) else { return text }
    // The accepted version's name gets the columns that the facts leave.
    let name = TextWidth.shortened(cleaned(accepted.name), to: max(6, width - TextWidth.columns(text) + 1))
    return text.replacing("@", with: name, maxReplacements: 1)
  }

  /// Draws the voxel line: position, intensity and label at the crosshair.
  func paintVoxelLine(_ area: Rectangle, into frame: inout Frame) {
    frame.fill(area, Cell(" ", Theme.bar))
    let index = view.crosshair
    let world = grid.affine.world(index)
    let intensity = Double(content.image.voxels[grid.size.offset(index)])
    var spans = [
      Span(" ijk ", Theme.barQuiet), Span("\(index.i) \(index.j) \(index.k)", Theme.barStrong),
      Span("  RAS ", Theme.barQuiet),
      Span("\(decimals(world.x, 1)) \(decimals(world.y, 1)) \(decimals(world.z, 1)) mm", Theme.barStrong),
      Span("  \(intensities.looksLikeCT ? "HU" : "I") ", Theme.barQuiet),
      Span(brief(intensity, atMost: 2), Theme.barStrong), Span("  label ", Theme.barQuiet),
    ]
    if let label = labelAtCrosshair {
      spans.append(Span("■ ", Style(foreground: label.colour.rgb.colour, background: Theme.bar.background)))
      spans.append(Span(cleaned(label.name), Theme.barStrong))
    } else {
      spans.append(Span(shownVersion == nil ? "-" : "background", Theme.bar))
    }
    frame.write(spans, row: area.row, in: area)
  }

  /// Draws the view line: plane, zoom, window and overlay.
  func paintViewLine(_ area: Rectangle, into frame: inout Frame) {
    frame.fill(area, Cell(" ", Theme.bar))
    let window = intensities.onlyValue.map { "one intensity, \(brief(Double($0)))" } ?? view.window.text
    var spans = [Span(" window ", Theme.barQuiet), Span(window, Theme.barStrong)]
    // At 80 columns the legend, and whatever is unusual, need the room of the window's name.
    let difference = shownDifference
    let isCrowded = difference != nil || frameText != nil || !gridNotes.isEmpty
    if intensities.onlyValue == nil, let name = view.windowName, !isCrowded || area.columns >= 110 {
      spans.append(Span(" \(name)", Theme.bar))
    }
    spans.append(Span("  \(view.convention.rawValue)", Theme.barStrong))
    if let frameText { spans.append(Span("  " + frameText, Theme.barStrong)) }
    if view.zoom != 1 { spans.append(Span("  zoom \(brief(view.zoom, atMost: 1))", Theme.bar)) }
    if let difference {
      func swatch(_ colour: RGB, _ text: String) {
        spans.append(Span("  ■ ", Style(foreground: colour.colour, background: Theme.bar.background)))
        spans.append(Span(text, Theme.bar))
      }
      var isLive = false
      if case .refinement = difference { isLive = true }
      swatch(Theme.onlyA, isLive ? "lost" : "only A")
      swatch(Theme.onlyB, isLive ? "gained" : "only B")
      swatch(Theme.both, isLive ? "kept" : "both")
      swatch(Theme.conflict, "other label")
    } else if view.overlay.isShown {
      let fill = "fill \(Int(saturating: (view.overlay.opacity * 100).rounded()))%"
      spans.append(Span("  labels \(view.overlay.style == .fill ? fill : "outlined")", Theme.bar))
      let used = spans.reduce(0) { $0 + TextWidth.columns($1.text) }
      if let hidden = hiddenLabelsText(width: area.columns - used - 2) {
        spans.append(Span(", \(hidden)", Theme.barStrong))
      }
    } else {
      spans.append(Span("  labels off", Theme.barStrong))
    }
    for note in gridNotes { spans.append(Span("  \(note)", Theme.bar)) }
    frame.write(spans, row: area.row, in: area)
  }

  /// The labels that the overlay leaves out, a name in so many columns as are left; nil when it shows all.
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

  /// A message at the left, the running job at the right.
  func paintMessageLine(_ area: Rectangle, into frame: inout Frame) {
    var area = area
    let journal = jobs[.journal].map { (job: $0, title: "quits when the journal is open") }
    if let (job, title) = quitsWhenJournalIsWritten ? journal : longJob {
      var text = "\(title) \(progressBar(job.fraction, width: area.columns >= 110 ? 20 : 8))"
      if let seconds = job.remainingSeconds { text += "  \(duration(seconds)) left" }
      text += quitsWhenJournalIsWritten ? "  Esc stays " : "  Esc cancels "
      let width = min(TextWidth.columns(text), area.columns)
      let (right, rest) = area.splitRight(width)
      frame.write([Span(text, Theme.progress)], row: area.row, in: right)
      // Two columns stay free, so that a message that is cut does not run into the job.
      area = rest.splitRight(2).rest
    }
    guard let message else { return }
    let style = message.kind.style
    let text = " " + message.text
    guard TextWidth.columns(text) > area.columns else {
      frame.write([Span(text, style)], row: area.row, in: area)
      return
    }
    let isReadable = KeyTable.action(.character("M"), in: keyContext) == .session(.showMessages)
    let hint = isReadable ? " M: all of it" : ""
    let room = area.columns - hint.count
    frame.write(
      [Span(TextWidth.truncated(text, to: room).fitted(room), style), Span(hint, Theme.strong)],
      row: area.row,
      in: area)
  }

  /// The line that is being typed, else the keys that matter where the reviewer is, as many as fit.
  func paintKeyBar(_ area: Rectangle, into frame: inout Frame) {
    if let search, search.isTyping {
      let isMissing = search.found == nil && !search.entry.text.isEmpty
      paintEntry("/", search.entry, hint: isMissing ? "nothing has this" : "", area, into: &frame)
    } else if case .command(let prompt, let entry) = dialog {
      paintEntry(prompt, entry, hint: entry.text.isEmpty ? examples(prompt) : "", area, into: &frame)
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
  private func examples(_ prompt: String) -> String {
    let label = shownLabels.first.map { ", \(TextWidth.shortened(cleaned($0.name), to: 20))" } ?? ""
    let destinations = "40, 120,80,40, -12.5,40,81mm" + label
    return prompt == ":" ? "window 40 400, set theta-alpha 6, export NAME, messages, help" : destinations
  }

  func paintEntry(
    _ prompt: String, _ entry: TextEntry, hint: String, _ area: Rectangle, into frame: inout Frame
  ) {
    let start = area.column + 1 + TextWidth.columns(prompt)
    let room = max(1, area.columns - start - 1)
    // The end of a long line matters more than its start.
    let first = max(0, entry.cursor - room)
    let before = String(entry.characters[first..<entry.cursor])
    let after = String(entry.characters[entry.cursor...])
    let spans = [Span(" " + prompt, Theme.strong), Span(before + after), Span("  " + hint, Theme.quiet)]
    frame.write(spans, row: area.row, in: area)
    frame.cursor = ScreenCell(row: area.row, column: start + TextWidth.columns(before))
  }

  /// Keys in the order of their importance; help and the way out stay in sight however narrow the screen is.
  func paintKeys(_ area: Rectangle, in context: KeyContext? = nil, into frame: inout Frame) {
    frame.fill(area, Cell(" ", Theme.bar))
    let context = context ?? keyContext
    var column = area.column + 1
    let bindings = KeyTable.bindings.enumerated().filter {
      $0.element.context == context && $0.element.barWord != nil
    }.sorted { ($0.element.barRank, $0.offset) < ($1.element.barRank, $1.offset) }.map(\.element)
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

  /// Help, and the ways out.
  private var lastActions: Set<Action> {
    [.session(.showHelp), .session(.quit), .session(.back), .answer(.dismiss)]
  }

  private func barText(_ binding: KeyBinding) -> String {
    barKeys(binding) + " " + (binding.barWord ?? "")
  }

  private func barKeys(_ binding: KeyBinding) -> String {
    let arrows: [Key: String] = [.up: "↑", .down: "↓", .left: "←", .right: "→"]
    return binding.barKeys.map { arrows[$0] ?? $0.label }.joined(
      separator: binding.barKeys.allSatisfy { arrows[$0] != nil } ? "" : " ")
  }

  private func write(
    _ binding: KeyBinding, row: Int, column: Int, in area: Rectangle, into frame: inout Frame
  ) -> Int {
    let next = frame.write(barKeys(binding), row: row, column: column, style: Theme.barStrong, in: area)
    return frame.write(" \(binding.barWord ?? "")  ", row: row, column: next, style: Theme.barQuiet, in: area)
  }
}
