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
      SweepCommand.self,
      TrainCommand.self,
      CurvesCommand.self,
      PhantomCommand.self,
      InfoCommand.self,
      ConvertCommand.self,
      ReplayCommand.self,
      TerminalCommand.self,
      KeysCommand.self,
    ], defaultSubcommand: ReviewCommand.self)

  static func main() { runAndExit() }

  /// The command that a word was probably meant to be: the nearest name within two typing errors; nil when none is.
  static func command(resembling word: String) -> String? {
    let names = configuration.subcommands.map { $0._commandName }
    let nearest = names.map { ($0, typingErrors($0, word.lowercased())) }.min { $0.1 < $1.1 }
    guard let (name, errors) = nearest, errors <= 2, errors < name.count / 2 else { return nil }
    return name
  }

  /// Letters added, left out, replaced, or swapped with their neighbour between two words.
  private static func typingErrors(_ one: String, _ other: String) -> Int {
    let (first, second) = (Array(one), Array(other))
    var table = [[Int]](repeating: Array(0...second.count), count: first.count + 1)
    for row in 0...first.count { table[row][0] = row }
    for row in first.indices {
      for column in second.indices {
        let isSame = first[row] == second[column]
        var least = min(
          table[row][column] + (isSame ? 0 : 1), table[row][column + 1] + 1, table[row + 1][column] + 1)
        let isSwap =
          row > 0 && column > 0 && first[row] == second[column - 1] && first[row - 1] == second[column]
        if isSwap { least = min(least, table[row - 1][column - 1] + 1) }
        table[row + 1][column + 1] = least
      }
    }
    return table[first.count][second.count]
  }
}
