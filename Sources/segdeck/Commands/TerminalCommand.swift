import ArgumentParser
import CursesTerminal
import Foundation
import Screen
import Work

/// Shows what the terminal can do, for people whose picture looks wrong.
struct TerminalCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "terminal", abstract: "Show what this terminal can do, and a test picture.")

  @OptionGroup var options: TerminalOptions

  @Flag(help: "Show colours, half blocks, and each key and mouse event, until q.")
  var testPattern = false

  @Flag(help: .hidden)
  var trap = false

  @Flag(help: .hidden)
  var timing = false

  func run() throws {
    let terminal = try options.makeTerminal()
    if timing {
      let report = TerminalTiming.measure(on: terminal)
      terminal.stop()
      try Console.print(report)
      return
    }
    if testPattern { try showPattern(on: terminal) }
    let description = terminal.description
    let size = terminal.size
    terminal.stop()
    if testPattern { return }
    try Console.print(Self.report(description, size: size))
  }

  private func showPattern(on terminal: CursesTerminal) throws {
    var pattern = TestPattern(description: terminal.description)
    terminal.draw(pattern.frame(size: terminal.size))
    Console.paint("segdeck terminal: this line went to standard error\n")
    while true {
      let event = terminal.nextEvent(waitingMilliseconds: 1000)
      precondition(
        !trap || event == nil, "stopped on purpose by --trap at event \(String(describing: event))")
      guard let event else { continue }
      if event == .key(.character("q")) || event == .key(.control("c")) { return }
      pattern.note(event)
      terminal.draw(pattern.frame(size: terminal.size))
    }
  }

  private static func report(_ description: TerminalDescription, size: ScreenSize) -> String {
    let capabilities = description.capabilities
    let rows = [
      ("terminal type", description.terminalName),
      ("size", "\(size.columns) x \(size.rows)"),
      ("colours", "\(capabilities.colourDepth.words) (decided by: \(description.depthReason))"),
      ("palette", "\(description.paletteSize) entries"),
      (
        "characters",
        "\(capabilities.showsUnicode ? "Unicode" : "ASCII") (decided by: \(description.unicodeReason))"
      ),
      ("cell height / width", String(format: "%.2f", capabilities.cellAspect)),
    ]
    return rows.map { $0.0.padding(toLength: 22, withPad: " ", startingAt: 0) + $0.1.printableLine }.joined(
      separator: "\n")
  }
}

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
