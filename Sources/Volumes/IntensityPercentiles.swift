import Work

extension ScalarVolume {
  /// Percentiles of the intensities, exact to the last bit, without sorting.
  ///
  /// The percentile p of n values has rank p (n - 1) in the sorted values, interpolated linearly between neighbours as
  /// in NumPy. NaN and infinite values are ignored. Integers are counted in one pass. Of floats, two passes count the
  /// values: by their upper 16 bits, then by the lower 16 bits of values that have the upper bits of a needed rank.
  ///
  /// - Parameter fractions: Each 0...1; 0.5 is the median.
  /// - Returns: One value per fraction; nil when no voxel has a finite value.
  /// - Throws: `Cancelled`.
  /// - Complexity: O(voxels).
  package func percentiles(_ fractions: [Double], work: WorkContext) throws(Cancelled) -> [Float]? {
    precondition(fractions.allSatisfy { (0...1).contains($0) }, "fractions \(fractions)")
    if let counts = try voxels.run(onIntegers: ValueCounting(work: work)) {
      return try percentiles(fractions, count: voxels.count) { counts.values(ofRanks: $0) }
    }
    let upper = try voxels.run(KeyCounting(upperHalves: nil, work: work.part(0...0.5)))
    return try percentiles(fractions, count: upper.reduce(0, +)) { ranks throws(Cancelled) in
      try floats(ofRanks: ranks, upper, work: work.part(0.5...1))
    }
  }

  /// The percentiles of `count` values, of which `values` gives those of ranks in ascending order.
  private func percentiles(
    _ fractions: [Double], count: Int, _ values: ([Int]) throws(Cancelled) -> [Int: Float]
  ) throws(Cancelled) -> [Float]? {
    guard count > 0 else { return nil }
    let positions = fractions.map { $0 * Double(count - 1) }
    let ranks = Set(
      positions.flatMap { [Int(saturating: $0.rounded(.down)), Int(saturating: $0.rounded(.up))] }
    ).sorted()
    let values = try values(ranks)
    return positions.map { position in
      let low = values[Int(saturating: position.rounded(.down))]!
      let high = values[Int(saturating: position.rounded(.up))]!
      return Float(Double(low) + (Double(high) - Double(low)) * (position - position.rounded(.down)))
    }
  }

  /// The floats of ascending ranks, found in the counts of the keys' upper halves and of some of the lower ones.
  private func floats(
    ofRanks ranks: [Int], _ upper: [Int], work: WorkContext
  ) throws(Cancelled) -> [Int: Float] {
    var valueOfRank: [Int: Float] = [:]
    var remaining = ranks[...]
    let bins = Set(ranks.map { IntensityKey.bin(ofRank: $0, in: upper) }).sorted()
    let tables = try voxels.run(KeyCounting(upperHalves: bins, work: work))
    for (index, bin) in bins.enumerated() {
      let below = upper[..<bin].reduce(0, +)
      let lower = tables[index << 16..<(index + 1) << 16]
      while let rank = remaining.first, rank < below + upper[bin] {
        let low = IntensityKey.bin(ofRank: rank - below, in: Array(lower))
        valueOfRank[rank] = IntensityKey.value(UInt32(bin) << 16 | UInt32(low))
        remaining = remaining.dropFirst()
      }
    }
    return valueOfRank
  }
}

/// The values that occur in a volume of integers, ascending, with the number of voxels of each.
private struct ValueCounts {
  var values: [(value: Float, count: Int)]

  /// The values of ascending ranks.
  func values(ofRanks ranks: [Int]) -> [Int: Float] {
    var found: [Int: Float] = [:]
    var remaining = ranks[...]
    var below = 0
    for (value, count) in values {
      below += count
      while let rank = remaining.first, rank < below {
        found[rank] = value
        remaining = remaining.dropFirst()
      }
    }
    return found
  }
}

/// Counts the voxels of each stored integer.
private struct ValueCounting: IntegerLoop {
  let work: WorkContext

  func run<Number: StoredInteger>(over values: StoredValues<Number>) throws(Cancelled) -> ValueCounts {
    let binCount = 1 << Number.bitWidth
    let chunk = 1 << 16
    let workers = work.threadCount
    // Two tables for each worker, because a count of two equal neighbours in one would wait for its own last write.
    var counts = [Int](repeating: 0, count: 2 * binCount * workers)
    try counts.withUnsafeMutableBufferPointer { counts throws(Cancelled) in
      let counts = DisjointBuffer(counts)
      try work.forEach(count: (values.count + chunk - 1) / chunk, grain: 4) { index, worker in
        let even = counts.start + worker * 2 * binCount
        let odd = even + binCount
        let numbers = values.numbers.start + index * chunk
        let count = min(chunk, values.count - index * chunk)
        func bin(_ offset: Int) -> Int { Int(numbers[offset]) &- Int(Number.min) }
        for pair in 0..<count / 2 {
          even[bin(2 * pair)] += 1
          odd[bin(2 * pair + 1)] += 1
        }
        if count % 2 == 1 { even[bin(count - 1)] += 1 }
      }
    }
    work.report(1)
    var occurring: [(value: Float, count: Int)] = []
    for bin in 0..<binCount {
      let count = (0..<2 * workers).reduce(0) { $0 + counts[$1 * binCount + bin] }
      // -0 becomes 0, as it does of floats.
      if count > 0 { occurring.append((Number(bin + Int(Number.min)).value(values.scaling) + 0, count)) }
    }
    return ValueCounts(values: values.scaling.slope < 0 ? occurring.reversed() : occurring)
  }
}

/// Counts the finite voxels in each bin of tables of 65536.
private struct KeyCounting: IntensityLoop {
  /// nil for one table of the keys' upper 16 bits; otherwise a table of the lower 16 bits for each of these upper ones.
  let upperHalves: [Int]?
  let work: WorkContext

  func run<Number: StoredIntensity>(over values: StoredValues<Number>) throws(Cancelled) -> [Int] {
    guard let upperHalves else { return try counts(of: 1, values) { key in Int(key >> 16) } }
    return try counts(of: upperHalves.count, values) { key in
      let upper = Int(key >> 16)
      for index in upperHalves.indices where upperHalves[index] == upper {
        return index << 16 | Int(key & 0xFFFF)
      }
      return nil
    }
  }

  /// The counts in `tableCount` tables; keys without a bin are not counted.
  private func counts<Number: StoredIntensity>(
    of tableCount: Int, _ values: StoredValues<Number>, _ bin: @Sendable (UInt32) -> Int?
  ) throws(Cancelled) -> [Int] {
    let chunk = 1 << 16
    let chunkCount = (values.count + chunk - 1) / chunk
    let workers = work.threadCount
    let binCount = tableCount << 16
    var counts = [Int](repeating: 0, count: binCount * workers)
    try counts.withUnsafeMutableBufferPointer { counts throws(Cancelled) in
      let counts = DisjointBuffer(counts)
      try work.forEach(count: chunkCount, grain: 4) { index, worker in
        let own = counts.start + worker * binCount
        for offset in index * chunk..<min((index + 1) * chunk, values.count) {
          let value = values[offset]
          guard value.isFinite else { continue }
          if let bin = bin(IntensityKey.key(value)) { own[bin] += 1 }
        }
      }
    }
    work.report(1)
    return (0..<binCount).map { bin in (0..<workers).reduce(0) { $0 + counts[$1 * binCount + bin] } }
  }
}
