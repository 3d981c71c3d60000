import Screen
import Work

extension ReviewState {
  /// Draws the open dialog.
  func paintDialog(into frame: inout Frame) {
    switch dialog {
    case nil, .command, .label, .comment: break
    case .help(let line):
      paintText("Keys", referenceLines.map(ReviewState.styled), from: line, into: &frame)
    case .messages(let line):
      paintText("Messages, the newest last", messageLines.map { [$0] }, from: line, into: &frame)
    case .colours(let edit, let selected): paintColours(edit, selected, into: &frame)
    case .pairing(let pairing): paintPairing(pairing, into: &frame)
    case .windows(let selected): paintWindows(selected, into: &frame)
    case .models(let selected): paintModels(selected, into: &frame)
    case .presets(let selected): paintPresets(selected, into: &frame)
    case .history(let selected): paintHistory(selected, into: &frame)
    case .question(let question):
      let width = min(frame.columns - 8, 72)
      var lines = wrapped(text(question), width: width - 4).map { [Span($0, Theme.strong)] }
      lines += [
        [],
        [
          Span("y", Theme.strong, click: .key("y")), Span(" yes    ", click: .key("y")),
          Span("n", Theme.strong, click: .key("n")), Span(" no", click: .key("n")),
        ],
      ]
      paintBox("Question", lines, width: width, into: &frame)
    }
  }

  /// The number of rows of a page of text, and the maximum of a list in a dialog, of which a low screen gives more.
  var textPageRows: Int { max(1, screen.rows - 5) }
  var dialogListRows: Int { max(1, screen.rows - 14, min(6, screen.rows - 8)) }

  /// The key reference, wrapped to the width of the screen.
  var referenceLines: [String] { KeyReference.lines(width: screen.columns - 6) }

  /// Every message of the session, wrapped to the width of the screen.
  var messageLines: [Span] {
    let width = screen.columns - 6
    return messageLog.messages.flatMap { message in
      wrapped(message.text, width: max(1, width - 2)).enumerated().map { position, line in
        Span((position == 0 ? "· " : "  ") + line, message.kind.style)
      }
    }
  }

  private static func styled(_ line: String) -> [Span] {
    [Span(line, line.hasPrefix(" ") ? line.hasPrefix("    ") ? Theme.plain : Theme.quiet : Theme.strong)]
  }

  /// Draws a page of text over the whole screen except the key bar.
  private func paintText(_ title: String, _ lines: [[Span]], from first: Int, into frame: inout Frame) {
    let area = frame.bounds.splitBottom(1).rest.inset(1)
    clear(area, into: &frame)
    frame.drawBox(area, title: title, titleStyle: Theme.strong)
    let body = area.inset(1)
    let top = clampedTop(first, of: lines.count)
    for (offset, line) in lines.dropFirst(top).prefix(body.rows).enumerated() {
      let isMatch = search?.matches(line.map(\.text).joined()) == true
      let shown = isMatch ? line.map { Span($0.text, Theme.match) } : line
      frame.write([Span(" ")] + shown, row: body.row + offset, in: body)
    }
    let last = min(lines.count, top + body.rows)
    let range = lines.isEmpty ? " nothing yet " : " \(top + 1)-\(last) of \(lines.count) "
    frame.writeAtRight(
      range, row: area.row + area.rows - 1, style: Theme.quiet,
      in: Rectangle(row: area.row, column: area.column + 1, rows: area.rows, columns: area.columns - 2))
  }

  private func paintWindows(_ selected: Int, into frame: inout Frame) {
    let width = min(frame.columns - 8, 60)
    let presets = intensities.presets
    let table = NameTable(
      width: width - 6,
      [NameTable.Column("", widest: presets.map { $0.window.text }.max { $0.count < $1.count } ?? "")])
    paintList(
      "Window (centre/width)", presets.map { table.line($0.name, [$0.window.text]) }, selected,
      [[], [Span("or type :window CENTRE WIDTH", Theme.quiet)]], width: width, into: &frame)
  }

