import ArgumentParser

/// The program's commands; with none of them named, `review` runs.
@main
struct SegdeckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "segdeck", abstract: "Review 3D segmentations in a terminal.",
    subcommands: [
      ReviewCommand.self,
      SegmentCommand.self,
      RefineCommand.self,
      CompareCommand.self,
      EvaluateCommand.self,
      TrainCommand.self,
      PhantomCommand.self,
      InfoCommand.self,
      ConvertCommand.self,
      TerminalCommand.self,
      KeysCommand.self,
    ], defaultSubcommand: ReviewCommand.self)

  static func main() { runAndExit() }
}
