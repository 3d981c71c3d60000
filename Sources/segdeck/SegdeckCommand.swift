import ArgumentParser
import Work

/// The program's commands; with none of them named, `review` runs.
@main
struct SegdeckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "segdeck", abstract: "Review 3D segmentations in a terminal.",
    version: SegdeckVersion.text,
    subcommands: [
      ReviewCommand.self,
      SegmentCommand.self,
      RefineCommand.self,
      CompareCommand.self,
      EvaluateCommand.self,
      SweepCommand.self,
      TrainCommand.self,
      CurvesCommand.self,
      PhantomCommand.self,
      InfoCommand.self,
      ConvertCommand.self,
      ImportCommand.self,
      ExportCommand.self,
      ReplayCommand.self,
      JournalCommand.self,
      WorklistCommand.self,
      CohortCommand.self,
      ReportCommand.self,
      RenderCommand.self,
      TourCommand.self,
      TerminalCommand.self,
      KeysCommand.self,
    ], defaultSubcommand: ReviewCommand.self)

  static func main() { runAndExit() }

  /// Refuses a command line whose first word (after `help`, or after `journal`) is neither a command nor a file, if it
  /// resembles a command or other words follow it.
  static func refuseUnknownCommand(_ words: [String]) throws(InputError) {
    let isHelp = words.first == "help"
    let rest = words.dropFirst(isHelp ? 1 : 0)
    guard let first = rest.first, !first.hasPrefix("-") else { return }
    guard isHelp || names.contains(first) else {
      try refuseMistyped(first)
      return rest.count > 1 ? try requireFile(first) : ()
    }
    var line = isHelp ? "segdeck help" : "segdeck"
    var commands: [any ParsableCommand.Type] = configuration.subcommands
    for word in rest.prefix(while: { !$0.hasPrefix("-") }) {
      // A word after a command without subcommands is its argument, unless help is requested.
      guard isHelp || !commands.isEmpty else { return }
      try requireCommand(word, among: commands.map { $0._commandName }, of: line)
      line += " " + word
      commands = commands.first { $0._commandName == word }?.configuration.subcommands ?? []
    }
  }

  private static func requireCommand(
    _ word: String, among names: [String], of line: String
  ) throws(InputError) {
    guard !names.contains(word), word != "help" || names.isEmpty else { return }
    let suggestion = NameSuggestion.nearest(to: word, among: names)
    throw InputError(
      word, "no such command" + (suggestion.map { "; did you mean `\(line) \($0)`?" } ?? ""),
      expected: suggestion == nil ? (names.isEmpty ? "`\(line)` alone" : names.joined(separator: ", ")) : nil)
  }

  /// Refuses an image that is not a file; it may be a mistyped command.
  static func requireFile(_ image: String) throws(InputError) {
    guard !image.hasPrefix("-"), !names.contains(image), !FileSystem.exists(image) else { return }
    try refuseMistyped(image)
    let isPath = image.contains { "./~".contains($0) }
    throw InputError(
      image, isPath ? "cannot be opened" : "no such file and no such command",
      found: isPath ? "No such file or directory" : nil,
      expected: isPath ? nil : "a file, or a command of `segdeck --help`")
  }

  /// The command that arguments call, as its help names it: "segment", "journal list"; without any, the default one.
  static func commandName(of arguments: [String]) -> String {
    var (command, name): (any ParsableCommand.Type, [String]) = (self, [])
    var rest = arguments[...]
    while true {
      let word = rest.popFirst()
      guard
        let next = command.configuration.subcommands.first(where: { $0._commandName == word })
          ?? command.configuration.defaultSubcommand
      else { return name.joined(separator: " ") }
      if next._commandName != word { rest = [] }
      command = next
      name.append(next._commandName)
    }
  }

  private static var names: [String] { configuration.subcommands.map { $0._commandName } + ["help"] }

  /// Refuses a word that is not a file and resembles a command.
  /// - Throws: ``InputError`` with the most similar command.
  private static func refuseMistyped(_ word: String) throws(InputError) {
    guard !FileSystem.exists(word),
      let suggestion = NameSuggestion.nearest(to: word, among: names + ["version"])
    else { return }
    let command = suggestion == "version" ? "--version" : suggestion
    throw InputError(word, "no such file and no such command; did you mean `segdeck \(command)`?")
  }
}
