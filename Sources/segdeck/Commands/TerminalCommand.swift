import ArgumentParser
import CursesTerminal
import Foundation
import Screen
import Work

/// `segdeck terminal`: shows the terminal's capabilities and a test picture.
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
    if testPattern { showPattern(on: terminal) } else { terminal.awaitAnswers() }
    let description = terminal.description
    let size = terminal.size
    terminal.stop()
    if testPattern { return }
    try Console.print(Self.report(description, size: size))
  }

  private func showPattern(on terminal: CursesTerminal) {
    var pattern = TestPattern()
    func draw() { terminal.draw(pattern.frame(size: terminal.size, on: terminal.description)) }
    draw()
    Console.paint("segdeck terminal: this line went to standard error\n")
    while true {
      let event = terminal.nextEvent(waitingMilliseconds: 1000)
      precondition(
        !trap || event == nil, "stopped on purpose by --trap at event \(String(describing: event))")
      guard let event else { continue }
      if event == .key(.character("q")) || event == .key(.control("c")) { return }
      pattern.note(event)
      draw()
    }
  }

  private static func report(_ description: TerminalDescription, size: ScreenSize) -> String {
    let capabilities = description.capabilities
    let cell = capabilities.cellSize.map { "\($0.columns) x \($0.rows) pixels" } ?? "unknown"
    let rows = [
      ("terminal type", description.terminalName),
      ("name", description.nameWords),
      ("size", "\(size.columns) x \(size.rows)"),
      ("colours", "\(capabilities.colourDepth.summary) (decided by: \(description.depthReason))"),
      ("palette", "\(description.paletteSize) entries"),
      ("background", description.backgroundWords),
      (
        "characters",
        "\(capabilities.showsUnicode ? "Unicode" : "ASCII") (decided by: \(description.unicodeReason))"
      ),
      ("pictures", "\(capabilities.pictureMode.rawValue) (decided by: \(description.pictureReason))"),
      ("kitty graphics", description.kittyWords),
      ("sixel graphics", description.sixelWords),
      ("sextants", description.sextantWords),
      ("mouse", description.mouseWords),
      ("tmux", description.tmuxWords),
      ("cell", "\(cell) (decided by: \(description.cellSizeReason))"),
      ("cell height / width", String(format: "%.2f", capabilities.cellAspect)),
    ]
    return rows.map { $0.0.padding(toLength: 22, withPad: " ", startingAt: 0) + $0.1.printableLine }.joined(
      separator: "\n")
  }
}
