import Work

/// Reproducible values for comparisons.
enum SeededFloats {
  /// `count` values in -1...1.
  static func make(_ count: Int, seed: UInt64) -> [Float] {
    var generator = SplitMix64(seed: seed)
    return (0..<count).map { _ in Float.random(in: -1...1, using: &generator) }
  }

  /// `count` labels, 0 with the given probability, else 1...highest.
  static func labels(_ count: Int, background: Double, highest: UInt16, seed: UInt64) -> [UInt16] {
    var generator = SplitMix64(seed: seed)
    return (0..<count).map { _ in
      Double.random(in: 0..<1, using: &generator) < background
        ? 0 : UInt16.random(in: 1...highest, using: &generator)
    }
  }
}
