import Foundation
import Volumes
import Work

/// A line typed after ":" or "go to".
enum TypedCommand: Equatable {
  case window(IntensityWindow), automaticWindow, preset(Int)
  case slice(Int), voxel(VoxelIndex), world(WorldPoint), label(String)
  case export(String?), exportAndQuit(String?), quit(isForced: Bool), help, messages
  case frame(Int), paint(String), compare(ComparisonView), cine(Double)
  case version(String, Action.VersionRole), openImage(String, series: String?)
  case openMask(String, MaskPart?, name: String?)
  case knob(Knob, String), kernels(named: String), saveKernels(String)
  case score(Int), comment(String), tag(String), untag(String), retract(Retraction)
  case problem(String)

  /// The forms of positions that can be typed, for the key reference.
  private static let places: [(String, String)] = [
    ("40", "slice 40 of the active plane, counted from 0"),
    ("120,80,40", "voxel i,j,k, counted from 0"),
    ("-12.5,40,81mm", "the voxel at x,y,z in millimetres (RAS+)"),
    ("liver", "the largest slice of a label, by name, part of a name, or \"label 6\""),
  ]

  /// The forms of all positions and commands, for the key reference.
  static let reference = places + CommandDefinition.all.map { ($0.example, $0.summary) }

  /// The command that a line means in a case with these windows.
  init(_ line: String, after prompt: CommandLine.Prompt, presets: [WindowPreset]) {
    let text = line.trimmingCharacters(in: .whitespaces)
    let name = text.prefix { $0 != " " }
    guard let definition = CommandDefinition.named(String(name)),
      prompt == .command || definition.name == "slice"
    else {
      self = TypedCommand.destination(text)
      return
    }
    self = definition.parse(CommandText(text: text.dropFirst(name.count).trimmingSpaces, presets: presets))
  }

  static func window(_ words: [String], _ presets: [WindowPreset]) -> TypedCommand {
    let numbers = words.compactMap { Double(stated: $0) }
    if words.count == 2, numbers.count == 2 {
      let range = UsableRange.intensity
      guard numbers[1] >= 1e-6 else { return .problem("window: the width must be at least 0.000001") }
      let (lower, upper) = (numbers[0] - numbers[1] / 2, numbers[0] + numbers[1] / 2)
      guard range.contains(lower), range.contains(upper) else {
        return .problem("window: its ends must lie from \(range.lowerBound) to \(range.upperBound)")
      }
      return .window(IntensityWindow(lower: lower, upper: upper))
    }
    let name = words.joined(separator: " ").lowercased()
    if name == "auto" { return .automaticWindow }
    if !name.isEmpty, let match = presets.firstIndex(where: { $0.name.lowercased().contains(name) }) {
      return .preset(match)
    }
    return .problem("window: type centre and width, \"auto\" or a preset's name")
  }

  static func knob(_ words: [String]) -> TypedCommand {
    guard let knob = words.first.flatMap({ KnobName.knob($0) }),
      words.count == 2 || words.count > 2 && knob == .changedLabels
    else {
      let names = KnobName.all.map(\.name).joined(separator: ", ")
      return .problem("set: type a knob (\(names)) and a value")
    }
    return .knob(knob, words.dropFirst().joined(separator: " "))
  }

  /// Parses the file of a mask and the options after it: "segment NAME" or "layer N" for a part of a segmentation, and
  /// "as NAME" for the name of the version.
  static func mask(_ text: String) -> TypedCommand {
    guard !text.isEmpty else {
      return .problem(
        "mask: type a file; \"segment NAME\" or \"layer N\" after it chooses a part, \"as NAME\" names the version"
      )
    }
    var file = TypedFile(text)
    let name = file.removeLast("as")
    var part: MaskPart?
    if let segment = file.removeLast("segment") {
      part = MaskPart(segment: segment)
    } else if let layer = file.removeLast("layer") {
      guard let number = Int(layer), number >= 0 else {
        return .problem("mask: \"layer \(layer)\": type the number of a layer, from 0")
      }
      part = MaskPart(layer: number)
    }
    guard file.rest.isEmpty else {
      return .problem("mask: \"\(file.rest)\" after the file; type segment NAME, layer N or as NAME")
    }
    return .openMask(file.path, part, name: name)
  }

