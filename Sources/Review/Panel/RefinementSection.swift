import Foundation
import Screen
import Volumes
import Work

/// The knobs of the CRF, their meaning and their effects.
struct RefinementSection: PanelSection {
  var opening: (key: Key, summary: String, barWord: String) { ("t", "tune and run the CRF", "CRF") }
  var keysTitle: String { "CRF panel" }
  var keysIntroduction: String {
    "After t, until Esc. Knobs are in millimetres and in the image's own intensity units."
  }

  /// The CRF's panel lists the labels itself.
  ///
  /// Its rows depend on nothing that a key or a result changes.
  var heightDistribution: PanelHeightDistribution {
    .alone(beside: VersionSection(), rows: 6, ofPanelRows: 26)
  }

  var bindings: [KeyBinding] {
    [
      bind([.up, "k"], .pointer(.entries(-1)), "previous knob", bar: "knob", barKeys: [.up, .down]),
      bind([.down, "j"], .pointer(.entries(1)), "next knob"),
    ] + Action.RefinementStep.bindings + [
      bind([.escape], .session(.back), "drop the typed value; cancel; back", bar: "back"),
      bind(["t", "q"], .focus(.close), "back to the picture"),
    ]
  }

  func content(_ state: ReviewState, width: Int, rows: Int) -> SectionContent {
    state.refinementContent(width: width, rows: rows - 1)
  }

  func list(_ state: ReviewState) -> PointedList {
    let knobs = Knob.knobs(of: state.refinementBase)
    return PointedList(
      name: .section(id), count: knobs.count, text: { knobs[$0].name },
      position: knobs.firstIndex(of: state.selectedKnob), page: { knobs.count })
  }

  func point(at entry: Int, _ state: inout ReviewState) {
    state.selectedKnob = Knob.knobs(of: state.refinementBase)[entry]
    state.knobEntry = nil
  }

  func begin(_ state: inout ReviewState) -> [ReviewEffect] {
    if !Knob.knobs(of: state.refinementBase).contains(state.selectedKnob) {
      state.selectedKnob = .appearanceWeight
    }
    state.noteFrameOfRefinement()
    return state.beginRefining()
  }
}

extension ReviewState.Focus {
  package static let refinement = Self.section(RefinementSection().id)
}

extension ReviewState {
  /// The knobs and their effects while the section receives keys, else one line about them.
  ///
  /// - Parameter rows: the number of lines; the least important ones are omitted.
  fileprivate func refinementContent(width: Int, rows: Int) -> SectionContent {
    guard focus == .refinement else {
      // Each kernel stays with its number.
      let parts = ReviewState.summaryParts(decisions.knobs.refinement)
      let lines = wrapped(
        parts.map { $0.replacing(" ", with: "\u{a0}") }.joined(separator: " "), width: width
      )
      .map { $0.replacing("\u{a0}", with: " ") }
      var content = SectionContent(title: "CRF", lines: lines.map { [Span($0, Theme.quiet)] })
      content.clickedEntry = { _ in nil }
      return content
    }
    guard let base = refinementBase else {
      let lines = wrapped(
        "The CRF needs a mask or a network's result: Esc, then m runs a network.", width: width)
      return SectionContent(
        title: "CRF", lines: lines.map { [Span($0)] })
    }
    let knobs = Knob.knobs(of: base)
    // A change of a knob must not move rows: the help has the height of the longest text, and warnings are last.
    let explained = knobs.map { wrapped($0.explanation, width: width).count }.max() ?? 0
    var free = rows - knobs.count - explained - ReviewState.factRows - 1
    let hasBlankLines = free >= 10
    let hasSteps = free >= 5
    var lines = knobs.map { knobLine($0, base, width) }
    if hasBlankLines { lines.append([]) }
    lines += padded(
      wrapped(selectedKnob.explanation, width: width).map { [Span($0, Theme.quiet)] }, explained)
    lines += padded(wrapped(facts(base), width: width).map { [Span($0, Theme.note)] }, ReviewState.factRows)
    if hasSteps { lines.append(stepLine()) }
    if hasBlankLines { lines.append([]) }
    lines.append(outcomeLine(width))
    free -= (hasBlankLines ? 2 : 0) + (hasSteps ? 1 : 0)
    let warned = Array(warningLines(base, width).prefix(max(0, free)))
    lines += labelRows(base, width, rows: free - warned.count)
    lines += warned
    return SectionContent(
      title: "CRF on \(cleaned(base.name))", lines: lines,
      pointer: knobs.firstIndex(of: selectedKnob), note: presetName)
  }

