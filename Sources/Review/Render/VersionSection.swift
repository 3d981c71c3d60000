import Screen

extension ReviewState {
  /// Each version: whether it is A or B, its verdict and its warnings; while the list takes keys, where the version
  /// that it points at comes from.
  func versionSection(width: Int) -> PanelSection {
    let versions = decisions.versions
    guard !versions.isEmpty else {
      return PanelSection(
        focus: .versions, title: "Versions", key: "v", lines: [[Span("none yet", Theme.quiet)]])
    }
    let marks = versions.map { version in
      exported[version.id] == nil ? decisions.verdicts[version.id]?.rawValue ?? "" : "exported"
    }
    let room = width - 2 - (marks.map { TextWidth.columns($0) }.max().map { $0 == 0 ? 0 : $0 + 1 } ?? 0)
    let names = TextWidth.shortened(versions.map(\.name), to: room)
    var lines: [[Span]] = []
    var pointer: Int?
    for (version, (name, mark)) in zip(versions, zip(names, marks)) {
      if version.id == selectedVersion { pointer = lines.count }
      var style = version.id == selectedVersion && focus == .versions ? Theme.selected : Theme.plain
      style.isBold = shownVersion?.id == version.id
      let side = version.id == decisions.a ? "A " : version.id == decisions.b ? "B " : "  "
      lines.append([Span(side + name.fitted(room + (mark.isEmpty ? 0 : 1)) + mark, style)])
      if !version.warnings.isEmpty {
        lines.append([Span("  " + version.warnings.joined(separator: ", "), Theme.warning)])
      }
    }
    var section = PanelSection(focus: .versions, title: "Versions", key: "v", lines: lines, pointer: pointer)
    if focus == .versions, let version = selectedVersion.flatMap({ version($0) }) {
      section.footer = versionDetails(version, width: width)
    }
    return section
  }

  /// Lines below the list of versions, as many for each version so that none moves when the pointer does.
  private static let versionDetailRows = 4

  private func versionDetails(_ version: Version, width: Int) -> [[Span]] {
    var lines = version.warnings.flatMap { wrapped($0, width: width) }.map { [Span($0, Theme.warning)] }
    lines += wrapped(originText(version), width: width).map { [Span($0, Theme.quiet)] }
    let rows = ReviewState.versionDetailRows
    return Array((lines + [[Span]](repeating: [], count: rows)).prefix(rows))
  }

  private func originText(_ version: Version) -> String {
    switch version.origin {
    case .mask(let path): return cleaned(path)
    case .network(let modelID, _): return "network \(cleaned(modelID))"
    case .edit(let base): return "\(self.version(base).map { cleaned($0.name) } ?? "-"), changed by hand"
    case .refinement(let base, let settings, _):
      return "of \(self.version(base).map { cleaned($0.name) } ?? "-"): " + ReviewState.summary(settings)
    }
  }
}
