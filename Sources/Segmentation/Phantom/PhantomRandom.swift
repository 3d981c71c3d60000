/// SplitMix64 (Steele, Lea, Flood 2014): the same draws on every machine for a given seed.
struct PhantomRandom: Sendable {
  private var state: UInt64

  /// A generator that repeats itself for the same seed and stream; streams of one seed are independent.
  init(seed: UInt64, stream: UInt64 = 0) {
    // Each stream starts at a scrambled number; plain multiples would give the same sequence, shifted.
    state = stream &* 0xD134_2543_DE82_EF95 &+ 1
    state = next() ^ seed
    state = next()
  }

  /// The next 64 random bits.
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// Uniform in the range.
  mutating func uniform(_ range: ClosedRange<Float>) -> Float {
    range.lowerBound + (range.upperBound - range.lowerBound) * Float(next() >> 40) * 0x1p-24
  }

  /// True with this probability.
  mutating func happens(_ probability: Float) -> Bool { uniform(0...1) < probability }

  /// A whole number in the range.
  mutating func whole(_ range: ClosedRange<Int>) -> Int {
    range.lowerBound + Int(next() >> 33) % (range.upperBound - range.lowerBound + 1)
  }

  /// About normally distributed, mean 0 and variance 1: the sum of four uniform draws, without library functions that
  /// differ between machines.
  mutating func normal() -> Float {
    let bits = next()
    let sum =
      Int32(bits & 0xFFFF) + Int32(bits >> 16 & 0xFFFF) + Int32(bits >> 32 & 0xFFFF) + Int32(bits >> 48)
    // Four uniform draws of width 65536 have variance 65536² / 3.
    return Float(sum - 131070) * (1.732_050_8 / 65536)
  }

  /// A point of the cube ±`extent` along each axis.
  mutating func jitter(_ extent: Float) -> SIMD3<Float> {
    SIMD3(uniform(-extent...extent), uniform(-extent...extent), uniform(-extent...extent))
  }
}
