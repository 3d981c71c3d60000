import Screen

extension ReviewState {
  /// What lies over the screen.
  func paintDialog(into frame: inout Frame) {
    switch dialog {
    case nil, .command: break
    case .help(let line): paintHelp(from: line, into: &frame)
    case .windows(let selected): paintWindows(selected, into: &frame)
    case .models(let selected): paintModels(selected, into: &frame)
    case .presets(let selected): paintPresets(selected, into: &frame)
    case .question(let question):
      let width = min(frame.columns - 8, 72)
      var lines = wrapped(question.text, width: width - 4).map { [Span($0, Theme.strong)] }
      lines += [[], [Span("y", Theme.strong), Span(" yes    "), Span("n", Theme.strong), Span(" no")]]
      paintBox("Question", lines, width: width, into: &frame)
    }
  }

  private func paintHelp(from first: Int, into frame: inout Frame) {
    let area = frame.bounds.inset(1)
    let lines = KeyReference.lines
    clear(area, into: &frame)
    frame.drawBox(area, title: "Keys", titleStyle: Theme.strong)
    let body = area.inset(1)
    for (offset, line) in lines.dropFirst(first).prefix(body.rows).enumerated() {
      let style = line.hasPrefix(" ") ? line.hasPrefix("    ") ? Theme.plain : Theme.quiet : Theme.strong
      frame.write([Span(" " + line, style)], row: body.row + offset, in: body)
    }
    let last = min(lines.count, first + body.rows)
    let place = " \(first + 1)-\(last) of \(lines.count) "
    frame.writeAtRight(place, row: area.row + area.rows - 1, style: Theme.quiet, in: area.inset(0))
  }

  private func paintWindows(_ selected: Int, into frame: inout Frame) {
    let lines = intensities.presets.enumerated().map { position, preset in
      let style = position == selected ? Theme.selected : Theme.plain
      let places = preset.window.width < 10 ? 2 : 0
      let numbers = "\(decimals(preset.window.centre, places))/\(decimals(preset.window.width, places))"
      return [Span(" " + preset.name.fitted(22) + numbers.fitted(16, atRight: true) + " ", style)]
    }
    paintBox(
      "Window (centre/width)", lines + [[], [Span(" or type :window CENTRE WIDTH", Theme.quiet)]], width: 46,
      into: &frame)
  }

  private func paintPresets(_ selected: Int, into frame: inout Frame) {
    let width = min(frame.columns - 8, 76)
    let offered = offeredPresets
    var lines: [[Span]] = offered.enumerated().map { position, preset in
      let style = position == selected ? Theme.selected : Theme.plain
      return [
        Span(" " + preset.name.fitted(width - 28) + preset.origin.fitted(22, atRight: true) + " ", style)
      ]
    }
    if offered.indices.contains(selected) {
      lines += [[], [Span(ReviewState.summary(offered[selected].settings))]]
    }
    lines += [[], [Span("Enter turns every knob to it; S saves the knobs as they stand.", Theme.quiet)]]
    paintBox("CRF kernels", lines, width: width, into: &frame)
  }

  private func paintModels(_ selected: Int, into frame: inout Frame) {
    let width = min(frame.columns - 8, 76)
    guard let models else {
      paintBox("Run a network", [[Span("Looking for models", Theme.quiet)]], width: width, into: &frame)
      return
    }
    var lines: [[Span]] = models.enumerated().map { position, model in
      let style = position == selected ? Theme.selected : Theme.plain
      let time = model.estimatedSeconds.map { "about " + duration($0) } ?? "time unknown"
      let name = cleaned(model.name) + (model.warning == nil ? "" : "  (other images)")
      return [Span(" " + name.fitted(width - 26) + time.fitted(20, atRight: true) + " ", style)]
    }
    guard models.indices.contains(selected) else { return }
    let model = models[selected]
    lines += [[], [Span("finds    ", Theme.quiet), Span(labelNames(model))]]
    lines.append([Span("made for ", Theme.quiet), Span(cleaned(model.input))])
    lines.append([Span("size     ", Theme.quiet), Span(cleaned(model.size))])
    if let warning = model.warning {
      lines.append([])
      lines += wrapped(cleaned(warning), width: width - 4).map { [Span($0, Theme.warning)] }
    }
    lines += [[], [Span("Enter runs it; the result is a new version, nothing is replaced.", Theme.quiet)]]
    paintBox("Run a network", lines, width: width, into: &frame)
  }

  private func labelNames(_ model: ModelDescription) -> String {
    model.labels.labels.map { cleaned($0.name) }.joined(separator: ", ")
  }

  /// Lines in a box in the middle of the screen.
  private func paintBox(_ title: String, _ lines: [[Span]], width: Int, into frame: inout Frame) {
    let columns = min(width, frame.columns)
    let rows = min(lines.count + 2, frame.rows)
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
