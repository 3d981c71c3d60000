import Testing
import Work

@Test("JSON is read as it is written: members in order, repeated ones too, numbers by their digits")
func writtenJSON() {
  #expect(
    JSONValue(#" {"b": [1e400, -0.5, null], "a": "x\n\u00e9\ud83d\ude00", "b": true} "#)
      == .object([
        .init(key: "b", value: .array([.number("1e400"), .number("-0.5"), .null])),
        .init(key: "a", value: .string("x\n\u{e9}\u{1f600}")), .init(key: "b", value: .bool(true)),
      ]))
  #expect(JSONValue(#"{"a": 1}"#)?[key: "a"] == .number("1"))
  for text in [
    "", "{", "[1,]", #"{"a"}"#, #"{"a": 1} x"#, "\"a", "+1", "nul", #""\q""#, "[\"\t\"]",
    String(repeating: "[", count: 100_000),
  ] {
    #expect(JSONValue(text) == nil, "\(text.prefix(20))")
  }
}

@Test("a key that an object has twice is named, however it is written and however deep it lies")
func repeatedKeys() {
  #expect(JSONValue(#"{"a": [{"b": 1, "c": {"d": 1, "\u0064": 2}}], "e": {"d": 1}}"#)?.repeatedKey == "d")
  #expect(JSONValue(#"[{"a": 1}, {"a": 2}]"#)?.repeatedKey == nil)
  #expect(throws: InputError("f.json", "has a key twice", found: "\"a\"", expected: "each once")) {
    try JSONValue.requireSingleKeys(#"{"a": 1, "a": 1}"#, subject: "f.json")
  }
  #expect(throws: Never.self) { try JSONValue.requireSingleKeys("no JSON", subject: "f.json") }
}
