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
      ReplayCommand.self,
      JournalCommand.self,
      TerminalCommand.self,
      KeysCommand.self,
    ], defaultSubcommand: ReviewCommand.self)

  static func main() { runAndExit() }

  /// Refuses a command line whose first word, or the one behind `help` or `journal`, is no command and no file, where it
  /// is nearly a command or is followed by more that a command would take.
  static func refuseUnknownCommand(_ words: [String]) throws(InputError) {
    let isHelp = words.first == "help"
    let words = words.dropFirst(isHelp ? 1 : 0)
    guard let first = words.first, !first.hasPrefix("-") else { return }
    let second = words.dropFirst().first.flatMap { $0.hasPrefix("-") ? nil : $0 }
    let start = isHelp ? "segdeck help" : "segdeck"
    if let command = configuration.subcommands.first(where: { $0._commandName == first }) {
      let parts = command.configuration.subcommands.map { $0._commandName }
      if let second, !parts.isEmpty { try requireCommand(second, among: parts, of: "\(start) \(first)") }
    } else if isHelp {
      try requireCommand(first, among: names, of: start)
    } else {
      try refuseMistyped(first)
      if second != nil { try requireFile(first) }
    }
  }

  private static func requireCommand(
    _ word: String, among names: [String], of line: String
  ) throws(InputError) {
    guard !names.contains(word), word != "help" else { return }
    let meant = Resemblance.name(meantBy: word, among: names)
    throw InputError(
      word, "no such command" + (meant.map { "; did you mean `\(line) \($0)`?" } ?? ""),
      expected: meant == nil ? names.joined(separator: ", ") : nil)
  }

  /// Refuses an image that is no file, and may have been meant as a command.
  static func requireFile(_ image: String) throws(InputError) {
    guard !image.hasPrefix("-"), !names.contains(image), !FileSystem.exists(image) else { return }
    try refuseMistyped(image)
    let isPath = image.contains { "./~".contains($0) }
    throw InputError(
      image, isPath ? "cannot be opened" : "no such file and no such command",
      found: isPath ? "No such file or directory" : nil,
      expected: isPath ? nil : "a file, or a command of `segdeck --help`")
  }

  private static var names: [String] { configuration.subcommands.map { $0._commandName } + ["help"] }

  /// Refuses a word that is no file and no command, but nearly one.
  /// - Throws: ``InputError`` with the command that was probably meant.
  private static func refuseMistyped(_ word: String) throws(InputError) {
    guard !FileSystem.exists(word),
      let meant = Resemblance.name(meantBy: word, among: names + ["version"])
    else { return }
    let command = meant == "version" ? "--version" : meant
    throw InputError(word, "no such file and no such command; did you mean `segdeck \(command)`?")
  }
}
