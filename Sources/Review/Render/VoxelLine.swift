import Screen
import Volumes
import Work

/// The label of one version at the crosshair.
struct LabelAtCrosshair {
  /// "A", "B", or the version's name.
  var version: String
  /// nil for background.
  var label: Label?
  /// The probability of the label, or of background; nil where it is not known.
  var probability: Double?
  /// Whether a network made the version but must run again for its probabilities.
  var lacksProbability = false

  /// "A ■ liver 0.97", with the name in `nameWidth` columns; "A ■ liver %?" where a key offers the probability.
  func spans(nameWidth: Int) -> [Span] {
    var spans = [Span("  \(version) ", Theme.barQuiet)]
    if let label {
      spans.append(Span("■ ", Style(foreground: label.colour.rgb.colour, background: Theme.bar.background)))
      spans.append(Span(TextWidth.shortened(cleaned(label.name), to: nameWidth), Theme.barStrong))
    } else {
      spans.append(Span(TextWidth.shortened("background", to: nameWidth), Theme.bar))
    }
    if let probability { spans.append(Span(" " + decimals(probability, 2), Theme.bar)) }
    if lacksProbability { spans.append(Span(" %?", Theme.barQuiet, click: .pictureKey("%"))) }
    return spans
  }
}

extension ReviewState {
  /// The label that each version has at the crosshair: A and B, then the others in their order.
  ///
  /// In the CRF panel, the labels before and after refinement.
  var labelsAtCrosshair: [LabelAtCrosshair] {
    func label(of version: Version) -> Label? {
      let value = version.labels[view.crosshair]
      return value == 0 ? nil : version.table[value]
    }
    if focus == .refinement, let live, live.latest != nil, let base = version(live.base) {
      let refined = live.label(at: view.crosshair).map { $0 == 0 ? nil : base.table[$0] }
      return [
        LabelAtCrosshair(version: "before", label: label(of: base)),
        LabelAtCrosshair(version: "refined", label: refined ?? label(of: base)),
      ]
    }
    let compared = [decisions.a, decisions.b].compactMap { $0.flatMap { version($0) } }
    let others = presentVersions.filter { version in !compared.contains { $0.id == version.id } }
    let letters = compared.count > 1 ? ["A", "B"] : ["label"]
    let names = TextWidth.shortened(others.map(\.name), to: 16)
    return zip(compared + others, letters.prefix(compared.count) + names).map { version, name in
      let label = label(of: version)
      let probabilities = knownProbabilities(of: version)
      let probability = probabilities.flatMap { known in
        known.position(of: label?.value ?? 0).map {
          known.probability(of: $0, at: continuous(view.crosshair))
        }
      }
      return LabelAtCrosshair(
        version: name, label: label, probability: probability, lacksProbability: lacksProbabilities(version))
    }
  }

  /// Draws the voxel line: position, intensity, and the label of each version at the crosshair.
  ///
  /// On a narrow screen, versions other than A and B are omitted first, then millimetres; then names are truncated.
  func paintVoxelLine(_ area: Rectangle, into frame: inout Frame) {
    frame.fill(area, Cell(" ", Theme.bar))
    let index = view.crosshair
    let world = grid.affine.world(index)
    let intensity = Double(content.image.voxels[grid.size.offset(index)])
    let voxel = [
      Span(" ijk ", Theme.barQuiet), Span("\(index.i) \(index.j) \(index.k)", Theme.barStrong),
    ].clicked(as: "g")
    let millimetres = [
      Span("  RAS ", Theme.barQuiet),
      Span("\(decimals(world.x, 1)) \(decimals(world.y, 1)) \(decimals(world.z, 1)) mm", Theme.barStrong),
    ].clicked(as: "g")
    let grey = [
      Span("  \(intensities.looksLikeCT ? "HU" : "I") ", Theme.barQuiet),
      Span(brief(intensity, atMost: 2), Theme.barStrong),
    ].clicked(as: "w")
    let labels = labelsAtCrosshair
    guard !labels.isEmpty else {
      let none = [Span("  label ", Theme.barQuiet), Span("-", Theme.bar)].clicked(as: "m")
      let label = isImageShownEarly ? [] : none
      return frame.write(voxel + millimetres + grey + label, row: area.row, in: area)
    }
    func line(_ count: Int, hasMillimetres: Bool, nameWidth: Int) -> [Span] {
      voxel + (hasMillimetres ? millimetres : []) + grey
        + labels.prefix(count).flatMap { $0.spans(nameWidth: nameWidth) }.clicked(as: "p")
    }
    let minimumCount = min(labels.count, decisions.b == nil ? 1 : 2)
    let whole = 200
    let shorter = stride(from: 40, through: 5, by: -1).map { (minimumCount, false, $0) }
    let forms =
      (minimumCount...labels.count).reversed().map { ($0, true, whole) } + [(minimumCount, false, whole)]
      + shorter
    let fitting = forms.lazy.map { line($0.0, hasMillimetres: $0.1, nameWidth: $0.2) }
      .first { $0.reduce(0) { $0 + TextWidth.columns($1.text) } <= area.columns }
    frame.write(
      fitting ?? line(minimumCount, hasMillimetres: false, nameWidth: 5), row: area.row, in: area)
  }
}

extension LiveRefinement {
  /// The refined label of a voxel; nil where it was not refined.
  fileprivate func label(at index: VoxelIndex) -> UInt16? {
    region?.part.label(at: index) ?? whole?.part.label(at: index)
  }
}
