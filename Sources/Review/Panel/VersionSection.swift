import Screen

/// The versions of the case; keys choose which are A, B and shown.
struct VersionSection: PanelSection {
  var opening: (key: Key, summary: String, barWord: String) { ("v", "versions", "versions") }
  var keysTitle: String { "Versions" }
  var keysIntroduction: String {
    "After v, until Esc. A and B are the two versions that Tab flips and d compares."
  }

  var bindings: [KeyBinding] {
    listBindings(entry: "version") + Action.VersionRole.bindings + closingBindings
  }

  func content(_ state: ReviewState, width: Int, rows: Int) -> SectionContent {
    state.versionContent(width: width)
  }

  func list(_ state: ReviewState) -> PointedList {
    let versions = state.presentVersions
    return PointedList(
      name: .section(id), count: versions.count, text: { versions[$0].name },
      position: versions.firstIndex { $0.id == state.selectedVersion }, page: { state.panelPage(id) })
  }

  func point(at entry: Int, _ state: inout ReviewState) {
    state.selectedVersion = state.presentVersions[entry].id
  }

  func begin(_ state: inout ReviewState) -> [ReviewEffect] {
    state.selectedVersion = state.shownVersion?.id ?? state.presentVersions.last?.id
    return []
  }
}

extension ReviewState.Focus {
  static let versions = Self.section(VersionSection().id)
}

extension ReviewState {
  /// A line for each version: whether it is A or B, its verdict and its warnings; while the list receives keys, also
  /// the origin of the selected version.
  fileprivate func versionContent(width: Int) -> SectionContent {
    let versions = presentVersions
    guard !versions.isEmpty else {
      return SectionContent(title: "Versions", lines: [[Span("none yet", Theme.quiet)]])
    }
    let marks = versions.map { version in
      exported[version.id] == nil ? decisions.verdicts[version.id]?.rawValue ?? "" : "exported"
    }
    let room = width - 2 - (marks.map { TextWidth.columns($0) }.max().map { $0 == 0 ? 0 : $0 + 1 } ?? 0)
    let names = TextWidth.shortened(versions.map(\.name), to: room)
    var lines: [[Span]] = []
    var pointer: Int?
    var entries: [Int] = []
    for (position, (version, (name, mark))) in zip(versions, zip(names, marks)).enumerated() {
      if version.id == selectedVersion { pointer = lines.count }
      var style = version.id == selectedVersion && focus == .versions ? Theme.selected : Theme.plain
      style.isBold = shownVersion?.id == version.id
      let side = version.id == decisions.a ? "A " : version.id == decisions.b ? "B " : "  "
      lines.append([Span(side + name.fitted(room + (mark.isEmpty ? 0 : 1)) + mark, style)])
      let warnings = version.warnings + uncertaintyFlags(of: version)
      if !warnings.isEmpty {
        lines.append([Span("  " + warnings.joined(separator: ", "), Theme.warning)])
      }
      entries += Array(repeating: position, count: lines.count - entries.count)
    }
    var content = SectionContent(title: "Versions", lines: lines, pointer: pointer)
    content.clickedEntry = { entries[$0] }
    if focus == .versions, let version = selectedVersion.flatMap({ version($0) }) {
      content.footer = versionDetails(version, width: width)
    }
    return content
  }

  /// The number of lines below the list of versions, the same for each version, so that nothing moves with the pointer.
  private static let versionDetailRows = 4

  private func versionDetails(_ version: Version, width: Int) -> [[Span]] {
    var lines = (version.warnings + uncertaintyFlags(of: version)).flatMap { wrapped($0, width: width) }.map {
      [Span($0, Theme.warning)]
    }
    lines += wrapped(originText(version), width: width).map { [Span($0, Theme.quiet)] }
    let rows = ReviewState.versionDetailRows
    return Array((lines + [[Span]](repeating: [], count: rows)).prefix(rows))
  }

  /// What is unusual about the uncertainty of the network that made a version; nothing for other versions.
  private func uncertaintyFlags(of version: Version) -> [String] {
    guard case .network = version.origin, let handle = version.probabilities,
      uncertainty?.source == .run(handle)
    else { return [] }
    return uncertaintyFlags.map { cleaned($0) }
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
