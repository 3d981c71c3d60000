import Volumes

/// The kind of argument of a command.
enum CommandArgument: Equatable, Sendable {
  case nothing
  /// A number, a position or a text, for which there are no candidates.
  case text
  /// "auto" or the name of a window.
  case window
  /// A view of two versions.
  case comparison
  /// A label of the version shown.
  case label
  /// A knob of the CRF and its value.
  case knob
  /// The name of CRF settings.
  case preset
  /// The name of a version.
  case version
  /// A tag of the case.
  case tag
  /// A tag that the case does not have yet; other cases may have it.
  case newTag
  /// The path of a file.
  case file(FolderContent)

  /// Whether the command takes no argument.
  var isNothing: Bool { self == .nothing }
}

/// The argument of a command as it was typed, and the values that its meaning depends on.
struct CommandText {
  /// The text without blanks at its ends.
  var text: String
  /// The windows of the image.
  var presets: [WindowPreset]

  /// The text as the path of a file, without quotation marks around it.
  var path: String {
    guard text.count > 2, text.hasPrefix("\""), text.hasSuffix("\"") else { return text }
    return String(text.dropFirst().dropLast())
  }

  /// The text, separated at blanks.
  var words: [String] { text.split(separator: " ").map(String.init) }
}

/// A command of the line after ":".
///
/// The one table of them, ``all``, drives the parser, the candidates and the key reference.
struct CommandDefinition: Sendable {
  /// The name of the command, then its other names.
  let names: [String]
  /// The kind of its argument.
  let argument: CommandArgument
  /// The parts of its file that can be chosen after the path.
  let parts: [FilePart.Kind]
  /// An example: "window 40 400".
  let example: String
  /// One line for the key reference and for the list of candidates.
  let summary: String
  /// Parses the text after the name.
  let parse: @Sendable (CommandText) -> TypedCommand

  init(
    _ names: [String], argument: CommandArgument = .nothing, parts: [FilePart.Kind] = [],
    example: String? = nil, _ summary: String,
    parse: @escaping @Sendable (CommandText) -> TypedCommand
  ) {
    self.names = names
    self.argument = argument
    self.parts = parts
    self.example = example ?? names[0]
    self.summary = summary
    self.parse = parse
  }

  /// The name that the key reference and the candidates show.
  var name: String { names[0] }

  /// The definition that a name calls, in small or capital letters; nil for none.
  static func named(_ name: String) -> CommandDefinition? { byName[name.lowercased()] }

  private static let byName: [String: CommandDefinition] = {
    var byName: [String: CommandDefinition] = [:]
    for definition in all {
      for name in definition.names { byName[name] = definition }
    }
    return byName
  }()
}

extension CommandDefinition {
  /// Every command, in the order of the key reference.
  static let all: [CommandDefinition] = picture + labels + refinement + verdicts + files

  private static let picture: [CommandDefinition] = [
    CommandDefinition(
      ["slice"], argument: .text, example: "slice 40", "a slice of the active plane, counted from 0"
    ) {
      Int($0.text).map { .slice($0) } ?? .problem("slice: type a number, counted from 0")
    },
    CommandDefinition(
      ["frame"], argument: .text, example: "frame 3", "a frame of an image that has several, counted from 0"
    ) { Int($0.text).map { .frame($0) } ?? .problem("frame: type a number, counted from 0") },
    CommandDefinition(
      ["window", "win"], argument: .window, example: "window 40 400",
      "window by centre and width; also \"window auto\" and \"window lung\""
    ) { TypedCommand.window($0.words, $0.presets) },
    CommandDefinition(
      ["compare"], argument: .comparison, example: "compare side",
      "A and B together: \(comparisonNames)"
    ) { argument in
      let name = argument.text.lowercased()
      return ComparisonView.allCases.first { !name.isEmpty && $0.rawValue.hasPrefix(name) }.map {
        .compare($0)
      }
        ?? .problem("compare: type \(comparisonNames)")
    },
    CommandDefinition(
      ["cine"], argument: .text, example: "cine 10",
      "play the slices of the active plane at this rate per second; any key stops"
    ) { argument in
      let rate = argument.text.isEmpty ? Cine.usualRate : Double(stated: argument.text)
      return rate.flatMap { Cine.rates.contains($0) ? .cine($0) : nil }
        ?? .problem("cine: type slices per second, 1 to 60")
    },
  ]

  /// "side, contours, checker, spyglass or off".
  private static let comparisonNames =
    ComparisonView.allCases.dropFirst().map(\.rawValue).joined(separator: ", ") + " or off"

