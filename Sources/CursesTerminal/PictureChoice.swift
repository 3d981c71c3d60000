import Screen

/// How pictures are shown on a terminal, and why.
package struct PictureChoice: Hashable, Sendable {
  package let mode: PictureMode
  /// A part of a sentence: "the terminal shows kitty graphics".
  package let reason: String

  private init(_ mode: PictureMode, _ reason: String) {
    self.mode = mode
    self.reason = reason
  }

  /// The choice for a terminal.
  /// - Parameters:
  ///   - wanted: The mode that the user asked for; nil for the best one.
  ///   - colourDepth, showsUnicode: What the cells of the terminal can show.
  ///   - cellSize: The size of a cell in pixels; nil where it is not known.
  ///   - probe: What the terminal answered; its answers may be missing.
  package init(
    wanted: PictureMode?, colourDepth: TerminalCapabilities.ColourDepth, showsUnicode: Bool,
    cellSize: PixelsPerCell?,
    surroundings: TerminalSurroundings, probe: TerminalProbe
  ) {
    let plain = PictureMode.plain(colourDepth, showsUnicode: showsUnicode)
    if let wanted {
      self = Self.asked(wanted, colourDepth: colourDepth, showsUnicode: showsUnicode, plain: plain)
    } else if colourDepth == .mono {
      self.init(plain, "there are no colours")
    } else if colourDepth < .indexed256 {
      self.init(plain, "there are few colours")
    } else if let pixels = Self.pixels(surroundings, probe, cellSize: cellSize, showsUnicode: showsUnicode) {
      self = pixels
    } else if showsUnicode, probe.answers.drawsSextants {
      self.init(.sextants, "the terminal shows no pixels, but draws sextants itself")
    } else {
      self.init(plain, Self.reasonWithoutPixels(surroundings, probe))
    }
  }

  /// A mode that the user asked for, or the nearest one that can be seen.
  private static func asked(
    _ wanted: PictureMode, colourDepth: TerminalCapabilities.ColourDepth, showsUnicode: Bool,
    plain: PictureMode
  ) -> PictureChoice {
    switch wanted {
    case .characters, .sixel, .kitty: return PictureChoice(wanted, "asked for")
    case .kittyPlaceholders:
      return showsUnicode
        ? PictureChoice(wanted, "asked for") : PictureChoice(plain, "\(wanted.rawValue) needs Unicode")
    case .backgrounds, .halfBlocks, .blocks, .sextants:
      if colourDepth == .mono { return PictureChoice(plain, "\(wanted.rawValue) needs colours") }
      return showsUnicode || wanted == .backgrounds
        ? PictureChoice(wanted, "asked for") : PictureChoice(plain, "\(wanted.rawValue) needs Unicode")
    }
  }

  /// The best way to send pixels; nil where there is none.
  private static func pixels(
    _ surroundings: TerminalSurroundings, _ probe: TerminalProbe, cellSize: PixelsPerCell?, showsUnicode: Bool
  ) -> PictureChoice? {
    let answers = probe.answers
    if probe.isInsideTmux {
      if let tmux = surroundings.tmux, tmux.allowsPassthrough, showsUnicode,
        answers.understandsKitty != false,
        let name = placeholderTerminal(tmux)
      {
        return PictureChoice(.kittyPlaceholders, "tmux passes pictures on to \(name)")
      }
      if answers.showsSixel, cellSize != nil { return PictureChoice(.sixel, "tmux shows sixel graphics") }
      return nil
    }
    if answers.understandsKitty == true { return PictureChoice(.kitty, "the terminal shows kitty graphics") }
    if answers.showsSixel, cellSize != nil {
      return PictureChoice(.sixel, "the terminal shows sixel graphics")
    }
    return nil
  }

  private static func reasonWithoutPixels(_ surroundings: TerminalSurroundings, _ probe: TerminalProbe)
    -> String
  {
    let answers = probe.answers
    if !surroundings.canBeAsked { return "a terminal of this type is not asked for more" }
    if answers.showsSixel { return "it has sixel graphics, but the size of a cell is not known" }
    if probe.isInsideTmux {
      if surroundings.tmux?.allowsPassthrough == false {
        return "tmux passes no pictures on (allow-passthrough is off)"
      }
      return "the terminal outside tmux is not known to show pictures there"
    }
    return probe.isDone ? "the terminal shows no pixels" : "the terminal has not answered"
  }

  /// The name of the terminal outside tmux if it draws kitty's placeholders: kitty from 0.28, and Ghostty.
  private static func placeholderTerminal(_ tmux: TerminalSurroundings.Tmux) -> String? {
    let version = tmux.outerVersion.lowercased()
    if version.hasPrefix("ghostty") { return "Ghostty" }
    guard version.hasPrefix("kitty(") else { return nil }
    let numbers = version.dropFirst(6).split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
    guard numbers.count == 2 else { return nil }
    return numbers[0] > 0 || numbers[1] >= 28 ? "kitty" : nil
  }
}

extension TerminalAnswers {
  /// Whether the terminal is known to draw sextants itself, whatever its font has.
  ///
  /// VTE is that of GNOME's terminal and many others; it tells its version since it draws them.
  package var drawsSextants: Bool {
    guard let version = version?.lowercased() else { return false }
    return ["kitty", "ghostty", "wezterm", "foot", "vte", "contour", "konsole"].contains {
      version.hasPrefix($0)
    }
  }
}
