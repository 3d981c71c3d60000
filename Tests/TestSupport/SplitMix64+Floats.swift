import Work

extension SplitMix64 {
  /// `count` floats in -1...1.
  package mutating func floats(_ count: Int) -> [Float] {
    (0..<count).map { _ in Float(uniform(-1...1)) }
  }
}
