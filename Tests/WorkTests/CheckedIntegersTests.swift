import Testing
import Work

@Test(
  "numbers become integers towards zero, clamped to the type's range, and NaN becomes 0",
  arguments: [
    (2.9, 2), (-2.9, -2), (-0.9, 0), (.nan, 0), (.infinity, Int.max), (-.infinity, Int.min),
    (0x1p63, Int.max), (0x1p63.nextDown, Int.max - 1023), (-0x1p63, Int.min), ((-0x1p63).nextDown, Int.min),
  ] as [(Double, Int)])
func saturatingIntegers(value: Double, expected: Int) {
  #expect(Int(saturating: value) == expected)
  #expect(Int64(saturating: value) == Int64(expected))
  #expect(UInt8(saturating: value) == UInt8(clamping: expected))
}