  /// The number of rows for the meaning of a knob in this image.
  private static let factRows = 2

  /// The lines, truncated or filled with blank lines to exactly `rows` rows.
  private func padded(_ lines: [[Span]], _ rows: Int) -> [[Span]] {
    Array((lines + [[Span]](repeating: [], count: rows)).prefix(rows))
  }

  /// The kernels in one line.
  static func summary(_ settings: RefinementSettings) -> String {
    summaryParts(settings).joined(separator: " ")
  }

  private static func summaryParts(_ settings: RefinementSettings) -> [String] {
    let knobs = KnobSettings(refinement: settings)
    return [
      "μ1 \(knobs.text(.appearanceWeight))", "θα \(knobs.text(.thetaAlpha))", "θβ \(knobs.text(.thetaBeta))",
      "μ2 \(knobs.text(.smoothnessWeight))", "θγ \(knobs.text(.thetaGamma))", "x\(settings.iterations)",
    ]
  }

  /// A knob's name, its scale where it fits, its value and its unit; bold where the value is not the advised one.
  private func knobLine(_ knob: Knob, _ base: Version, _ width: Int) -> [Span] {
    let isPointed = knob == selectedKnob
    var style = isPointed ? Theme.selected : Theme.plain
    style.isBold = decisions.knobs[knob] != advisedKnobs[knob]
    let unit = knob.unit(intensityUnit)
    let unitWidth = 3
    var value = isPointed ? knobEntry.map { $0.text + "_" } : nil
    if value == nil, knob == .changedLabels { value = changedLabelNames(base) }
    let text = value ?? decisions.knobs.text(knob)
    let nameWidth = 14
    let valueWidth = max(6, min(TextWidth.columns(text), width - nameWidth - 1 - unitWidth))
    let room = width - nameWidth - 2 - valueWidth - unitWidth
    var spans = [Span(knob.name.fitted(nameWidth), style)]
    if room >= 7, let scale = scale(of: knob) {
      spans.append(Span(" ", style))
      spans += scale.spans(width: room, isPointed: isPointed)
      spans.append(Span(" ", style))
    } else {
      spans.append(Span(String(repeating: " ", count: max(1, room + 2)), style))
    }
    spans.append(Span(text.fitted(valueWidth, atRight: true), style))
    spans.append(Span((unit.isEmpty ? "" : " " + unit).fitted(unitWidth), style))
    return spans
  }

  private func changedLabelNames(_ base: Version) -> String {
    let values = decisions.knobs.refinement.changedLabels.filter { base.table[$0] != nil }
    guard !values.isEmpty else { return "all" }
    if values.count == 1 { return cleaned(base.table[values[0]]?.name ?? "") }
    return "\(values.count) of \(base.table.labels.count)"
  }

  /// The position of a knob in its usual range, with marks of the image's values.
  private func scale(of knob: Knob) -> KnobScale? {
    let value = decisions.knobs[knob].first ?? 0
    switch knob {
    case .appearanceWeight, .smoothnessWeight: return KnobScale(value, 0...10)
    case .thetaAlpha, .thetaGamma:
      let minimumSpacing = [grid.spacing.i, grid.spacing.j, grid.spacing.k].min() ?? 1
      return KnobScale(
        value, minimumSpacing / 4...minimumSpacing * 64, isLogarithmic: true, marks: [("v", minimumSpacing)])
    case .thetaBeta:
      guard let measures = measures?.measures else { return KnobScale(value, 1...1000, isLogarithmic: true) }
      let edge = measures.edgeContrast ?? measures.noise * 10
      let ends = min(measures.noise, edge) / 4...max(measures.noise, edge) * 4
      return KnobScale(
        value, ends, isLogarithmic: true,
        marks: [("n", measures.noise)] + (measures.edgeContrast.map { [("e", $0)] } ?? []))
    case .iterations: return KnobScale(value, 0...20)
    case .auxiliaryWeight: return KnobScale(value, 0...1)
    case .maskConfidence: return KnobScale(value, 0.5...1)
    case .changedLabels: return nil
    }
  }

