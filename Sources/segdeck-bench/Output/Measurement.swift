import Foundation

/// One line of output: what was measured, how long it took, in what memory.
struct Measurement {
  /// Seconds of each run, ascending.
  private let seconds: [Double]
  private let facts: [String: Any]

  /// Runs `body` once for warming up, whose time counts as `first_s`, and then `repeats` times.
  init(_ what: String, repeats: Int, facts: [String: Any], _ body: () throws -> Void) rethrows {
    let clock = ContinuousClock()
    var runs: [Double] = []
    for _ in 0...repeats {
      let start = clock.now
      try body()
      runs.append((clock.now - start) / .seconds(1))
    }
    var facts = facts
    facts["what"] = what
    facts["first_s"] = runs[0]
    self.facts = facts
    seconds = runs.dropFirst().sorted()
  }

  /// Median and least seconds, peak memory of the process so far, and the facts, as one line of JSON.
  func print() throws {
    var line = facts
    line["median_s"] = seconds[seconds.count / 2]
    line["min_s"] = seconds[0]
    line["peak_mb"] = Self.peakMegabytes
    let json = try JSONSerialization.data(withJSONObject: line, options: [.sortedKeys])
    Swift.print(String(decoding: json, as: UTF8.self))
  }

  /// The most memory that this process has held.
  static var peakMegabytes: Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return (Double(usage.ru_maxrss) / 102.4).rounded() / 10
  }
}
