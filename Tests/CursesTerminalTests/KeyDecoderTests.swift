import CursesTerminal
import Screen
import Testing

private let text =
  "a]é漢\r\n\t\u{7F}\u{3}\u{1B}[A\u{1B}OB\u{1B}[5~\u{1B}[1;2C\u{1B}[15~\u{1B}[24~\u{1B}OP\u{1B}[3~\u{1B}[Z\u{1B}x"
private let keys: [Key] = [
  .character("a"), .character("]"), .character("é"), .character("漢"), .enter, .enter, .tab, .backspace,
  .control("c"), .up, .down, .pageUp, .right, .function(5), .function(12), .function(1), .delete, .backTab,
  .escape, .character("x"),
]

@Test("keys are decoded, however their bytes are cut")
func decodedKeys() {
  var whole = KeyDecoder()
  #expect(whole.take(text.utf8) == keys)
  var cut = KeyDecoder()
  #expect(text.utf8.flatMap { cut.take([$0]) } == keys)
  #expect(!whole.isWaiting && !cut.isWaiting)
}

@Test("Escape is a key once nothing follows it; the beginning of another sequence is none")
func escapeAlone() {
  var decoder = KeyDecoder()
  #expect(decoder.take([27]).isEmpty)
  #expect(decoder.isWaiting && decoder.isWaitingAfterEscape)
  #expect(decoder.finish() == [.escape])
  #expect(decoder.take(Array("\u{1B}[5".utf8)).isEmpty)
  #expect(decoder.isWaiting && !decoder.isWaitingAfterEscape)
  #expect(decoder.finish().isEmpty)
  #expect(!decoder.isWaiting)
}

@Test("answers of a terminal, unknown sequences and bytes that are not UTF-8 are no keys")
func noKeys() {
  var decoder = KeyDecoder()
  #expect(decoder.take("\u{1B}[?62;4c\u{1B}[200~\u{1B}[99;99z\u{1B}[99999999999999999999~".utf8).isEmpty)
  #expect(decoder.take([0xFF, 0xC3, 0x28, 0x80, 0x61]) == [.character("("), .character("a")])
  #expect(decoder.take("\u{1B}[1\r".utf8) == [.enter])
  // A letter of Latin 1 begins a character of UTF-8 whose rest never comes.
  #expect(decoder.take([0xE4, 0x78, 0xF1, 0x61, 0xC3, 13]) == [.character("x"), .character("a"), .enter])
  #expect(!decoder.isWaiting)
}
