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

  /// Refuses a word that is no file and no command, but nearly one.
  /// - Throws: ``InputError`` with the command that was probably meant.
  static func refuseMistyped(_ word: String) throws(InputError) {
    let names = configuration.subcommands.map { $0._commandName }
    guard !word.hasPrefix("-"), !names.contains(word), !FileSystem.exists(word),
      let meant = Resemblance.name(meantBy: word, among: names + ["help", "version"])
    else { return }
    let command = meant == "version" ? "--version" : meant
    throw InputError(word, "no such file and no such command; did you mean `segdeck \(command)`?")
  }
}