  /// Parses the file or folder of an image, and "series N" after it, which chooses one of several.
  static func open(_ text: String) -> TypedCommand {
    guard !text.isEmpty else { return .problem("open: type the file of an image") }
    var file = TypedFile(text)
    let series = file.removeLast("series")
    guard file.rest.isEmpty else {
      return .problem("open: \"\(file.rest)\" after the file; type series N")
    }
    return .openImage(file.path, series: series)
  }

  private static func destination(_ text: String) -> TypedCommand {
    let lower = text.lowercased()
    let isMillimetres = lower.hasSuffix("mm")
    let body = isMillimetres ? String(lower.dropLast(2)) : lower
    let parts = body.split(whereSeparator: { ", ".contains($0) }).map(String.init)
    if parts.count == 3 {
      let numbers = parts.compactMap { Double(stated: $0) }
      if numbers.count == 3, numbers.allSatisfy({ $0.isFinite && abs($0) < 1e9 }) {
        if isMillimetres { return .world(WorldPoint(numbers[0], numbers[1], numbers[2])) }
        let whole = parts.compactMap { Int($0) }
        if whole.count == 3 { return .voxel(VoxelIndex(whole[0], whole[1], whole[2])) }
        return .problem("\"\(text)\": voxel indices are whole numbers; put mm after millimetres")
      }
    }
    if let slice = Int(lower) { return .slice(slice) }
    return .label(text)
  }
}

extension ReviewState {
  /// Executes a typed line that is not blank.
  mutating func perform(typed line: String, after prompt: CommandLine.Prompt) -> [ReviewEffect] {
    switch TypedCommand(line, after: prompt, presets: intensities.presets) {
    case .window(let window):
      choose(window)
      message = Message("window \(window.text)")
    case .automaticWindow: chooseWithMessage(intensities.presets[0])
    case .preset(let position): chooseWithMessage(intensities.presets[position])
    case .slice(let slice): goTo(slice: slice)
    case .voxel(let index): goTo(index, as: line)
    case .world(let point):
      let index = grid.affine.continuousIndex(point)
      let nearest = (0..<3).map { Int(saturating: min(max(index[$0].rounded(), -1e9), 1e9)) }
      goTo(VoxelIndex(nearest[0], nearest[1], nearest[2]), as: line)
    case .label(let name): goTo(labelNamed: name, after: prompt)
    case .export(let path): return export(to: path, version: nil)
    case .exportAndQuit(let path): return export(to: path, version: nil, quitsAfterwards: true)
    case .quit(let isForced): return quit(isForced: isForced)
    case .help: dialog = .help(line: 0)
    case .messages: openMessages()
    case .frame(let frame): return goTo(frame: frame)
    case .paint(let label): return paint(label)
    case .compare(let comparison): compareWithMessage(comparison)
    case .cine(let rate): startCine(slicesPerSecond: rate)
    case .openImage(let path, let series): return openImage(path, series: series)
    case .openMask(let path, let part, let name): return openMask(path, part, named: name)
    case .version(let name, let use): return useVersion(named: name, as: use)
    case .knob(let knob, let value):
      var knobs = decisions.knobs
      if let problem = unknownLabel(value, of: knob) ?? knobs.type(labelValues(value, of: knob), for: knob) {
        message = Message(problem, .error)
      } else {
        decide("set \(knob.name)") { $0.knobs = knobs }
        message = Message(
          "\(knob.name): \(value) \(knob.unit(intensityUnit))".trimmingCharacters(in: .whitespaces))
        return previewIfLive()
      }
    case .score(let score): giveScore(score)
    case .comment(let text): comment(text)
    case .tag(let tag): self.tag(tag)
    case .untag(let tag): untag(tag)
    case .retract(let kind): retract(kind)
    case .kernels(let name): return usePreset(named: name)
    case .saveKernels(let name): return savePreset(named: name)
    case .problem(let text): message = Message(text, .error)
    }
    return []
  }

  /// The typed value of a knob, with the names of labels replaced by their values.
  private func labelValues(_ text: String, of knob: Knob) -> String {
    guard knob == .changedLabels, let table = refinementBase?.table else { return text }
    return labelParts(text).map { part in
      table.labels.first { $0.nameKey == part.nameKey }.map { "\($0.value)" } ?? part
    }.joined(separator: ",")
  }

