/// The times of repeated runs.
struct Measurement {
  /// Seconds of the first run, which may fill caches.
  let first: Double
  /// Seconds of the later runs, ascending.
  private let sorted: [Double]

  /// Runs `body` once and then `repeats` times, at least once.
  init(repeats: Int, _ body: () throws -> Void) rethrows {
    var seconds: [Double] = []
    for _ in 0...repeats { seconds.append(try Self.seconds(body)) }
    self.init(seconds)
  }

  /// Given times of at least two runs, in their order.
  init(_ seconds: [Double]) {
    precondition(seconds.count > 1, "\(seconds.count) runs have no median after the first")
    first = seconds[0]
    sorted = seconds.dropFirst().sorted()
  }

  /// The median of the later runs.
  var median: Double { sorted[sorted.count / 2] }
  /// The minimum of the later runs.
  var minimum: Double { sorted[0] }
  /// The maximum of the later runs.
  var maximum: Double { sorted[sorted.count - 1] }
  /// The quantile `fraction`, 0...1, of the later runs.
  func percentile(_ fraction: Double) -> Double {
    sorted[min(sorted.count - 1, Int((fraction * Double(sorted.count)).rounded(.up)) - 1)]
  }

  /// Seconds that `body` takes.
  static func seconds(_ body: () throws -> Void) rethrows -> Double {
    let clock = ContinuousClock()
    let start = clock.now
    try body()
    return (clock.now - start) / .seconds(1)
  }
}

extension JSONLine {
  /// Adds `median_s`, `min_s` and `first_s`.
  mutating func add(_ measurement: Measurement) {
    add("median_s", measurement.median)
    add("min_s", measurement.minimum)
    add("first_s", measurement.first)
  }

  /// Adds the number of operations in multiples of 10^9, counted as in direct summation, and the rate by the median
  /// time.
  mutating func add(operations: Double, _ measurement: Measurement) {
    add("gflop", operations / 1e9)
    add("gflop_per_s", operations / 1e9 / measurement.median)
  }
}