  private static let labels: [CommandDefinition] = [
    CommandDefinition(
      ["paint"], argument: .label, example: "paint liver",
      "the voxel at the crosshair gets a label of the version shown; 0 clears it"
    ) { $0.text.isEmpty ? .problem("paint: type a label's name or value, or 0") : .paint($0.text) },
    CommandDefinition(["a"], argument: .version, example: "a NAME", "the version of this name becomes A") {
      $0.text.isEmpty ? .problem("a: type the name of a version") : .version($0.text, .a)
    },
    CommandDefinition(["b"], argument: .version, example: "b NAME", "the version of this name becomes B") {
      $0.text.isEmpty ? .problem("b: type the name of a version") : .version($0.text, .b)
    },
  ]

  private static let refinement: [CommandDefinition] = [
    CommandDefinition(
      ["set"], argument: .knob, example: "set theta-alpha 6",
      "a CRF knob: " + KnobName.all.map(\.name).joined(separator: ", ")
    ) { TypedCommand.knob($0.words) },
    CommandDefinition(
      ["preset"], argument: .preset, example: "preset NAME",
      "the CRF's kernels: advised, from the image or saved"
    ) { .kernels(named: $0.text) },
    CommandDefinition(["save-preset"], argument: .text, example: "save-preset NAME", "save the CRF's kernels")
    {
      .saveKernels($0.text)
    },
  ]

  private static let verdicts: [CommandDefinition] = [
    CommandDefinition(
      ["score"], argument: .text, example: "score 4",
      "the quality of the segmentation, 1 to 5; 0 removes the score"
    ) {
      Int($0.text).flatMap { $0 == 0 || Verdicts.scores.contains($0) ? .score($0) : nil }
        ?? .problem("score: type 1 to 5, or 0 to remove it")
    },
    CommandDefinition(
      ["retract"], argument: .text, example: "retract verdict",
      "take back the verdict on the case and its versions, or the flag (retract flag); a second y, e, A or f never does"
    ) {
      Retraction(rawValue: $0.text.lowercased()).map { .retract($0) }
        ?? .problem("retract: type verdict or flag")
    },
    CommandDefinition(
      ["comment"], argument: .text, example: "comment TEXT",
      "a comment on the case, which replaces an earlier one"
    ) { .comment($0.text) },
    CommandDefinition(["tag"], argument: .newTag, example: "tag WORD", "a word that groups cases") {
      $0.text.isEmpty ? .problem("tag: type a word") : .tag($0.text)
    },
    CommandDefinition(["untag"], argument: .tag, example: "untag WORD", "remove a tag of the case") {
      $0.text.isEmpty ? .problem("untag: type the tag to remove") : .untag($0.text)
    },
  ]

  private static let files: [CommandDefinition] = [
    CommandDefinition(
      ["mask"], argument: .file(.images), parts: [.segment, .layer], example: "mask FILE as NAME",
      "open a mask as one more version, of overlapping segments \"segment NAME\" or \"layer N\"; \"as NAME\" names it"
    ) { TypedCommand.mask($0.text) },
    CommandDefinition(
      ["open"], argument: .file(.images), parts: [.series], example: "open IMAGE",
      "open another image, of several series \"series N\"; asks when something would be lost"
    ) { TypedCommand.open($0.text) },
    CommandDefinition(
      ["export", "w"], argument: .file(.all), example: "export NAME",
      "export the accepted version to NAME; w is short for it"
    ) { .export($0.text.isEmpty ? nil : $0.path) },
    CommandDefinition(["messages", "mes", "notes"], "every message of the session, the newest last") { _ in
      .messages
    },
    CommandDefinition(["help", "h"], "the key reference") { _ in .help },
    CommandDefinition(["wq", "x"], argument: .file(.all), "export and quit") {
      .exportAndQuit($0.text.isEmpty ? nil : $0.path)
    },
    CommandDefinition(["q", "quit"], "quit; asks when something would be lost") { _ in .quit(isForced: false)
    },
    CommandDefinition(["q!", "quit!"], "quit without a question") { _ in .quit(isForced: true) },
  ]
}

/// The name of a CRF knob after ":set".
struct KnobName: Sendable {
  let name: String
  let knob: Knob

  /// The names of all knobs that can be typed.
  static let all: [KnobName] = [
    ("mu1", .appearanceWeight), ("theta-alpha", .thetaAlpha), ("theta-beta", .thetaBeta),
    ("mu2", .smoothnessWeight), ("theta-gamma", .thetaGamma), ("iterations", .iterations),
    ("tau1", .auxiliaryWeight(0)), ("tau2", .auxiliaryWeight(1)), ("tau3", .auxiliaryWeight(2)),
    ("certainty", .maskConfidence), ("labels", .changedLabels),
  ].map { KnobName(name: $0, knob: $1) }

  /// The knob of a name, in small or capital letters.
  static func knob(_ name: String) -> Knob? { all.first { $0.name == name.lowercased() }?.knob }
}
