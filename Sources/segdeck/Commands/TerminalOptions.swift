import ArgumentParser
import CursesTerminal
import Foundation
import Screen

/// Options of commands that draw on the terminal: colour depth and character set.
struct TerminalOptions: ParsableArguments {
  @Option(
    help:
      "Colours to use: truecolor, 256, 16 or mono. By default what the terminal is known to show; NO_COLOR is honoured."
  )
  var color: TerminalCapabilities.ColourDepth?

  @Flag(help: "Draw with ASCII characters only.")
  var ascii = false

  /// Starts the terminal with these options, or with the environment's settings where they are missing.
  func makeTerminal() throws -> CursesTerminal {
    let environment = ProcessInfo.processInfo.environment
    return try CursesTerminal(colourDepth: color ?? .asked(by: environment), isASCIIOnly: ascii)
  }
}

extension TerminalCapabilities.ColourDepth: ExpressibleByArgument {
  /// The depth of a word of `--color`.
  public init?(argument: String) { self.init(word: argument) }

  /// The words that `--color` takes.
  public static var allValueStrings: [String] { ["truecolor", "256", "16", "mono"] }

  /// The depth as `segdeck terminal` prints it.
  var summary: String {
    switch self {
    case .mono: "none"
    case .sixteen: "16"
    case .indexed256: "256"
    case .trueColour: "24-bit"
    }
  }
}
