/// SplitMix64 (Steele, Lea and Flood 2014): a random generator whose whole state is one number, so that a run
/// can be repeated from its seed and resumed from a checkpoint, with the same numbers on every machine.
package struct SplitMix64: RandomNumberGenerator, Sendable, Hashable, Codable {
  /// Everything the generator remembers.
  package private(set) var state: UInt64

  /// A generator that repeats itself for the same seed.
  package init(seed: UInt64) { state = seed }

  /// The next 64 random bits.
  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// Uniform in 0..<1 with 53 random bits; independent of the standard library's own algorithm.
  package mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// Uniform in `range`.
  package mutating func uniform(_ range: ClosedRange<Double>) -> Double {
    range.lowerBound + (range.upperBound - range.lowerBound) * uniform()
  }

  /// Uniform among 0..<count; `count` is positive and far below 2^53.
  package mutating func index(below count: Int) -> Int {
    min(Int(uniform() * Double(count)), count - 1)  // cannot trap: a share of an `Int`
  }

  /// Normally distributed with mean 0 and standard deviation 1, as the sum of twelve uniforms less six: exact in
  /// mean and variance, within ±6, and free of library functions that differ between machines.
  package mutating func normal() -> Double {
    var sum = -6.0
    for _ in 0..<12 { sum += uniform() }
    return sum
  }

  /// A generator of its own for part `index`, so that parts can be made in any order.
  package func forked(_ index: Int) -> SplitMix64 {
    var fork = SplitMix64(seed: state ^ (UInt64(truncatingIfNeeded: index) &* 0xD1B5_4A32_D192_ED03))
    _ = fork.next()
    return fork
  }
}