  private func paintColours(_ edit: LabelEdit, _ selected: Int, into frame: inout Frame) {
    let name = decisions.versions.first { $0.family == edit.family }?.table[edit.value]?.name ?? ""
    let palette = ReviewState.palette
    let width = min(frame.columns, 46)
    let textWidth = min(32, width - 10)
    paintList(
      "Colour of \(cleaned(name))", count: palette.count + 1, atMost: frame.rows, selected, [], width: width,
      into: &frame
    ) { position in
      let style = position == selected ? Theme.selected : Theme.plain
      guard palette.indices.contains(position) else {
        return [Span("    "), Span(" " + "another one, typed (#)".fitted(textWidth) + " ", style)]
      }
      let entry = palette[position]
      var swatch = Theme.plain
      swatch.foreground = entry.colour.rgb.colour
      return [
        Span(" ██ ", swatch),
        Span(
          " " + entry.name.fitted(textWidth - 8) + entry.colour.hexadecimal.fitted(8, atRight: true) + " ",
          style),
      ]
    }
  }

  /// Draws the labels of A and their partners in B; a list that is longer than the screen scrolls with the pointer.
  private func paintPairing(_ pairing: PairingDialog, into frame: inout Frame) {
    guard let a = version(pairing.a), let b = version(pairing.b) else { return }
    let width = min(frame.columns - 4, 84)
    let inner = width - 4
    let nameWidth = max(8, (inner - 12) / 2)
    let question =
      pairing.isOpenedByProgram
      ? "Names are missing or contradict the overlaps. Are these pairs right?"
      : "Which labels correspond?"
    var head = wrapped(question, width: inner).map { [Span($0)] }
    head.append([])
    head.append([
      Span(
        ("A " + cleaned(a.name)).fitted(nameWidth) + "  " + ("B " + cleaned(b.name)).fitted(nameWidth)
          + "overlap".fitted(9, atRight: true), Theme.quiet)
    ])
    let used = Set(pairing.rows.compactMap(\.valueB))
    let left = b.table.labels.lazy.filter { !used.contains($0.value) }.prefix(20).map { cleaned($0.name) }
    var foot: [[Span]] = [[]]
    if !left.isEmpty {
      foot.append([Span("only in B: " + left.joined(separator: ", "), Theme.quiet)])
    }
    let escape = pairing.isOpenedByProgram ? "Esc keeps names and values" : "Esc leaves them"
    foot.append(hintSpans("←→ change, Enter takes them, " + escape))
    let room = max(1, frame.rows - 4 - head.count - foot.count)
    let shown = min(room, pairing.rows.count)
    let first = min(max(0, pairing.selected - shown / 2), pairing.rows.count - shown)
    let rows: [[Span]] = (first..<first + shown).map { number in
      let row = pairing.rows[number]
      let name = a.table[row.valueA].map { cleaned($0.name) } ?? ""
      let partner = row.valueB.flatMap { b.table[$0] }.map { cleaned($0.name) } ?? "-"
      let dice = comparison?.overlaps?.pairs.first { $0.reference == row.valueA && $0.other == row.valueB }?
        .dice
      let overlap = row.valueB == nil ? "" : dice.map { decimals($0, 2) } ?? "< 0.1"
      let style = number == pairing.selected ? Theme.selected : row.valueB == nil ? Theme.quiet : Theme.plain
      return [
        Span(
          name.fitted(nameWidth) + "  " + partner.fitted(nameWidth) + overlap.fitted(9, atRight: true), style,
          click: .entry(number, opening: nil))
      ]
    }
    let part = shown < pairing.rows.count ? " \(first + 1)-\(first + shown) of \(pairing.rows.count)" : ""
    paintBox("Pairs of labels" + part, head + rows + foot, width: width, into: &frame)
  }

  private func paintPresets(_ selected: Int, into frame: inout Frame) {
    let width = min(frame.columns - 8, 76)
    let offered = presetChoices
    let table = NameTable(width: width - 6, [NameTable.Column("", widest: "noise, edges, spacing")])
    let names = TextWidth.shortened(offered.map(\.name), to: table.nameWidth)
    var below: [[Span]] = []
    if offered.indices.contains(selected) {
      below += [[], [Span(ReviewState.summary(offered[selected].settings))]]
    }
    below += [[], hintSpans("Enter sets every knob; S saves the current knobs.")]
    paintList(
      "CRF kernels", zip(names, offered).map { table.line($0, [$1.origin]) }, selected, below, width: width,
      into: &frame)
  }