  private func labelParts(_ text: String) -> [String] {
    text.split(separator: ",", omittingEmptySubsequences: false).map {
      $0.trimmingCharacters(in: .whitespaces)
    }
  }

  /// The error in labels that were typed; nil when each is a value, or a label's name.
  private func unknownLabel(_ text: String, of knob: Knob) -> String? {
    guard knob == .changedLabels, text.lowercased() != "all", let table = refinementBase?.table else {
      return nil
    }
    if labelParts(text).contains("") { return "labels: \"\(cleaned(text))\" lacks a label beside a comma" }
    let unknown = labelParts(text).first { part in
      !table.labels.contains { $0.nameKey == part.nameKey || Double(stated: part) == Double($0.value) }
    }
    guard let unknown else { return nil }
    let names = table.labels.prefix(12).map { cleaned($0.name) }.joined(separator: ", ")
    let more = table.labels.count > 12 ? ", …" : ""
    return "labels: no label is called \"\(cleaned(unknown))\"; the labels are \(names)\(more)"
  }

  private mutating func chooseWithMessage(_ preset: WindowPreset) {
    choose(preset)
    message = Message("window \(preset.name), \(preset.window.text)")
  }

  private mutating func goTo(slice: Int) {
    let geometry = geometry(view.activePlane)
    guard (0..<geometry.sliceCount).contains(slice) else {
      message = Message(
        "slice \(slice): the \(view.activePlane.rawValue) slices are 0 to \(geometry.sliceCount - 1)", .error)
      return
    }
    var index = view.crosshair
    index[geometry.sliceAxis] = slice
    moveCrosshair(to: index)
  }

  private mutating func goTo(_ index: VoxelIndex, as typed: String) {
    guard grid.size.contains(index) else {
      message = Message("\(typed) lies outside the image of \(grid.size) voxels", .error)
      return
    }
    moveCrosshair(to: index)
    if view.zoom > 1 { view.centre = continuous(index) }
  }

  private mutating func goTo(labelNamed name: String, after prompt: CommandLine.Prompt) {
    let wanted = name.nameKey
    func match(among labels: [Label]) -> Label? {
      labels.first { $0.nameKey == wanted } ?? labels.first { "label \($0.value)" == wanted }
        ?? labels.first { $0.nameKey.hasPrefix(wanted) }
        ?? labels.first { $0.nameKey.contains(wanted) }
    }
    guard let match = match(among: shownLabels) else {
      if let other = match(among: otherVersion?.table.labels ?? []) { return jumpInOther(to: other) }
      let kinds = prompt == .command ? "command, place or label" : "place or label"
      message = Message("\"\(name)\" is not a \(kinds); \(suggestion(for: name, after: prompt))", .error)
      return
    }
    jump(to: match)
  }

  /// The end of the message about an unknown command: the most similar command or label, or a hint at the key
  /// reference.
  private func suggestion(for line: String, after prompt: CommandLine.Prompt) -> String {
    let commands = prompt == .command ? CommandDefinition.all.flatMap(\.names).filter { $0.count > 2 } : []
    let word = String(line.prefix { $0 != " " })
    if let name = NameSuggestion.nearest(to: word, among: commands) { return "did you mean \(name)?" }
    let labels = shownLabels.map(\.nameKey)
    if let key = NameSuggestion.nearest(to: line.nameKey, among: labels),
      let position = labels.firstIndex(of: key)
    {
      return "did you mean \(shownLabels[position].name)?"
    }
    return "? lists them"
  }

  /// Makes a version A or B: the one with this name, or the only one whose name contains it.
  private mutating func useVersion(named name: String, as role: Action.VersionRole) -> [ReviewEffect] {
    let versions = presentVersions
    let containing = versions.filter { $0.name.nameKey.contains(name.nameKey) }
    guard
      let match = versions.last(where: { $0.name == name }) ?? (containing.count == 1 ? containing[0] : nil)
    else {
      let names = (containing.isEmpty ? versions : containing).map(\.name).joined(separator: ", ")
      message = Message(
        containing.isEmpty
          ? "no version is called \"\(name)\"; the versions are \(names)"
          : "several versions are called so: \(names)", .error)
      return []
    }
    selectedVersion = match.id
    return useVersion(as: role)
  }
}