  /// The value of the selected knob in terms of this image.
  private func facts(_ base: Version) -> String {
    let settings = decisions.knobs.refinement
    switch selectedKnob {
    case .thetaAlpha, .thetaGamma:
      let theta =
        selectedKnob == .thetaAlpha ? settings.thetaAlphaMillimetres : settings.thetaGammaMillimetres
      let voxels = (0..<3).map { brief(theta[$0] / grid.spacing[$0], atMost: 1) }
      let axis = knobAxis.map { "; turns \(["i", "j", "k"][$0]) alone" } ?? ""
      return "\(decisions.knobs.text(selectedKnob)) mm = \(voxels.joined(separator: " x ")) voxels\(axis)"
    case .thetaBeta:
      guard let measured = measures, measured.version == base.id else {
        return jobs[.measurement] == nil ? "" : "measuring noise and edges"
      }
      guard let measures = measured.measures else { return "noise and edges cannot be measured here" }
      let edge = measures.edgeContrast.map { ", edges \(intensityText($0)) \(intensityUnit)" } ?? ""
      return "noise \(intensityText(measures.noise)) \(intensityUnit)" + edge
    case .appearanceWeight, .smoothnessWeight, .maskConfidence:
      guard let influence = settings.maximumInfluence else { return "" }
      if base.probabilities == nil {
        let own = decisions.knobs.maskLogOdds(classCount: base.statistics.count + 1)
        return "mask log-odds \(decimals(own, 1)), messages at most \(brief(influence))"
      }
      guard let fraction = live?.latest?.part.movableFraction else { return "" }
      return
        "messages at most \(brief(influence)): could move \(Int(saturating: (fraction * 100).rounded()))% of the border"
    case .auxiliaryWeight:
      let main = 1 - settings.auxiliaryHeadWeights.prefix(base.auxiliaryHeadCount).reduce(0, +)
      return "the main head keeps \(brief(main, atMost: 2))"
    case .changedLabels:
      return base.table.labels.count > 1 ? ":set labels NAME,NAME takes several" : ""
    case .iterations: return ""
    }
  }

  private func intensityText(_ value: Double) -> String { brief(value, atMost: value < 10 ? 1 : 0) }

  private func stepLine() -> [Span] {
    guard let value = decisions.knobs[selectedKnob].first, let step = selectedKnob.steps(at: value) else {
      return []
    }
    let unit = selectedKnob.unit(intensityUnit)
    let text = "←→ \(brief(step.fine, atMost: 4))  -+ \(brief(step.coarse, atMost: 4)) \(unit)"
    return [Span(text, Theme.quiet)]
  }

  private func warningLines(_ base: Version, _ width: Int) -> [[Span]] {
    let part = live?.latest?.part
    return RefinementWarning.all(knobs: decisions.knobs, base: base, grid: grid, part: part).flatMap {
      warning in
      let text = warning.text(table: base.table, spacing: grid.spacing, isWhole: live?.region == nil)
      return wrapped("! " + text, width: width).map { [Span($0, Theme.warning)] }
    }
  }

  /// The lines about the changed voxels and the running jobs.
  private func outcomeLine(_ width: Int) -> [Span] {
    guard let live, let latest = live.latest else {
      if !isPreviewLive { return [Span("live refinement is off: p", Theme.quiet)] }
      return [Span(jobs[.preview] == nil ? "" : "refining the box", Theme.progress)]
    }
    let part = latest.part
    let voxels =
      width < 36
      ? "\(grouped(part.changedVoxels)) vox"
      : counted(part.changedVoxels, "voxel", as: grouped(part.changedVoxels))
    let changes =
      part.changedVoxels == 0
      ? "nothing changes"
      : "\(voxels) in \(counted(part.changedRegions, "place", as: grouped(part.changedRegions)))"
    guard live.region != nil else { return [Span("image: ", Theme.strong), Span(changes)] }
    var spans = [Span("box: ", Theme.strong), Span(changes)]
    if let job = jobs[.backgroundRefinement] {
      let text = " image \(Int(saturating: (job.fraction * 100).rounded(.down)))%"
      let used = spans.reduce(0) { $0 + TextWidth.columns($1.text) }
      if used + text.count <= width { spans.append(Span(text, Theme.progress)) }
    }
    return spans
  }

