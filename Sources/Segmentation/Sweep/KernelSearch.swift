import Synchronization
import Volumes
import Work

/// A hyperparameter search for the CRF kernels with the largest gain on labelled cases: random search, then local
/// search around the best trial.
///
/// Trials run at half the resolution in batches of 32: eight pairs of (θα, θβ), whose kernels are computed once, with
/// four choices of weights and θγ each. The first batch and every third from the third on are drawn at random, the
/// others around the best trial so far, in a shrinking neighbourhood. The sequence depends only on the seed and the
/// trials' scores, so that an interrupted search resumes with the same trials and may be extended later.
///
/// With four cases or more, a trial that is worse than no CRF on the first third of them is not run on the others.
package struct KernelSearch: Sendable {
  package struct Trial: Sendable, Hashable, Codable {
    /// Number of the trial; 0 is the start of the ranges.
    package var number: Int
    package var settings: RefinementSettings
    /// The objective of each case, in the order of the cases; fewer where the trial was pruned.
    package var scores: [Double]
  }

  package let cases: [SweepCase]
  package let ranges: KernelRanges
  package let objective: SweepObjective
  /// The objective of each case without a CRF.
  package let baselines: [Double]
  private let seed: UInt64
  private static let groupsPerBatch = 8
  private static let trialsPerGroup = 4
  private static let batchSize = groupsPerBatch * trialsPerGroup
  /// A trial is pruned where it is worse than no CRF by more than this on the first cases.
  private static let allowedLoss: [SweepObjective: Double] = [.dice: 0.002, .assd: 0.05]

  /// A search over `cases`, of which there is at least one.
  /// - Throws: ``InputError`` when a case cannot be computed; ``Cancelled``.
  package init(
    cases: [SweepCase], ranges: KernelRanges, objective: SweepObjective, seed: UInt64, work: WorkContext
  ) throws {
    precondition(!cases.isEmpty, "a search needs a case")
    self.cases = cases
    self.ranges = ranges
    self.objective = objective
    self.seed = seed
    var none = ranges.start
    none.appearanceWeight = 0
    none.smoothnessWeight = 0
    baselines = try cases.map { try $0.scores([none], objective: objective, work: work.withoutProgress)[0] }
  }

  /// Runs the trials up to `count`.
  /// - Parameters:
  ///   - known: Trials of an earlier run, which are not repeated.
  ///   - record: Receives every new trial, in order.
  /// - Returns: All trials, in order.
  /// - Throws: ``InputError`` when a known trial does not belong to this search; ``Cancelled``; the errors of `record`.
  package func run(
    trialCount count: Int, known: [Trial] = [], work: WorkContext, record: (Trial) throws -> Void = { _ in }
  ) throws -> [Trial] {
    let byNumber = Dictionary(known.map { ($0.number, $0) }, uniquingKeysWith: { $1 })
    var trials: [Trial] = []
    for batch in 0..<(count + Self.batchSize - 1) / Self.batchSize {
      let groups = proposals(batch: batch, after: trials)
      let first = batch * Self.batchSize
      let wanted = min(Self.batchSize, count - first)
      var made = groups.flatMap(\.self).prefix(wanted).enumerated().map {
        Trial(number: first + $0, settings: $1, scores: [])
      }
      for index in made.indices {
        guard let earlier = byNumber[first + index] else { continue }
        guard earlier.settings == made[index].settings, earlier.scores.count <= cases.count else {
          throw InputError("trial \(first + index)", "belongs to another search")
        }
        made[index].scores = earlier.scores
      }
      let open = Set(made.indices.filter { byNumber[first + $0] == nil })
      let part = work.part(Double(first) / Double(count)...Double(first + wanted) / Double(count))
      try measure(&made, open: open, work: part)
      for index in open.sorted() { try record(made[index]) }
      trials += made
    }
    return trials
  }

  /// The mean gain of a trial over no CRF, over the cases that it was run on.
  package func gain(of trial: Trial) -> Double {
    let gains = zip(trial.scores, baselines).map { objective.gain(of: $0, over: $1) }
    return gains.reduce(0, +) / Double(max(gains.count, 1))
  }

  /// The best trials of those run on all cases, best first; only the best of trials that are close to each other.
  package func best(_ count: Int, of trials: [Trial]) -> [Trial] {
    var chosen: [Trial] = []
    for trial in ranked(trials) where chosen.count < count {
      if chosen.allSatisfy({ ranges.distance($0.settings, trial.settings) > 0.1 }) { chosen.append(trial) }
    }
    return chosen
  }

  private func ranked(_ trials: [Trial]) -> [Trial] {
    trials.filter { $0.scores.count == cases.count }.map { ($0, gain(of: $0)) }.sorted {
      ($1.1, $0.0.number) < ($0.1, $1.0.number)
    }.map(\.0)
  }

  /// Eight groups of four settings; θα and θβ are equal within a group.
  private func proposals(batch: Int, after trials: [Trial]) -> [[RefinementSettings]] {
    var random = SplitMix64(seed: seed).forked(batch)
    let isLocal = batch >= 1 && batch % 3 != 2
    let centre = isLocal ? ranked(trials).first?.settings : nil
    // The neighbourhood shrinks from a fifth of the ranges to a twenty-fifth after six batches.
    let radius = max(0.04, 0.2 * power(0.76, batch))
    func draw(_ parameter: KernelParameter, _ settings: inout RefinementSettings) {
      guard let centre, let fraction = ranges.fraction(of: parameter, in: centre) else {
        ranges.set(parameter, fraction: random.uniform(), in: &settings)
        return
      }
      ranges.set(parameter, fraction: fraction + radius * random.normal(), in: &settings)
    }
    return (0..<Self.groupsPerBatch).map { group in
      var shared = centre ?? ranges.start
      // The first group has the start itself, or weights around the best widths.
      let keepsWidths = group == 0 && (batch == 0 || centre != nil)
      if !keepsWidths {
        for parameter in [KernelParameter.thetaAlpha, .thetaBeta] { draw(parameter, &shared) }
      }
      return (0..<Self.trialsPerGroup).map { member in
        var own = shared
        if batch == 0, group == 0, member == 0 { return own }
        for parameter in [KernelParameter.appearanceWeight, .smoothnessWeight, .thetaGamma] {
          draw(parameter, &own)
        }
        return own
      }
    }
  }

  /// Computes the scores of the trials of a batch that are not known.
  private func measure(_ trials: inout [Trial], open: Set<Int>, work: WorkContext) throws {
    let early = cases.count < 4 ? cases.count : (cases.count + 2) / 3
    try measure(
      &trials, open: open, cases: 0..<early, work: work.part(0...Double(early) / Double(cases.count)))
    let allowed = Self.allowedLoss[objective] ?? 0
    let promising = open.filter { gain(of: trials[$0]) >= -allowed }
    try measure(
      &trials, open: promising, cases: early..<cases.count,
      work: work.part(Double(early) / Double(cases.count)...1))
  }

  private func measure(
    _ trials: inout [Trial], open: Set<Int>, cases range: Range<Int>, work: WorkContext
  ) throws {
    struct Task {
      var numbers: [Int], settings: [RefinementSettings], index: Int
      var breadth: Double {
        [KernelParameter.thetaAlpha, .thetaBeta].reduce(1.0) { $0 * $1.value(in: settings[0]) }
      }
    }
    let groups = Dictionary(grouping: open.sorted()) { $0 / Self.trialsPerGroup }.sorted { $0.key < $1.key }
    let tasks = range.flatMap { index in
      groups.map { group in
        Task(numbers: group.value, settings: group.value.map { trials[$0].settings }, index: index)
      }
    }
    // Narrow kernels cost most; they run first, for load balance.
    .sorted { $0.breadth < $1.breadth }
    guard !tasks.isEmpty else { return }
    var inner = work.withoutProgress
    inner.threadCount = max(1, work.threadCount / tasks.count)
    let results = Mutex<(scores: [Int: [Double]], done: Int, error: (any Error)?)>(([:], 0, nil))
    let (cases, objective) = (self.cases, self.objective)
    let context = inner
    try work.forEach(count: tasks.count) { index, _ in
      let outcome = Result {
        try cases[tasks[index].index].scores(tasks[index].settings, objective: objective, work: context)
      }
      let done = results.withLock { results in
        switch outcome {
        case .success(let scores): results.scores[index] = scores
        case .failure(let error): results.error = results.error ?? error
        }
        results.done += 1
        return results.done
      }
      work.report(Double(done) / Double(tasks.count))
    }
    let (scores, error) = results.withLock { ($0.scores, $0.error) }
    if let error { throw error }
    for (index, task) in tasks.enumerated().sorted(by: { $0.element.index < $1.element.index }) {
      for (number, score) in zip(task.numbers, scores[index] ?? []) { trials[number].scores.append(score) }
    }
  }

  private func power(_ base: Double, _ exponent: Int) -> Double {
    (0..<exponent).reduce(1.0) { product, _ in product * base }
  }
}
