import Screen
import Volumes

extension ReviewState {
  /// Each label of the shown version: colour, name, mL, and against A how much B changes it.
  ///
  /// A label that the other version calls something else has a second line that says what.
  func labelSection(width: Int) -> PanelSection {
    guard let version = shownVersion, !version.table.labels.isEmpty else {
      return PanelSection(
        focus: .labels, title: "Labels", key: "b", lines: [[Span("none: m runs a network", Theme.quiet)]],
        pointer: nil)
    }
    let labels = version.table.labels
    let isA = version.id == comparison?.a
    // Comparing is what the columns are for: a version that is neither A nor B has none.
    let compared = isA || version.id == comparison?.b ? comparison : nil
    let nameWidth = max(4, width - 10 - (compared == nil ? 0 : 13))
    var entries: [(position: Int, partner: String?)] = []
    var pointer: Int?
    let selected = version.position(selectedLabel)
    for (position, label) in labels.enumerated() {
      if position == selected { pointer = entries.count + 1 }
      entries.append((position, nil))
      if let pair = compared?.row(of: label.value, inA: isA)?.pair, let a = pair.nameA, let b = pair.nameB,
        a.lowercased() != b.lowercased()
      {
        entries.append((position, "  is \(cleaned(isA ? b : a)) in \(isA ? "B" : "A")"))
      }
    }
    var header = "  " + "name".fitted(nameWidth) + "mL".fitted(8, atRight: true)
    if compared != nil { header += "B-A".fitted(7, atRight: true) + "Dice".fitted(6, atRight: true) }
    return PanelSection(
      focus: .labels, title: "Labels", key: "b", lineCount: entries.count + 1, pointer: pointer
    ) { number in
      guard number > 0 else { return [Span(header, Theme.quiet)] }
      let entry = entries[number - 1]
      if let partner = entry.partner { return [Span(partner, Theme.note)] }
      let label = labels[entry.position]
      let isPointed = focus == .labels && entry.position == selected
      let isShown = isVisible(label, of: version)
      var style = isPointed ? Theme.selected : isShown ? Theme.plain : Theme.quiet
      style.isBold = entry.position == selected
      var swatch = style
      swatch.foreground = label.colour.rgb.colour
      swatch.isReversed = false
      var text =
        cleaned(label.name).fitted(nameWidth)
        + volumeText(version.millilitres(of: label.value)).fitted(8, atRight: true)
      if let row = compared?.row(of: label.value, inA: isA) { text += agreement(row) }
      return [Span(isShown ? "■ " : "· ", swatch), Span(text, style)]
    }
  }

  /// The change in mL from A to B, and Dice; a label that one version does not know has neither.
  private func agreement(_ row: Comparison.Row) -> String {
    guard row.pair.valueA != nil, row.pair.valueB != nil else {
      return "-".fitted(7, atRight: true) + "-".fitted(6, atRight: true)
    }
    let change = Double(row.voxelsB - row.voxelsA) * grid.voxelVolume / 1000
    let sign = row.voxelsB > row.voxelsA ? "+" : ""
    return (sign + volumeText(change)).fitted(7, atRight: true)
      + decimals(row.dice, 3).fitted(6, atRight: true)
  }

  /// Millilitres with as many decimals as fit.
  func volumeText(_ millilitres: Double) -> String {
    decimals(millilitres, abs(millilitres) < 99.95 ? 2 : abs(millilitres) < 9999.5 ? 1 : 0)
  }

  /// Each version: whether it is A or B, its verdict and its warnings.
  func versionSection(width: Int) -> PanelSection {
    var lines: [[Span]] = []
    var pointer: Int?
    for version in decisions.versions {
      let isPointed = focus == .versions && version.id == selectedVersion
      if version.id == selectedVersion { pointer = lines.count }
      var style = isPointed ? Theme.selected : Theme.plain
      style.isBold = shownVersion?.id == version.id
      let side = version.id == decisions.a ? "A " : version.id == decisions.b ? "B " : "  "
      var mark = ""
      if let verdict = decisions.verdict, verdict.version == version.id { mark = verdict.kind.rawValue }
      if exported.contains(version.id) { mark = "exported" }
      let nameWidth = max(4, width - 2 - (mark.isEmpty ? 0 : mark.count + 1))
      lines.append([
        Span(side, style), Span(cleaned(version.name).fitted(nameWidth), style), Span(mark, style),
      ])
      if !version.warnings.isEmpty {
        lines.append([Span("  " + version.warnings.joined(separator: ", "), Theme.warning)])
      } else if isPointed {
        lines.append([Span("  " + originText(version), Theme.quiet)])
      }
    }
    if lines.isEmpty { lines = [[Span("none yet", Theme.quiet)]] }
    return PanelSection(focus: .versions, title: "Versions", key: "v", lines: lines, pointer: pointer)
  }

  private func originText(_ version: Version) -> String {
    switch version.origin {
    case .mask(let path): return path
    case .network(let modelID, _): return "network \(modelID)"
    case .refinement(let base, let settings, _):
      return "of \(self.version(base).map { cleaned($0.name) } ?? "-"): " + ReviewState.summary(settings)
    }
  }

  /// Text in lines of at most `width` columns, broken between words.
  func wrapped(_ text: String, width: Int) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ") {
      if !line.isEmpty, TextWidth.columns(line) + 1 + TextWidth.columns(String(word)) > width {
        lines.append(line)
        line = ""
      }
      line += (line.isEmpty ? "" : " ") + word
    }
    return line.isEmpty ? lines : lines + [line]
  }
}
