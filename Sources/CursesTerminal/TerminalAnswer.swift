import Screen

/// What a terminal says when it is asked something, or on its own.
package enum TerminalAnswer: Hashable, Sendable {
  /// The numbers of its features (DA1): 4 is sixel graphics.
  case attributes([Int])
  /// Its name and version (XTVERSION): "kitty(0.36.4)".
  case version(String)
  /// The size of a cell in pixels (CSI 16 t).
  case cellSize(PixelsPerCell)
  /// The number of its colours for sixel graphics (XTSMGRAPHICS).
  case sixelRegisters(Int)
  /// Whether a private mode can be set, and whether it is set now (DECRQM).
  case mode(Int, isKnown: Bool, isSet: Bool)
  /// Whether it understood a picture of kitty's protocol.
  case kitty(isUnderstood: Bool)
  /// Its background (OSC 11).
  case background(RGB)
  /// It stored the 24-bit colour that it was asked about at the start (DECRQSS).
  case trueColour
  /// It has processed everything before the question (CSI 0 n).
  case ready
  /// Its window has the keyboard now.
  case focus

  /// The meaning of an escape sequence without its Escape; nil for one that answers no question of this program.
  package init?(_ sequence: String) {
    switch sequence.first {
    case "[": self.init(controlSequence: sequence.dropFirst())
    case "P", "_", "]":
      guard let text = sequence.stringContent else { return nil }
      self.init(string: text, of: sequence.first)
    default: return nil
    }
  }

  private init?(controlSequence: Substring) {
    guard let final = controlSequence.last else { return nil }
    let text = controlSequence.dropLast()
    let isPrivate = text.first == "?"
    let numbers = text.drop { $0 == "?" }.split(separator: ";", omittingEmptySubsequences: false).map {
      Int($0)
    }
    switch (final, isPrivate) {
    case ("c", true): self = .attributes(numbers.compactMap(\.self))
    case ("I", false) where text.isEmpty: self = .focus
    case ("n", false) where numbers == [0]: self = .ready
    case ("t", false):
      guard numbers.count == 3, numbers[0] == 6, let height = numbers[1], let width = numbers[2] else {
        return nil
      }
      self = .cellSize(PixelsPerCell(columns: width, rows: height))
    case ("S", true):
      guard numbers.count >= 3, numbers[0] == 1, numbers[1] == 0, let count = numbers[2], count > 0 else {
        return nil
      }
      self = .sixelRegisters(count)
    case ("y", true):
      guard text.last == "$" else { return nil }
      let parts = text.dropFirst().dropLast().split(separator: ";").map { Int($0) }
      guard parts.count == 2, let mode = parts[0], let state = parts[1] else { return nil }
      // 1 and 2: set and reset; 3 and 4: for ever so; 0: unknown.
      self = .mode(mode, isKnown: (1...3).contains(state), isSet: state == 1 || state == 3)
    default: return nil
    }
  }

  /// The meaning of the text of a string: DCS, APC or OSC.
  private init?(string text: Substring, of introducer: Character?) {
    switch introducer {
    case "P":
      // The colour of the question, as in probe.c.
      if text.hasPrefix("1$r"), text.contains(":1:2:3") || text.contains(";1;2;3") {
        self = .trueColour
        return
      }
      guard text.hasPrefix(">|") else { return nil }
      self = .version(String(text.dropFirst(2)))
    case "_":
      guard text.first == "G", let start = text.firstIndex(of: ";") else { return nil }
      self = .kitty(isUnderstood: text[start...].dropFirst() == "OK")
    default:
      guard text.hasPrefix("11;"), let colour = RGB(terminalColour: text.dropFirst(3)) else { return nil }
      self = .background(colour)
    }
  }
}

extension String {
  /// What a string sequence contains between its introducer and BEL or ESC \; nil without such an end.
  fileprivate var stringContent: Substring? {
    if hasSuffix("\u{1B}\\") { return dropFirst().dropLast(2) }
    if hasSuffix("\u{7}") { return dropFirst().dropLast() }
    return nil
  }
}

extension RGB {
  /// A colour as terminals write it: `rgb:ffff/8080/0000`, with one to four digits for each part.
  fileprivate init?(terminalColour text: Substring) {
    guard text.hasPrefix("rgb:") || text.hasPrefix("rgba:"), let colon = text.firstIndex(of: ":") else {
      return nil
    }
    let parts = text[colon...].dropFirst().split(separator: "/").map { digits -> UInt8? in
      guard (1...4).contains(digits.count), let value = Int(digits, radix: 16), value >= 0 else { return nil }
      let largest = (1 << (4 * digits.count)) - 1
      return UInt8((value * 255 + largest / 2) / largest)
    }
    guard parts.count >= 3, let red = parts[0], let green = parts[1], let blue = parts[2] else { return nil }
    self.init(red, green, blue)
  }
}
