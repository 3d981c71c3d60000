import Testing
import Work

@Test(
  "a typed number is used exactly, or refused",
  arguments: [
    ("0", 0), ("-0.00e7", 0), ("0e400", 0), ("2.5", 2.5), ("-1e-300", -1e-300),
    ("5e-324", .leastNonzeroMagnitude),
    ("0x1p-3", 0.125), ("0x0p5", 0), ("0xep0", 14), ("1e-400", nil), ("-0.1e-330", nil), ("0xep-2000", nil),
    ("1e400", nil), ("inf", nil), ("nan", nil), ("", nil), ("1,5", nil), (" 1", nil),
  ] as [(String, Double?)])
func statedNumbers(text: String, number: Double?) {
  #expect(Double(stated: text) == number)
}

@Test("a number that a 32-bit float holds only as 0 or infinity is refused")
func statedFloats() {
  #expect(["1e-50", "1e50", "1e-30", "0"].map { Float(stated: $0) } == [nil, nil, 1e-30, 0])
}