  private func paintHistory(_ selected: Int, into frame: inout Frame) {
    let width = min(frame.columns - 8, 76)
    let lines = history.steps.enumerated().map { position, step in
      (position == history.position ? "now " : "    ") + cleaned(step.name).fitted(width - 10)
    }
    paintList(
      "Decisions", lines, selected,
      [[], hintSpans("Enter goes there; nothing that was undone is lost.")],
      width: width, into: &frame)
  }

  private func paintModels(_ selected: Int, into frame: inout Frame) {
    let width = min(frame.columns - 8, 76)
    guard let models else {
      paintBox("Run a network", [[Span("Looking for models", Theme.quiet)]], width: width, into: &frame)
      return
    }
    guard models.indices.contains(selected) else { return }
    let table = NameTable(width: width - 6, [NameTable.Column("", widest: "about 99 min 59 s")])
    let names = TextWidth.shortened(
      models.map { cleaned($0.name) + ($0.warning == nil ? "" : "  (other images)") }, to: table.nameWidth)
    let times = models.map { model in
      model.estimatedSeconds.map { ($0 < 0.95 ? "" : "about ") + duration($0) } ?? "time unknown"
    }
    let model = models[selected]
    var below: [[Span]] = [[], [Span("finds    ", Theme.quiet), Span(labelNames(model))]]
    below.append([Span("made for ", Theme.quiet), Span(cleaned(model.input))])
    below.append([Span("size     ", Theme.quiet), Span(cleaned(model.size))])
    if let warning = model.warning {
      below.append([])
      below += wrapped(cleaned(warning), width: width - 4).map { [Span($0, Theme.warning)] }
    }
    below += [[], hintSpans("Enter runs it; the result is a new version, nothing is replaced.")]
    paintList(
      "Run a network", zip(names, times).map { table.line($0, [$1]) }, selected, below, width: width,
      into: &frame)
  }

  /// Draws a list of texts in a box, and lines below it.
  private func paintList(
    _ title: String, _ entries: [String], _ selected: Int, _ below: [[Span]], width: Int,
    into frame: inout Frame
  ) {
    paintList(
      title, count: entries.count, atMost: dialogListRows, selected, below, width: width, into: &frame
    ) { index in
      let isMatch = search?.matches(entries[index]) == true
      let style = index == selected ? Theme.selected : isMatch ? Theme.match : Theme.plain
      return [Span(" " + entries[index] + " ", style)]
    }
  }

  /// Draws a list in a box, scrolled so that the selected entry is visible, and lines below it; the key bar stays free.
  private func paintList(
    _ title: String, count: Int, atMost maximum: Int, _ selected: Int, _ below: [[Span]], width: Int,
    into frame: inout Frame, line: (Int) -> [Span]
  ) {
    let visible = min(count, max(1, min(maximum, frame.rows - 3 - below.count)))
    let first = min(max(0, selected - visible / 2), count - visible)
    let lines = (first..<first + visible).map { index in
      line(index).map { Span($0.text, $0.style, click: .entry(index, opening: nil)) }
    }
    let range = visible < count ? ", \(first + 1)-\(first + visible) of \(count)" : ""
    paintBox(title + range, lines + below, width: width, into: &frame)
  }

  private func labelNames(_ model: ModelDescription) -> String {
    model.labels.labels.map { cleaned($0.name) }.joined(separator: ", ")
  }

  /// Draws lines in a box in the middle of the screen, above the key bar; lines for which there is no room are left out.
  private func paintBox(_ title: String, _ lines: [[Span]], width: Int, into frame: inout Frame) {
    let columns = min(width, frame.columns)
    let rows = min(lines.count + 2, frame.rows - 1)
    let area = Rectangle(
      row: (frame.rows - rows) / 2, column: (frame.columns - columns) / 2, rows: rows, columns: columns)
    clear(area, into: &frame)
    frame.drawBox(area, title: title, titleStyle: Theme.strong)
    let body = area.inset(1)
    let inner = Rectangle(
      row: body.row, column: body.column + 1, rows: body.rows, columns: max(0, body.columns - 2))
    for (offset, line) in lines.prefix(inner.rows).enumerated() {
      frame.write(line, row: inner.row + offset, in: inner)
    }
  }

  private func clear(_ area: Rectangle, into frame: inout Frame) { frame.fill(area, Cell(" ", Theme.plain)) }
}
