import Cohort
import Foundation
import Segmentation
import Synchronization
import Work
import Worklist

/// Computes the cases of a cohort that are left, several at once, while the images of the next one are read.
final class CohortRun: Sendable {
  /// What became of the cases.
  struct Totals: Sendable {
    var done: [String] = []
    /// Cases that failed, now or earlier, with the reasons.
    var failed: [(name: String, error: String)] = []
    /// Cases that were done before.
    var skipped = 0
    /// Cases that another process computes.
    var elsewhere: [String] = []
  }

  /// A case that this process has claimed.
  private struct Claimed: Sendable {
    var item: WorklistCase
    var attempt: Int
    /// Released with the last reference.
    var lock: FileLock
  }

  private struct State {
    var records: CohortRecords
    var totals = Totals()
    /// Cases that did not fit in the memory beside others.
    var alone: [Claimed] = []
    var failure: InputError?
  }

  private let cohort: OpenedCohort
  private let worker: CohortCase
  private let writer: CohortRecordWriter
  private let output: CohortOutput
  private let interruption: Cancellation
  private let threadCount: Int
  private let state: Mutex<State>

  /// How many times in a row a process may end while it computes a case before the case counts as failed.
  private static let maximumInterruptionCount = 3

  /// - Parameter threadCount: The threads of all cases together.
  /// - Throws: ``InputError`` when the folder of records cannot be made.
  init(
    _ cohort: OpenedCohort, _ worker: CohortCase, records: CohortRecords, output: CohortOutput,
    interruption: Cancellation,
    threadCount: Int
  ) throws(InputError) {
    self.cohort = cohort
    self.worker = worker
    self.output = output
    self.interruption = interruption
    self.threadCount = threadCount
    writer = try CohortRecordWriter(folder: cohort.folder.recordsFolder)
    state = Mutex(State(records: records))
  }

  /// Computes the cases that are neither done nor failed.
  /// - Parameter jobCount: The number of cases that are computed at once.
  /// - Throws: ``InputError`` when a record cannot be written; ``Cancelled`` when a stop was asked for.
  func run(_ items: [WorklistCase], jobCount: Int) throws -> Totals {
    var left: [WorklistCase] = []
    for item in items {
      guard !interruption.wasRequested else { throw Cancelled() }
      switch try known(item) {
      case .done: state.withLock { $0.totals.skipped += 1 }
      case .failed(let record):
        state.withLock { $0.totals.failed.append((item.name, record.error ?? "")) }
      case .begun, .left: left.append(item)
      }
    }
    let totals = state.withLock(\.totals)
    output.begin(
      caseCount: items.count, skipped: totals.skipped, failed: totals.failed.count, left: left.count)
    computeAll(left, jobCount: min(jobCount, max(1, left.count)))
    try check()
    // What did not fit beside other cases gets all the memory there is.
    while let claimed = state.withLock({ $0.alone.popLast() }) {
      if let input = read(claimed, isAlone: true) { compute(claimed, input, threadCount, isAlone: true) }
      try check()
    }
    return state.withLock(\.totals)
  }

  private func check() throws {
    if let failure = state.withLock(\.failure) { throw failure }
    if interruption.wasRequested { throw Cancelled() }
  }

  private var hasToStop: Bool { interruption.wasRequested || state.withLock { $0.failure != nil } }

  /// One thread reads, the others compute.
  private func computeAll(_ items: [WorklistCase], jobCount: Int) {
    let next = HandOver<(Claimed, CohortInput)>()
    let ended = DispatchSemaphore(value: 0)
    func start(_ body: @escaping @Sendable () -> Void) {
      let thread = Thread {
        body()
        ended.signal()
      }
      thread.stackSize = Self.stackByteCount
      thread.start()
    }
    let share = max(1, threadCount / jobCount)
    start { [self] in
      for item in items where !hasToStop {
        if let claimed = claim(item), let input = read(claimed, isAlone: false) { next.put((claimed, input)) }
      }
      next.close()
    }
    for _ in 0..<jobCount {
      start { [self] in
        while let (claimed, input) = next.take() {
          if hasToStop { release(claimed) } else { compute(claimed, input, share, isAlone: false) }
        }
      }
    }
    for _ in 0...jobCount { ended.wait() }
  }

  private static let stackByteCount = 8 << 20

  /// What is known of a case.
  private func known(_ item: WorklistCase) throws -> CaseProgress.State {
    let progress = state.withLock { $0.records[item.name] }
    return try cohort.state(
      of: item, progress, model: { worker.network.model },
      work: WorkContext(threadCount: 1, cancellation: Cancellation(following: interruption)))
  }

