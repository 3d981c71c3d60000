import CTerminal
import CursesTerminal
import Screen
import Testing

/// What a program reads: whole sequences, and the characters that are keys; Escape alone is "␛".
private struct Input: Hashable {
  var sequences: [String] = []
  var keys = ""
  private var sequence = terminal_sequence()
  private var isInSequence = false

  static func == (one: Input, other: Input) -> Bool {
    one.sequences == other.sequences && one.keys == other.keys
  }
  func hash(into hasher: inout Hasher) { hasher.combine(sequences) }

  init() {}

  init(sequences: [String], keys: String) {
    self.sequences = sequences
    self.keys = keys
  }

  /// Reads one character.
  mutating func read(_ scalar: Unicode.Scalar) {
    if isInSequence {
      let progress = terminal_sequence_add(&sequence, scalar.value)
      if progress == TERMINAL_SEQUENCE_PART { return }
      isInSequence = false
      if progress == TERMINAL_SEQUENCE_WHOLE {
        sequences.append(text)
        return
      }
      // A sequence that breaks off is dropped; Escape, and Escape with a letter, are keys.
      if sequence.count == 0 { keys += "␛" }
      if sequence.count == 1, text != "[" { keys += "␛" + text }
    }
    if scalar.value == 27 {
      isInSequence = true
      terminal_sequence_begin(&sequence)
    } else {
      keys.unicodeScalars.append(scalar)
    }
  }

  private var text: String {
    let count = sequence.count
    return withUnsafeBytes(of: sequence.characters) { bytes in
      String(
        String.UnicodeScalarView(
          bytes.bindMemory(to: UInt32.self).prefix(count).compactMap(Unicode.Scalar.init)))
    }
  }
}

private func input(_ text: String) -> Input {
  var input = Input()
  for scalar in text.unicodeScalars { input.read(scalar) }
  return input
}

/// Answers of terminals, without Escape, and what they mean.
private let answers: [(String, TerminalAnswer?)] = [
  ("[?62;c", .attributes([62])), ("[?62;4c", .attributes([62, 4])), ("[?1;2c", .attributes([1, 2])),
  ("[?63;1;2;4;6;9;15;22c", .attributes([63, 1, 2, 4, 6, 9, 15, 22])),
  ("P>|kitty(0.36.4)\u{1B}\\", .version("kitty(0.36.4)")), ("P>|XTerm(390)\u{1B}\\", .version("XTerm(390)")),
  ("P>|WezTerm 20240203-110809-5046fc22\u{1B}\\", .version("WezTerm 20240203-110809-5046fc22")),
  ("P>|foot(1.16.2)\u{1B}\\", .version("foot(1.16.2)")), ("P>|tmux 3.4\u{1B}\\", .version("tmux 3.4")),
  ("P>|Konsole 24.02.0\u{1B}\\", .version("Konsole 24.02.0")),
  ("_Gi=31;OK\u{1B}\\", .kitty(isUnderstood: true)),
  ("_Gi=31;EINVAL:bad picture\u{1B}\\", .kitty(isUnderstood: false)),
  ("[6;18;9t", .cellSize(PixelsPerCell(columns: 9, rows: 18))), ("[4;900;1440t", nil),
  ("[?1;0;256S", .sixelRegisters(256)), ("[?1;3;0S", nil),
  ("[?1016;2$y", .mode(1016, isKnown: true, isSet: false)),
  ("[?1016;1$y", .mode(1016, isKnown: true, isSet: true)),
  ("[?1016;0$y", .mode(1016, isKnown: false, isSet: false)),
  ("]11;rgb:ffff/8080/0000\u{1B}\\", .background(RGB(255, 128, 0))),
  ("]11;rgb:1e/1e/2e\u{7}", .background(RGB(30, 30, 46))), ("]11;?\u{7}", nil),
  ("[0n", .ready), ("[I", .focus), ("[24;80R", nil), ("P1$r48:2:1:2:3m\u{1B}\\", .trueColour),
  ("P1$r0;48;2;1;2;3m\u{1B}\\", .trueColour), ("P0$r\u{1B}\\", nil), ("P1$r0m\u{1B}\\", nil),
]

@Test("each answer of a terminal has its meaning, and what is no answer has none", arguments: answers)
func meaning(sequence: String, expected: TerminalAnswer?) {
  #expect(TerminalAnswer(sequence) == expected)
}

@Test("answers among keys are read as answers, and the keys as keys", arguments: answers)
func mixedWithKeys(sequence: String, _: TerminalAnswer?) {
  #expect(
    input("j\u{1B}\(sequence)k\u{1B}\(sequence)\u{1B}[Aq")
      == Input(sequences: [sequence, sequence, "[A"], keys: "jkq"))
}

@Test("an answer that is cut anywhere is no key and no answer before its rest comes", arguments: answers)
func cut(sequence: String, _: TerminalAnswer?) {
  let scalars = Array(("\u{1B}" + sequence).unicodeScalars)
  for length in 1..<scalars.count {
    var read = Input()
    for scalar in scalars[..<length] { read.read(scalar) }
    #expect(read == Input(), "\(length) characters")
    for scalar in scalars[length...] { read.read(scalar) }
    #expect(read == Input(sequences: [sequence], keys: ""), "\(length) characters")
  }
}

@Test("an answer that breaks off loses no key that comes after it")
func brokenOff() {
  #expect(input("\u{1B}[?62;\u{1B}[0nx") == Input(sequences: ["[0n"], keys: "x"))
  #expect(input("\u{1B}P>|kit\u{3}") == Input(sequences: [], keys: "\u{3}"))
  #expect(input("\u{1B}_Gi=31;\u{1B}[Ax") == Input(sequences: [], keys: "[Ax"))
}

@Test("Escape, and Alt with a letter, are keys")
func escape() {
  #expect(input("\u{1B}a\u{1B}Px\u{1B}_y\u{1B}]z") == Input(sequences: [], keys: "␛a␛Px␛_y␛]z"))
}

@Test("mouse reports of both kinds are whole sequences, whatever their bytes")
func mouseReports() {
  #expect(
    input("\u{1B}[<0;11;6M\u{1B}[<0;11;6m\u{1B}[M cMq")
      == Input(sequences: ["[<0;11;6M", "[<0;11;6m", "[M cM"], keys: "q"))
}

@Test("a sequence without end is read to its end, and its first characters are kept")
func longSequence() {
  let long = "]11;" + String(repeating: "x", count: 5000)
  #expect(input("\u{1B}\(long)\u{7}q") == Input(sequences: [String(long.prefix(1024))], keys: "q"))
}
