import ArgumentParser
import CursesTerminal
import Foundation
import Screen

/// How a command that draws on the terminal is told what the terminal can show.
struct TerminalOptions: ParsableArguments {
  @Option(
    help:
      "Colours to use: truecolor, 256, 16 or mono. By default what the terminal is known to show; NO_COLOR is honoured."
  )
  var color: TerminalCapabilities.ColourDepth?

  @Flag(help: "Draw with ASCII characters alone.")
  var ascii = false

  /// Takes the terminal over as these options, or else the environment, say.
  func makeTerminal() throws -> CursesTerminal {
    let environment = ProcessInfo.processInfo.environment
    return try CursesTerminal(colourDepth: color ?? .asked(by: environment), isASCIIOnly: ascii)
  }
}

extension TerminalCapabilities.ColourDepth: ExpressibleByArgument {
  /// The depth that a word of `--color` names.
  public init?(argument: String) { self.init(word: argument) }

  /// The words that `--color` takes.
  public static var allValueStrings: [String] { ["truecolor", "256", "16", "mono"] }

  /// The depth in words, for people.
  var words: String {
    switch self {
    case .mono: "none"
    case .sixteen: "16"
    case .indexed256: "256"
    case .trueColour: "24-bit"
    }
  }
}
