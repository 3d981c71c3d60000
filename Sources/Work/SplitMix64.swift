/// SplitMix64 (Steele, Lea and Flood 2014), a random generator whose state is one number.
///
/// A run can be repeated from its seed and resumed from a checkpoint, with the same numbers on every machine.
package struct SplitMix64: RandomNumberGenerator, Sendable, Hashable, Codable {
  /// The state of the generator.
  package private(set) var state: UInt64

  /// A generator whose numbers are determined by the seed.
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
    min(Int(uniform() * Double(count)), count - 1)  // cannot trap: a fraction of an `Int`
  }

  /// Approximately normally distributed with mean 0 and standard deviation 1: the sum of twelve uniforms less six.
  ///
  /// Mean and variance are exact, and values lie within ±6. No library function is used, because those differ between
  /// machines.
  package mutating func normal() -> Double {
    var sum = -6.0
    for _ in 0..<12 { sum += uniform() }
    return sum
  }

  /// An independent generator for part `index`, so that parts can be generated in any order.
  package func forked(_ index: Int) -> SplitMix64 {
    var fork = SplitMix64(seed: state ^ (UInt64(truncatingIfNeeded: index) &* 0xD1B5_4A32_D192_ED03))
    _ = fork.next()
    return fork
  }
}
