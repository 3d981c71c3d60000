import Screen
import Volumes
import Work

/// The label's name in the other version; nil where it is the same.
private func otherName(_ pair: LabelPair?, inA: Bool) -> String? {
  guard let a = pair?.nameA, let b = pair?.nameB, a.nameKey != b.nameKey else { return nil }
  return cleaned(inA ? b : a)
}

/// The label's name, and its name in the other version where that differs.
private func labelName(_ label: Label, _ pair: LabelPair?, inA: Bool) -> String {
  cleaned(label.name) + (otherName(pair, inA: inA).map { " is \($0) in \(inA ? "B" : "A")" } ?? "")
}

/// The layout of the label table: which numbers, how wide, and whether a name has a line of its own.
private struct LabelColumns {
  let table: NameTable
  let digits: VolumeDigits
  /// Whether numbers are on a line below the name.
  let isTall: Bool
  /// The comparison that the version is part of; nil for a version that is neither A nor B.
  let compared: Comparison?
  /// Which of A and B can have labels beyond their tables.
  let open: OpenLabels
  let isA: Bool

  init(_ state: ReviewState, _ version: Version, width: Int, rows: Int) {
    let isA = version.id == state.comparison?.a
    self.isA = isA
    compared = isA || version.id == state.comparison?.b ? state.comparison : nil
    let compared = compared
    let versions = [state.comparison?.a, state.comparison?.b].map {
      $0.flatMap { state.version($0) } ?? version
    }
    open = state.openLabels(versions[0], versions[1])
    let greatest = version.statistics.map(\.millilitres).max() ?? 0
    let changes = (compared?.rows ?? []).map { abs($0.voxelsB - $0.voxelsA) }
    let greatestChange = Double(changes.max() ?? 0) * state.grid.voxelVolume / 1000
    func columns(_ decimalPlaces: Int) -> (NameTable, VolumeDigits) {
      let digits = VolumeDigits(greatest: max(greatest, greatestChange), atMost: decimalPlaces)
      var columns = [NameTable.Column("mL", widest: digits.widest(greatest))]
      if compared != nil {
        columns.append(NameTable.Column("B-A", widest: "+" + digits.text(greatestChange)))
        columns.append(NameTable.Column("Dice", widest: "0.000"))
      }
      return (NameTable(width: width - 2, columns), digits)
    }
    // Names are more important than a second decimal. If too few columns remain even with one decimal, each name gets
    // its own line where there are enough rows.
    let labels = version.table.labels
    // A list of hundreds has too few rows for two lines each.
    var nameWidths = labels.count > 200 ? [width] : []
    var longestOfTwo = 0
    if labels.count <= 200 {
      for label in labels {
        let name = labelName(label, compared?.row(of: label.value, inA: isA)?.pair, inA: isA)
        nameWidths.append(TextWidth.columns(name))
        if name != cleaned(label.name) { longestOfTwo = max(longestOfTwo, TextWidth.columns(name)) }
      }
    }
    var chosen = columns(2)
    if chosen.0.nameWidth < min(nameWidths.max() ?? 0, 12) { chosen = columns(1) }
    let nameWidth = chosen.0.nameWidth
    (table, digits) = chosen
    // A few long names among many must not give every label a second line.
    let areNamesLong = nameWidths.count { $0 > nameWidth } * 4 >= labels.count
    // The Dice of two labels with different names is only shown with both names.
    isTall = nameWidth < longestOfTwo || areNamesLong && labels.count * 2 + 1 <= rows
  }
}

/// The labels of the version shown, with the volume of each and the agreement of A and B.
struct LabelSection: PanelSection {
  var opening: (key: Key, summary: String, barWord: String) { ("b", "label table", "table") }
  var keysTitle: String { "Label table" }
  var keysIntroduction: String { "After b, until Esc." }
  var fillsRemainingHeight: Bool { true }

  var bindings: [KeyBinding] {
    listBindings(entry: "label") + Action.VisibilityChange.bindings + Action.OverlayChange.labelTableBindings
      + Action.LabelPart.bindings + closingBindings
  }

  func content(_ state: ReviewState, width: Int, rows: Int) -> SectionContent {
    state.labelContent(width: width, rows: rows)
  }

  func list(_ state: ReviewState) -> PointedList {
    let labels = state.shownLabels
    return PointedList(
      name: .section(id), count: labels.count, text: { labels[$0].name },
      position: state.shownVersion?.position(state.selectedLabel), page: { state.panelPage(id) })
  }

  func point(at entry: Int, _ state: inout ReviewState) {
    state.selectedLabel = state.shownVersion.map { $0.key(of: $0.table.labels[entry]) }
  }

  func begin(_ state: inout ReviewState) -> [ReviewEffect] {
    if state.selectedLabel == nil, !state.shownLabels.isEmpty { state.selectLabel(1) }
    return []
  }
}

extension ReviewState.Focus {
  static let labels = Self.section(LabelSection().id)
}