  /// Claims a case and records that it begins; nil where another process has it, or finished it meanwhile.
  private func claim(_ item: WorklistCase) -> Claimed? {
    guard let lock = try? FileLock(cohort.folder.claim(of: item), owner: "run") else {
      state.withLock { $0.totals.elsewhere.append(item.name) }
      return nil
    }
    // Another process may have finished it since the records were read.
    if FileSystem.exists(cohort.maskPath(item)) { state.withLock { $0.records.poll() } }
    guard let found = try? known(item) else { return nil }
    if case .done = found {
      state.withLock { $0.totals.skipped += 1 }
      return nil
    }
    let progress = state.withLock { $0.records[item.name] }
    let interruptions = progress.interruptionCount(settingsSha256: cohort.description.settingsSha256)
    var claimed = Claimed(item: item, attempt: progress.attempt, lock: lock)
    guard interruptions < Self.maximumInterruptionCount else {
      fail(
        claimed, .interrupted,
        "the process ended \(interruptions) times while it computed this case; out of memory?")
      return nil
    }
    claimed.attempt += 1
    return write(record(.started, claimed)) ? claimed : nil
  }

  private func record(_ event: CohortRecord.Event, _ claimed: Claimed) -> CohortRecord {
    var record = CohortRecord(
      event, case: claimed.item.name, attempt: claimed.attempt,
      settingsSha256: cohort.description.settingsSha256, time: CaseRecord.time(Date()))
    record.image = FilePath.absolute(claimed.item.images[0])
    record.series = claimed.item.series
    return record
  }

  /// Writes a record; a failure ends the run.
  private func write(_ record: CohortRecord) -> Bool {
    do throws(InputError) {
      try writer.append(record)
      state.withLock { $0.records.add(record) }
      return true
    } catch {
      state.withLock { $0.failure = $0.failure ?? error }
      return false
    }
  }

  private func context(_ threadCount: Int) -> WorkContext {
    AvailableMemory.measure()
    return WorkContext(threadCount: threadCount, cancellation: Cancellation(following: interruption))
  }

  private func read(_ claimed: Claimed, isAlone: Bool) -> CohortInput? {
    let context = context(1)
    return attempt(claimed, context.cancellation, isAlone: isAlone) {
      try CohortInput(
        claimed.item, attempt: claimed.attempt, model: worker.network.model, work: context)
    }
  }

  private func compute(_ claimed: Claimed, _ input: CohortInput, _ threadCount: Int, isAlone: Bool) {
    var context = context(threadCount)
    context.report = { [output] in output.report($0, of: claimed.item.name) }
    let found = attempt(claimed, context.cancellation, isAlone: isAlone) {
      try worker.computed(input, work: context)
    }
    guard var done = found else { return }
    done.image = FilePath.absolute(claimed.item.images[0])
    done.series = claimed.item.series
    guard write(done) else { return }
    state.withLock { $0.totals.done.append(claimed.item.name) }
    output.end(done)
  }

  /// The result of a part of the work on a case; nil where it failed, which is recorded.
  private func attempt<Result>(
    _ claimed: Claimed, _ cancellation: Cancellation, isAlone: Bool, _ body: () throws -> Result
  ) -> Result? {
    do {
      return try body()
    } catch let error as InputError {
      if error.isAboutMemory, !isAlone {
        state.withLock { $0.alone.append(claimed) }
      } else {
        fail(claimed, error.isAboutMemory ? .memory : .input, error.description)
      }
    } catch is Cancelled {
      if !cancellation.wasRequested, cancellation.isShortOfMemory {
        if isAlone {
          fail(claimed, .memory, AvailableMemory.shortage.description)
        } else {
          state.withLock { $0.alone.append(claimed) }
        }
      } else {
        release(claimed)
      }
    } catch {
      fail(claimed, .input, "\(error)")
    }
    return nil
  }

  /// Records that a case failed; the run goes on.
  private func fail(_ claimed: Claimed, _ cause: CohortRecord.Cause, _ error: String) {
    var failed = record(.failed, claimed)
    failed.cause = cause
    failed.error = error
    failed.inputs = CohortInput.inputs(of: claimed.item)
    guard write(failed) else { return }
    state.withLock { $0.totals.failed.append((claimed.item.name, error)) }
    output.end(failed)
  }

  /// Takes back that a case began, because the run was asked to stop.
  private func release(_ claimed: Claimed) { _ = write(record(.retried, claimed)) }
}

extension CohortRecord {
  /// Whether it is of the image of a case, by path, size and time of change.
  func isUntouched(_ item: WorklistCase) -> Bool {
    guard let inputs, image == FilePath.absolute(item.images[0]), series == item.series else { return false }
    return inputs.allSatisfy { CohortRecord.InputFile(path: $0.path) == $0 }
  }
}
