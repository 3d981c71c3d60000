import Screen
import Volumes
import Work

extension ReviewState {
  /// Case, the version shown and the one behind it, verdict.
  func paintTitle(_ area: Rectangle, into frame: inout Frame) {
    frame.fill(area, Cell(" ", Theme.bar))
    var spans = [Span(" segdeck  ", Theme.barQuiet), Span(cleaned(content.name) + "  ", Theme.barStrong)]
    func side(_ letter: String, _ id: VersionID?, _ side: Decisions.Side) {
      guard let version = id.flatMap({ version($0) }) else { return }
      let isShown = shownVersion?.id == version.id && decisions.shownSide == side && !view.showsDifference
      spans.append(Span(" \(letter) \(cleaned(version.name)) ", isShown ? Theme.active : Theme.barQuiet))
      spans.append(Span(" ", Theme.bar))
    }
    if let live, focus == .refinement, let base = version(live.base) {
      let isRefined = shownLive != nil
      if view.showsDifference, isRefined { spans.append(Span(" difference of ", Theme.active)) }
      let shows = { (own: Bool) in own && !(view.showsDifference && isRefined) ? Theme.active : Theme.barQuiet
      }
      spans += [
        Span(" unrefined \(cleaned(base.name)) ", shows(!isRefined)), Span(" ", Theme.bar),
        Span(" refined ", shows(isRefined)), Span(" ", Theme.bar),
      ]
    } else {
      if view.showsDifference { spans.append(Span(" difference of ", Theme.active)) }
      side("A", decisions.a, .a)
      side("B", decisions.b, .b)
    }
    if decisions.versions.isEmpty { spans.append(Span("no mask", Theme.barQuiet)) }
    frame.write(spans, row: area.row, in: area)
    guard let verdict = decisions.verdict, let version = version(verdict.version) else { return }
    let mark = exported.contains(version.id) ? " and exported" : ""
    let text = " \(verdict.kind.rawValue): \(cleaned(version.name))\(mark) "
    if TextWidth.columns(text) < area.columns / 2 {
      frame.writeAtRight(text, row: area.row, style: Theme.barStrong, in: area)
    }
  }

  /// What lies under the crosshair.
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

  /// How the image is shown.
  func paintViewLine(_ area: Rectangle, into frame: inout Frame) {
    frame.fill(area, Cell(" ", Theme.bar))
    let window = decisions.window
    let places = window.width < 10 ? 2 : 0
    var spans = [
      Span(" window ", Theme.barQuiet),
      Span("\(decimals(window.centre, places))/\(decimals(window.width, places))", Theme.barStrong),
    ]
    // At 80 columns the legend needs the room of the window's name.
    if let name = decisions.windowName, !view.showsDifference || area.columns >= 110 {
      spans.append(Span(" \(name)", Theme.bar))
    }
    spans.append(Span("  \(view.convention.rawValue)", Theme.barStrong))
    if let frameText { spans.append(Span("  " + frameText, Theme.barStrong)) }
    if view.zoom != 1 { spans.append(Span("  zoom \(brief(view.zoom, atMost: 1))", Theme.bar)) }
    if view.showsDifference {
      func swatch(_ colour: RGB, _ text: String) {
        spans.append(Span("  ■ ", Style(foreground: colour.colour, background: Theme.bar.background)))
        spans.append(Span(text, Theme.bar))
      }
      let isLive = shownLive != nil
      swatch(Theme.onlyA, isLive ? "lost" : "only A")
      swatch(Theme.onlyB, isLive ? "gained" : "only B")
      swatch(Theme.both, isLive ? "kept" : "both")
      swatch(Theme.conflict, "other label")
    } else if view.overlay.isShown {
      let fill = "fill \(Int(saturating: (view.overlay.opacity * 100).rounded()))%"
      spans.append(Span("  labels \(view.overlay.style == .fill ? fill : "outlined")", Theme.bar))
    } else {
      spans.append(Span("  labels off", Theme.barStrong))
    }
    frame.write(spans, row: area.row, in: area)
  }

  /// A message at the left, the running job at the right.
  func paintMessageLine(_ area: Rectangle, into frame: inout Frame) {
    var area = area
    let job = [JobKind.export, .refinement, .segmentation, .frame].lazy.compactMap { jobs[$0] }.first
    if let job, let title = job.title {
      var text = "\(title) \(progressBar(job.fraction, width: area.columns >= 110 ? 20 : 8))"
      if let seconds = job.remainingSeconds { text += "  \(duration(seconds)) left" }
      text += "  Esc cancels "
      let width = min(TextWidth.columns(text), area.columns)
      let (right, rest) = area.splitRight(width)
      frame.write([Span(text, Theme.progress)], row: area.row, in: right)
      area = rest
    }
    guard let message else { return }
    frame.write([Span(" " + message.text, message.kind.style)], row: area.row, in: area)
  }

  /// The keys that matter where the reviewer is, as many as fit.
  func paintKeyBar(_ area: Rectangle, into frame: inout Frame) {
    if let entry = dialog?.entry {
      let prompt: String
      switch dialog {
      case .command(let text, _): prompt = text
      case .label(let edit, _): prompt = TextWidth.truncated(self.prompt(edit), to: area.columns / 2)
      default: prompt = ""
      }
      let start = area.column + 1 + TextWidth.columns(prompt)
      let room = max(1, area.columns - start - 1)
      // The end of a long line matters more than its start.
      let first = max(0, entry.position - room)
      let before = String(entry.characters[first..<entry.position])
      let after = String(entry.characters[entry.position...])
      frame.write([Span(" " + prompt, Theme.strong), Span(before + after)], row: area.row, in: area)
      frame.cursor = ScreenCell(row: area.row, column: start + TextWidth.columns(before))
      return
    }
    frame.fill(area, Cell(" ", Theme.bar))
    var column = area.column + 1
    let bindings = KeyTable.bindings.filter { $0.context == keyContext && $0.barWord != nil }
    // Help and quit stay in sight however narrow the screen is.
    let last = bindings.filter { [.help, .quit, .back, .dismiss].contains($0.action) }
    let reserved = last.map { TextWidth.columns(barText($0)) + 2 }.reduce(0, +)
    let end = area.column + area.columns
    for binding in bindings where !last.contains(binding) {
      let width = TextWidth.columns(barText(binding)) + 2
      guard column + width + reserved <= end else { continue }
      column = write(binding, row: area.row, column: column, in: area, into: &frame)
    }
    for binding in last { column = write(binding, row: area.row, column: column, in: area, into: &frame) }
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
