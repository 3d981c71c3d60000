import Volumes
import Work

/// A way to complete what is being typed.
struct CommandCandidate: Equatable {
  /// The text in the list.
  var text: String
  /// The text before the cursor once the candidate is chosen.
  var line: String
  /// A short description.
  var summary: String
}

/// The text before the cursor: the start of a command's name, or a command and the start of its argument.
enum CommandStem: Equatable {
  /// A word that may become a command, a label or a position.
  case first(String)
  /// A command, the part of the line that stays, and the text after it.
  case argument(CommandArgument, head: String, text: String)

  /// The parts of what was typed after a prompt.
  init(_ typed: String, after prompt: CommandLine.Prompt) {
    let text = typed.drop { $0 == " " }
    guard prompt == .command, let space = text.firstIndex(of: " "),
      let definition = CommandDefinition.named(String(text[..<space]))
    else {
      self = .first(String(text))
      return
    }
    let argument = text[space...].drop { $0 == " " }
    self = .argument(
      definition.argument, head: String(typed.prefix(typed.count - argument.count)), text: String(argument))
  }

  /// The folder whose names complete the text, as it was typed, and the files of it that are candidates; nil where no
  /// path is typed.
  var folder: (path: String, content: FolderContent)? {
    guard case .argument(.file(let content), _, let text) = self else { return nil }
    return (CommandStem.folderPart(of: text), content)
  }

  /// "data/" of "data/ca", "" of "ca".
  static func folderPart(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
  }
}

extension ReviewState {
  /// The candidates for the text before the cursor, the most likely first.
  func candidates(of line: CommandLine) -> [CommandCandidate] {
    switch CommandStem(line.stem, after: line.prompt) {
    case .first(let word): return firstWords(word, after: line.prompt)
    case .argument(let argument, let head, let text):
      if let part = typedPart(line), let parts = knownParts(part, line), !parts.isEmpty {
        return Self.matching(parts, part.text).map { choice in
          CommandCandidate(
            text: "\(choice.number)", line: head + part.head + "\(choice.number)",
            summary: choice.summary.printableLine)
        }
      }
      return arguments(argument, text, line.listing).map { choice in
        CommandCandidate(text: choice.text, line: head + choice.value, summary: choice.summary)
      }
    }
  }

  /// The command whose argument is being typed, or whose name is complete; nil for none.
  func commandBeingTyped(_ line: CommandLine) -> CommandDefinition? {
    guard line.prompt == .command else { return nil }
    let word = line.stem.drop { $0 == " " }.prefix { $0 != " " }
    return CommandDefinition.named(String(word))
  }

  /// Commands and, once something is typed, labels to go to.
  private func firstWords(_ word: String, after prompt: CommandLine.Prompt) -> [CommandCandidate] {
    var candidates: [CommandCandidate] = []
    if prompt == .command {
      candidates = CommandDefinition.all.compactMap { definition in
        guard let name = definition.names.first(where: { $0.hasPrefix(word.lowercased()) }) else {
          return nil
        }
        return CommandCandidate(
          text: name, line: name + (definition.argument.isNothing ? "" : " "), summary: definition.summary)
      }
      guard !word.isEmpty else { return candidates }
    }
    return candidates
      + labelChoices(word).map {
        CommandCandidate(text: $0.text, line: $0.value, summary: "go to its largest slice")
      }
  }

  /// A value that an argument can have.
  private struct Choice {
    var text: String
    var value: String
    var summary: String

    init(_ value: String, _ summary: String = "") {
      (text, self.value, self.summary) = (value, value, summary)
    }
  }

