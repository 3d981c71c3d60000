import Foundation
import Volumes
import Work

/// A line typed after ":" or "go to".
enum TypedCommand: Equatable {
  case window(IntensityWindow), automaticWindow, preset(Int)
  case slice(Int), voxel(VoxelIndex), world(WorldPoint), label(String)
  case export(String?), exportAndQuit(String?), quit(isForced: Bool), help, messages
  case frame(Int), paint(String)
  case knob(Knob, String), kernels(named: String), saveKernels(String)
  case score(Int), comment(String), tag(String), untag(String)
  case problem(String)

  /// The syntax of each command, for the key reference.
  static let reference: [(String, String)] = [
    ("40", "slice 40 of the active plane, counted from 0"),
    ("120,80,40", "voxel i,j,k, counted from 0"),
    ("-12.5,40,81mm", "the voxel at x,y,z in millimetres (RAS+)"),
    ("liver", "the largest slice of a label, by name, part of a name, or \"label 6\""),
    ("frame 3", "a frame of an image that has several, counted from 0"),
    ("paint liver", "the voxel at the crosshair gets a label of the version shown; 0 clears it"),
    ("window 40 400", "window by centre and width; also \"window auto\" and \"window lung\""),
    (
      "set theta-alpha 6",
      "a CRF knob: mu1, theta-alpha, theta-beta, mu2, theta-gamma, iterations, tau1, certainty, labels"
    ),
    ("preset NAME", "the CRF's kernels: advised, from the image or saved"),
    ("save-preset NAME", "save the CRF's kernels"),
    ("score 4", "how good the segmentation is, from 1 to 5; 0 takes it back"),
    ("comment TEXT", "a comment on the case, in place of an earlier one"),
    ("tag WORD", "a word that groups cases; \"untag WORD\" takes it back"),
    ("export NAME", "export the accepted version to NAME; w is short for it"),
    ("messages", "every message of the session, the newest last"),
    ("wq", "export and quit"),
    ("q", "quit; q! does not ask"),
  ]

  /// The command that a line means in a case with these labels and presets.
  init(_ line: String, presets: [WindowPreset]) {
    let words = line.split(separator: " ").map(String.init)
    let rest = words.dropFirst().joined(separator: " ")
    switch words.first?.lowercased() {
    case nil: self = .problem("nothing was typed")
    case "q", "quit": self = .quit(isForced: false)
    case "q!", "quit!": self = .quit(isForced: true)
    case "w", "export": self = .export(rest.isEmpty ? nil : rest)
    case "wq", "x": self = .exportAndQuit(rest.isEmpty ? nil : rest)
    case "help", "h": self = .help
    case "messages", "mes", "notes": self = .messages
    case "frame":
      self = Int(rest).map { .frame($0) } ?? .problem("frame: type a number, counted from 0")
    case "paint":
      self = rest.isEmpty ? .problem("paint: type a label's name or value, or 0") : .paint(rest)
    case "score":
      self =
        Int(rest).flatMap { $0 == 0 || Verdicts.scores.contains($0) ? .score($0) : nil }
        ?? .problem("score: type 1 to 5, or 0 to take it back")
    case "comment": self = .comment(rest)
    case "tag": self = rest.isEmpty ? .problem("tag: type a word") : .tag(rest)
    case "untag": self = rest.isEmpty ? .problem("untag: type the word to take back") : .untag(rest)
    case "window", "win": self = TypedCommand.window(Array(words.dropFirst()), presets)
    case "preset": self = .kernels(named: rest)
    case "save-preset": self = .saveKernels(rest)
    case "set": self = TypedCommand.knob(Array(words.dropFirst()))
    case "slice" where Int(rest) != nil: self = .slice(Int(rest)!)
    default: self = TypedCommand.destination(line.trimmingCharacters(in: .whitespaces))
    }
  }

  private static func window(_ words: [String], _ presets: [WindowPreset]) -> TypedCommand {
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

  private static let knobs: [(String, Knob)] = [
    ("mu1", .appearanceWeight), ("theta-alpha", .thetaAlpha), ("theta-beta", .thetaBeta),
    ("mu2", .smoothnessWeight), ("theta-gamma", .thetaGamma), ("iterations", .iterations),
    ("certainty", .maskConfidence), ("tau1", .auxiliaryWeight(0)), ("tau2", .auxiliaryWeight(1)),
    ("tau3", .auxiliaryWeight(2)), ("labels", .changedLabels),
  ]

  private static func knob(_ words: [String]) -> TypedCommand {
    guard let first = words.first?.lowercased(), let knob = knobs.first(where: { $0.0 == first })?.1,
      words.count == 2 || words.count > 2 && knob == .changedLabels
    else {
      return .problem("set: type a knob (\(knobs.map(\.0).joined(separator: ", "))) and a value")
    }
    return .knob(knob, words.dropFirst().joined(separator: " "))
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
  /// Carries out a typed line.
  mutating func perform(typed line: String) -> [ReviewEffect] {
    guard line.contains(where: { !$0.isWhitespace }) else { return [] }
    switch TypedCommand(line, presets: intensities.presets) {
    case .window(let window):
      choose(window)
      message = Message("window \(window.text)")
    case .automaticWindow: chooseAndSay(intensities.presets[0])
    case .preset(let position): chooseAndSay(intensities.presets[position])
    case .slice(let slice): goTo(slice: slice)
    case .voxel(let index): goTo(index, as: line)
    case .world(let point):
      let index = grid.affine.continuousIndex(point)
      let nearest = (0..<3).map { Int(saturating: min(max(index[$0].rounded(), -1e9), 1e9)) }
      goTo(VoxelIndex(nearest[0], nearest[1], nearest[2]), as: line)
    case .label(let name): goTo(labelNamed: name)
    case .export(let path): return export(to: path, version: nil)
    case .exportAndQuit(let path): return export(to: path, version: nil, quitsAfterwards: true)
    case .quit(let isForced): return quit(isForced: isForced)
    case .help: dialog = .help(line: 0)
    case .messages: openMessages()
    case .frame(let frame): return goTo(frame: frame)
    case .paint(let label): return paint(label)
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

  private mutating func chooseAndSay(_ preset: WindowPreset) {
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

  private mutating func goTo(labelNamed name: String) {
    let wanted = name.nameKey
    let labels = shownLabels
    let match =
      labels.first { $0.nameKey == wanted } ?? labels.first { "label \($0.value)" == wanted }
      ?? labels.first { $0.nameKey.hasPrefix(wanted) }
      ?? labels.first { $0.nameKey.contains(wanted) }
    guard let match else {
      message = Message("\"\(name)\" is no command, place or label; ? lists them", .error)
      return
    }
    jump(to: match)
  }
}
