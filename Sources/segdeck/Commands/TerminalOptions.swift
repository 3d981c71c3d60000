import ArgumentParser
import CursesTerminal
import Foundation
import Screen
import Work

/// Options of commands that draw on the terminal: colour depth, character set and the way to show pictures.
struct TerminalOptions: ParsableArguments {
  @Option(
    help:
      "Colours to use: truecolor, 256, 16 or mono. By default what the terminal is known to show; NO_COLOR is honoured."
  )
  var color: TerminalCapabilities.ColourDepth?

  @Flag(help: "Draw with ASCII characters only.")
  var ascii = false

  @Option(
    help:
      "How to show pictures: \(PictureOption.allValueStrings.joined(separator: ", ")). By default the best way that the terminal is known to have."
  )
  var pictures: PictureOption?

  @Option(
    help:
      "The terminal's background, on which coloured text must be legible: dark or light. By default what the terminal says."
  )
  var background: TerminalBackground?

  /// Starts the terminal with these options, or with the environment's settings where they are missing.
  func makeTerminal() throws -> CursesTerminal {
    let environment = ProcessInfo.processInfo.environment
    return try CursesTerminal(
      colourDepth: color ?? .asked(by: environment), isASCIIOnly: ascii,
      pictures: (pictures ?? PictureOption.asked(by: environment))?.mode,
      background: (background ?? TerminalBackground.asked(by: environment))?.colour, environment: environment)
  }
}

/// The option of reviews that prints lines in place of a screen.
struct ReadingOption: ParsableArguments {
  @Flag(
    help:
      "Print what is under the crosshair, and everything else that a key changes, in lines of text: for screen readers and braille. SEGDECK_TEXT=1 sets it."
  )
  var text = false

  /// Whether lines are wanted, by the option or by `SEGDECK_TEXT`, or are all that the terminal can show.
  func isRequested(in environment: [String: String]) -> Bool {
    let word = environment["SEGDECK_TEXT"] ?? ""
    return text || !word.isEmpty && word != "0" || environment["TERM"] == "dumb"
  }
}

/// A way to show pictures, or the best one.
struct PictureOption: ExpressibleByArgument, Hashable, Sendable {
  /// The way; nil for the best one that the terminal has.
  var mode: PictureMode?

  private static let automatic = "auto"

  /// The way of a word of `--pictures`; nil for another word.
  init?(argument: String) {
    let word = argument.lowercased()
    mode = PictureMode(rawValue: word)
    if mode == nil, word != Self.automatic { return nil }
  }

  /// The words that `--pictures` takes.
  static var allValueStrings: [String] { [automatic] + PictureMode.allCases.map(\.rawValue) }

  /// The way that `SEGDECK_PICTURES` requests; nil where it is not set.
  /// - Throws: `InputError` for another word.
  static func asked(by environment: [String: String]) throws -> PictureOption? {
    guard let word = environment["SEGDECK_PICTURES"], !word.isEmpty else { return nil }
    guard let option = PictureOption(argument: word) else {
      throw InputError(
        "SEGDECK_PICTURES", "unknown", found: word, expected: allValueStrings.joined(separator: ", "))
    }
    return option
  }
}

/// The kind of a terminal's background.
enum TerminalBackground: String, ExpressibleByArgument, CaseIterable, Sendable {
  case dark, light

  /// Black or white.
  var colour: RGB { RGB(grey: self == .dark ? 0 : 255) }

  /// The background that `SEGDECK_BACKGROUND` states; nil where it is not set.
  /// - Throws: `InputError` for another word.
  static func asked(by environment: [String: String]) throws -> TerminalBackground? {
    guard let word = environment["SEGDECK_BACKGROUND"], !word.isEmpty else { return nil }
    guard let background = TerminalBackground(rawValue: word.lowercased()) else {
      throw InputError(
        "SEGDECK_BACKGROUND", "unknown", found: word, expected: allValueStrings.joined(separator: ", "))
    }
    return background
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