extension ReviewState {
  /// A line for each label of the shown version: colour, name, mL, the change from A to B, and Dice.
  ///
  /// - Parameter rows: the number of lines for the table.
  fileprivate func labelContent(width: Int, rows: Int) -> SectionContent {
    guard let version = shownVersion, !version.table.labels.isEmpty else {
      return SectionContent(
        title: "Labels", lines: [[Span("none: m runs a network", Theme.quiet, click: .pictureKey("m"))]])
    }
    let count = version.table.labels.count
    let hidden = hiddenLabelCount
    let columns = LabelColumns(self, version, width: width, rows: rows)
    var content = SectionContent(
      title: "Labels" + (hidden == 0 ? "" : ", \(hidden) hidden"),
      header: [[Span("  " + columns.table.header("name"), Theme.quiet)]], count: count,
      rowsPerEntry: columns.isTall ? 2 : 1, pointer: version.position(selectedLabel)
    ) { indices in labelLines(version, indices, columns, width) }
    content.footer = foreignLabelLines(columns, width)
    return content
  }

  /// The largest number of labels of the other version that are listed one by one.
  private static let listedForeignLabels = 3

  /// "only B: tumour 10.3 mL": labels that only the other of A and B has, although the version shown could have them.
  private func foreignLabelLines(_ columns: LabelColumns, _ width: Int) -> [[Span]] {
    let rows = (columns.compared?.rows ?? []).filter { row in
      let (own, other) = columns.isA ? (row.voxelsA, row.voxelsB) : (row.voxelsB, row.voxelsA)
      let isOwn = (columns.isA ? row.pair.valueA : row.pair.valueB) != nil
      return !isOwn && own == 0 && other > 0 && columns.open.allow(row.pair)
    }
    let side = columns.isA ? "B" : "A"
    let listed = rows.count > Self.listedForeignLabels ? Self.listedForeignLabels - 1 : rows.count
    func line(_ text: String, _ click: ClickTarget? = nil) -> [Span] {
      [Span(TextWidth.truncated(text, to: width), Theme.warning, click: click)]
    }
    var lines = rows.prefix(listed).map { row in
      let volume = volumeText(columns.isA ? row.voxelsB : row.voxelsA)
      let name = TextWidth.shortened(cleaned(row.pair.name), to: max(4, width - volume.count - 10))
      let value = columns.isA ? row.pair.valueB : row.pair.valueA
      return line("only \(side): \(name) \(volume)", value.map { .labelOfOther(Int($0)) })
    }
    if rows.count > listed { lines.append(line("only \(side): \(rows.count - listed) more labels")) }
    return lines
  }

  /// The lines of some labels; a label with another name in the other version has both names.
  private func labelLines(
    _ version: Version, _ indices: Range<Int>, _ columns: LabelColumns, _ width: Int
  ) -> [[Span]] {
    let shown = version.table.labels[indices]
    let rows = shown.map { columns.compared?.row(of: $0.value, inA: columns.isA) }
    let names = TextWidth.shortened(
      zip(shown, rows).map { label, row in
        columns.isTall ? cleaned(label.name) : labelName(label, row?.pair, inA: columns.isA)
      }, to: columns.isTall ? width - 2 : columns.table.nameWidth)
    let side = columns.isA ? "B" : "A"
    let others = TextWidth.shortened(
      rows.map { otherName($0?.pair, inA: columns.isA) ?? "" }, to: columns.table.nameWidth - 3
    ).map { $0.isEmpty ? "" : "\(side): \($0)" }
    let selected = version.position(selectedLabel)
    let swatches = swatches(version.table)
    return shown.indices.flatMap { position -> [[Span]] in
      let offset = position - shown.startIndex
      let (label, name, row) = (shown[position], names[offset], rows[offset])
      let isSelected = position == selected
      let isShown = isVisible(label, of: version)
      let style = isSelected ? selectionStyle(.labels) : isShown ? Theme.plain : Theme.quiet
      var swatch = style
      swatch.foreground = label.colour.rgb.colour
      swatch.isReversed = false
      var numbers = [columns.digits.text(version.millilitres(of: label.value))]
      if columns.compared != nil { numbers += agreement(row, columns) }
      let mark = Span((isShown ? swatches[label.value] ?? "■" : "·") + (isSelected ? "›" : " "), swatch)
      guard columns.isTall else { return [[mark, Span(columns.table.line(name, numbers), style)]] }
      return [
        [mark, Span(name.fitted(width - 2), style)],
        [Span("  " + columns.table.line(others[offset], numbers), style)],
      ]
    }
  }

  /// The swatches of labels that look otherwise in the panes than by colour alone: the letter where pictures are
  /// characters, the hatch with 16 colours.
  private func swatches(_ table: LabelTable) -> [UInt16: String] {
    if capabilities.pictureMode == .characters { return table.letters.mapValues { String($0) } }
    return switch capabilities.colourDepth {
    case .mono: table.letters.mapValues { String($0) }
    case .sixteen: table.hatches.mapValues { ["■", "▨", "▤", "▥", "▧", "▣", "▦"][Int($0)] }
    case .indexed256, .trueColour: [:]
    }
  }

  /// The change in mL from A to B, and Dice; a label that one version cannot have has neither.
  private func agreement(_ row: Comparison.Row?, _ columns: LabelColumns) -> [String] {
    guard let row else { return ["", ""] }
    guard columns.open.allow(row.pair) else { return ["-", "-"] }
    let change = Double(row.voxelsB - row.voxelsA) * grid.voxelVolume / 1000
    return [columns.digits.change(change), decimals(row.dice, 3)]
  }
}
