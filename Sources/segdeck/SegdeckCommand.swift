import ArgumentParser

/// The program's commands; with none of them named, `review` runs.
@main
struct SegdeckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "segdeck", abstract: "Review 3D segmentations in a terminal.",
    subcommands: [InfoCommand.self, ConvertCommand.self, CompareCommand.self, TerminalCommand.self])

  static func main() { runAndExit() }
}
