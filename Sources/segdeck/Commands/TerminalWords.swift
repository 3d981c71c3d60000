import CursesTerminal
import Screen

/// What a terminal answered, as `segdeck terminal` prints it.
extension TerminalDescription {
  private var answers: TerminalAnswers { probe.answers }

  /// The reason why there is no answer.
  private var silence: String { surroundings.canBeAsked ? "no answer" : "not asked" }

  var nameWords: String { answers.version ?? silence }

  var backgroundWords: String {
    guard let colour = capabilities.background else { return silence }
    return
      "\(colour.luminance < 128 ? "dark" : "light") (\(colour.red), \(colour.green), \(colour.blue)) (decided by: \(backgroundReason))"
  }

  var kittyWords: String { answers.understandsKitty.map { $0 ? "yes" : "no" } ?? silence }

  var sixelWords: String {
    guard answers.attributes != nil else { return silence }
    guard answers.showsSixel else { return "no" }
    return "yes, " + (answers.sixelRegisters.map { "\($0) colours" } ?? "an unknown number of colours")
  }

  var sextantWords: String {
    answers.drawsSextants ? "drawn by the terminal itself" : "as far as the font has them"
  }

  var mouseWords: String {
    guard let inPixels = answers.reportsMouseInPixels else { return "in cells (pixels: \(silence))" }
    if !inPixels { return "in cells" }
    return capabilities.cellSize == nil ? "in cells (the size of a cell is not known)" : "in pixels"
  }

  var tmuxWords: String {
    guard probe.isInsideTmux else { return "no" }
    guard let tmux = surroundings.tmux else { return "yes; nothing is known of the terminal outside" }
    let outside = [tmux.outerType, tmux.outerVersion].filter { !$0.isEmpty }.joined(separator: " ")
    let passes = tmux.allowsPassthrough ? "passes pictures on" : "passes no pictures on"
    return "\(passes) (allow-passthrough); the terminal outside: \(outside.isEmpty ? "unknown" : outside)"
  }
}