  /// A line for each label: mL, its change, Dice with the labels before, changed voxels and components; where not all
  /// labels fit, those that changed most.
  private func labelRows(_ base: Version, _ width: Int, rows: Int) -> [[Span]] {
    guard let part = live?.latest?.part, rows > 0 else { return [] }
    let isWide = width >= 48
    let unit = grid.voxelVolume / 1000
    let digits = VolumeDigits(
      greatest: Double(base.statistics.map(\.voxelCount).max() ?? 0) * unit, atMost: width < 34 ? 1 : 2)
    var shown = part.rows
    let perLabel = !isWide && shown.count * 2 + 1 <= rows ? 2 : 1
    let hasHeader = rows > perLabel
    let maximumCount = max(1, (rows - (hasHeader ? 1 : 0)) / perLabel)
    if shown.count > maximumCount {
      shown = Array(shown.sorted { $0.changedVoxels > $1.changedVoxels }.prefix(maximumCount))
    }
    // The columns are wide enough for the numbers after a change of a knob, so that they do not move.
    var columns = [
      NameTable.Column(
        "mL", widest: digits.widest(part.rows.map { Double($0.voxelsAfter) * unit }.max() ?? 0)),
      NameTable.Column("change", widest: digits.change(-99)), NameTable.Column("Dice", widest: "0.000"),
    ]
    if isWide {
      columns += [NameTable.Column("voxels", widest: "99 999"), NameTable.Column("parts", widest: "9→9")]
    }
    let table = NameTable(width: width - 2, columns)
    let names = TextWidth.shortened(
      shown.map { cleaned(base.table[$0.label]?.name ?? "label \($0.label)") }, to: table.nameWidth)
    let title = shown.count < part.rows.count ? "\(shown.count) of \(part.rows.count)" : "label"
    var lines: [[Span]] = hasHeader ? [[Span("  " + table.header(title), Theme.quiet)]] : []
    for (row, name) in zip(shown, names) {
      let change = Double(row.voxelsAfter - row.voxelsBefore) * unit
      let parts =
        row.componentsBefore == row.componentsAfter
        ? "\(row.componentsAfter)" : "\(row.componentsBefore)→\(row.componentsAfter)"
      var numbers = [
        digits.text(Double(row.voxelsAfter) * unit), digits.change(change), decimals(row.dice, 3),
      ]
      if isWide { numbers += [grouped(row.changedVoxels), parts] }
      let colour = base.table[row.label]?.colour.rgb.colour ?? .terminal
      lines.append([Span("■ ", Style(foreground: colour)), Span(table.line(name, numbers))])
      if perLabel == 2 {
        let count = row.changedVoxels
        let voxels = count == 0 ? "unchanged" : "\(counted(count, "voxel", as: grouped(count))) changed"
        let components = counted(max(row.componentsBefore, row.componentsAfter), "part", as: parts)
        lines.append([Span("  \(voxels), \(components)", Theme.quiet)])
      }
    }
    return lines
  }
}

/// The scale of a knob: a line with a mark at its value, and letters at values of the image.
private struct KnobScale {
  /// Fraction of the line, 0...1.
  private let position: Double
  private let marks: [(letter: String, position: Double)]

  init(
    _ value: Double, _ ends: ClosedRange<Double>, isLogarithmic: Bool = false,
    marks: [(String, Double)] = []
  ) {
    func fraction(_ value: Double) -> Double {
      let (low, high) = (ends.lowerBound, ends.upperBound)
      let fraction =
        isLogarithmic
        ? Foundation.log(Swift.max(value, 1e-9) / low) / Foundation.log(high / low)
        : (value - low) / (high - low)
      return fraction.isFinite ? Swift.min(Swift.max(fraction, 0), 1) : 0
    }
    position = fraction(value)
    self.marks = marks.map { ($0.0, fraction($0.1)) }
  }

  func spans(width: Int, isPointed: Bool) -> [Span] {
    var cells = [String](repeating: "─", count: width)
    for mark in marks { cells[Int(saturating: (mark.position * Double(width - 1)).rounded())] = mark.letter }
    let handle = Int(saturating: (position * Double(width - 1)).rounded())
    let line = isPointed ? Theme.selected : Theme.quiet
    return [
      Span(cells[..<handle].joined(), line), Span("●", isPointed ? Theme.selected : Theme.strong),
      Span(cells[(handle + 1)...].joined(), line),
    ]
  }
}