  private func arguments(
    _ argument: CommandArgument, _ text: String, _ listing: FolderListing?
  ) -> [Choice] {
    switch argument {
    case .nothing, .text: return []
    case .window:
      let presets = intensities.presets
      let auto = [Choice("auto", presets[0].window.text)]
      return ReviewState.matching(auto + presets.dropFirst().map { Choice($0.name, $0.window.text) }, text)
    case .comparison: return ReviewState.matching(ComparisonView.allCases.map { Choice($0.rawValue) }, text)
    case .label: return labelChoices(text)
    case .knob: return knobChoices(text)
    case .preset: return ReviewState.matching(presetChoices.map { Choice($0.name, $0.origin) }, text)
    case .version: return versionChoices(text)
    case .tag: return ReviewState.matching(decisions.verdicts.tags.map { Choice($0) }, text)
    case .newTag:
      let own = decisions.verdicts.tags
      return ReviewState.matching(knownTags.filter { !own.contains($0) }.map { Choice($0) }, text)
    case .file: return pathChoices(text, listing)
    }
  }

  private func labelChoices(_ text: String) -> [Choice] {
    guard let version = shownVersion else { return [] }
    let choices = version.labelsBySize.map { label in
      Choice(cleaned(label.name), "\(decimals(version.millilitres(of: label.value), 1)) mL")
    }
    return ReviewState.matching(choices, text)
  }

  private func versionChoices(_ text: String) -> [Choice] {
    let choices = presentVersions.map { version in
      let side = version.id == decisions.a ? "A" : version.id == decisions.b ? "B" : ""
      return Choice(version.name, side)
    }
    return ReviewState.matching(choices, text)
  }

  /// The names of knobs; after "labels", labels for a list that is separated by commas.
  private func knobChoices(_ text: String) -> [Choice] {
    let words = text.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard words.count == 2 else {
      let knobs = Knob.knobs(of: refinementBase)
      let choices = KnobName.all.filter { knobs.contains($0.knob) }.map { name in
        var choice = Choice(name.name, name.knob.explanation)
        choice.value += " "
        return choice
      }
      return ReviewState.matching(choices, text)
    }
    guard KnobName.knob(words[0]) == .changedLabels else { return [] }
    let comma = words[1].lastIndex(of: ",").map { words[1].index(after: $0) } ?? words[1].startIndex
    let earlier = words[0] + " " + words[1][..<comma]
    return labelChoices(String(words[1][comma...])).map { choice in
      var choice = choice
      choice.value = earlier + choice.value
      return choice
    }
  }

  /// The names in the typed folder that begin with the typed name.
  private func pathChoices(_ text: String, _ listing: FolderListing?) -> [Choice] {
    let folder = CommandStem.folderPart(of: text)
    guard let listing, listing.folder == folder else { return [] }
    return listing.entries(completing: text).map { entry in
      var choice = Choice(
        folder + entry.name + (entry.isFolder ? "/" : ""), entry.summary?.printableLine ?? "")
      choice.text = entry.name.printableLine + (entry.isFolder ? "/" : "")
      return choice
    }
  }

  /// The parts whose number begins with the text, or one of the words of whose summary does.
  private static func matching(_ parts: [FilePart], _ text: String) -> [FilePart] {
    let key = text.nameKey
    guard !key.isEmpty else { return parts }
    return parts.filter {
      let name = $0.summary.nameKey
      return "\($0.number)".hasPrefix(key) || name.hasPrefix(key) || name.contains(" " + key)
    }
  }

  /// The choices that match the text: first those that begin with it, then those with a word that begins with it, then
  /// those that contain it.
  ///
  /// Upper case, underscores and hyphens do not matter.
  private static func matching(_ choices: [Choice], _ text: String) -> [Choice] {
    let key = text.nameKey
    guard !key.isEmpty else { return choices }
    func rank(_ choice: Choice) -> Int? {
      let name = choice.value.nameKey
      if name.hasPrefix(key) { return 0 }
      return name.contains(" " + key) ? 1 : name.contains(key) ? 2 : nil
    }
    let ranked = choices.map { (choice: $0, rank: rank($0)) }
    return (0...2).flatMap { wanted in ranked.filter { $0.rank == wanted }.map(\.choice) }
  }
}
