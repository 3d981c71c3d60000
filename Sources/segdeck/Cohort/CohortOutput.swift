import Cohort
import Foundation
import Synchronization
import Work

/// What a run of a cohort prints: a line for each case and the time left, or events as lines of JSON.
final class CohortOutput: Sendable {
  /// An event of the whole run, beside the records of its cases.
  private struct RunEvent: Encodable {
    enum Kind: String, Encodable {
      case runStarted = "run_started"
      case progress
      case runEnded = "run_ended"
    }

    var schema = CohortRecord.schemaName
    var version = CohortRecord.schemaVersion
    var event: Kind
    /// Cases of this run.
    var cases: Int
    var done, failed, left: Int
    /// Seconds since the run began.
    var seconds: Double
    /// nil before the first case ended, and at the end.
    var secondsLeft: Double?
  }

  private struct State {
    var caseCount = 0, done = 0, failed = 0, left = 0
    /// Cases that ended in this run.
    var ended = 0
    /// The fraction done of each case that is being computed.
    var fractions: [String: Double] = [:]
    var failure: InputError?
  }

  private let isJSON: Bool
  private let hasProgressLine: Bool
  private let line: ProgressLine
  private let start = ContinuousClock.now
  private let state = Mutex(State())

  init(isJSON: Bool) {
    self.isJSON = isJSON
    line = ProgressLine("cohort")
    hasProgressLine = isatty(STDERR_FILENO) == 1
  }

  /// The first error of standard output; nil for none.
  var failure: InputError? { state.withLock(\.failure) }

  private var seconds: Double { (ContinuousClock.now - start) / .seconds(1) }

  /// The run begins.
  func begin(caseCount: Int, skipped: Int, failed: Int, left: Int) {
    state.withLock { state in
      (state.caseCount, state.done, state.failed, state.left) = (caseCount, skipped, failed, left)
    }
    if isJSON { return print(event(.runStarted)) }
    let parts = [
      skipped > 0 ? "\(skipped) done before" : "", failed > 0 ? "\(failed) failed before" : "",
      "\(left) to do",
    ]
    print("\(counted(caseCount, "case")): " + parts.filter { !$0.isEmpty }.joined(separator: ", "))
  }

  /// A case is done to this fraction.
  func report(_ fraction: Double, of name: String) {
    let whole = state.withLock { state in
      state.fractions[name] = fraction
      let sum = state.fractions.values.reduce(Double(state.ended), +)
      return sum / Double(max(1, state.ended + state.left))
    }
    line.show(whole)
  }

  /// A case ended.
  func end(_ record: CohortRecord) {
    let (number, all, secondsLeft) = state.withLock { state in
      state.fractions[record.case] = nil
      state.ended += 1
      state.left -= 1
      if record.event == .done { state.done += 1 } else { state.failed += 1 }
      return (state.done + state.failed, state.caseCount, self.secondsLeft(state))
    }
    if isJSON {
      print(json: record.json)
      return print(event(.progress))
    }
    let left = secondsLeft.map { $0 > 0 ? "; \(duration($0)) left" : "" } ?? ""
    print("\(number)/\(all) \(record.case): \(record.outcomeText)\(left)")
  }

  /// The run ended.
  func end() { if isJSON { print(event(.runEnded)) } }

  private func secondsLeft(_ state: State) -> Double? {
    state.ended == 0 ? nil : seconds / Double(state.ended) * Double(state.left)
  }

  private func event(_ kind: RunEvent.Kind) -> RunEvent {
    state.withLock { state in
      RunEvent(
        event: kind, cases: state.caseCount, done: state.done, failed: state.failed, left: state.left,
        seconds: seconds, secondsLeft: kind == .progress ? secondsLeft(state) : nil)
    }
  }

  private func print(_ event: RunEvent) {
    let encoder = JSONEncoder.stable()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    do { print(json: try encoder.encode(event)) } catch {
      preconditionFailure("an event holds only finite numbers: \(error)")
    }
  }

  private func print(json: Data) { printed { () throws(InputError) in try Console.print(json: json) } }

  private func print(_ text: String) {
    // The line of progress is on the same screen.
    if hasProgressLine { Console.paint("\r\u{1b}[K") }
    printed { () throws(InputError) in try Console.print(text.printableLine) }
  }

  /// Results go on where standard output is closed; the run says so at its end.
  private func printed(_ body: () throws(InputError) -> Void) {
    do throws(InputError) { try body() } catch { state.withLock { $0.failure = $0.failure ?? error } }
  }
}

extension CohortRecord {
  /// "liver 1480.2 mL, Dice 0.95, 3.2 s", or why the case failed.
  fileprivate var outcomeText: String {
    guard event == .done else { return "failed: \(error ?? "")" }
    let named = (labels ?? []).prefix(Self.namedLabelCount).map { label in
      let dice = (comparisons ?? []).first { $0.name == label.name }?.dice
      return "\(label.name) \(decimals(label.ml, 1)) mL" + (dice.map { " (Dice \(decimals($0, 3)))" } ?? "")
    }
    let rest = (labels?.count ?? 0) - named.count
    let more = rest > 0 ? ["\(rest) more"] : []
    let text = named.isEmpty ? ["no label found"] : named + more
    return (text + [duration(cost?.busySeconds ?? 0)]).joined(separator: ", ")
  }

  private static let namedLabelCount = 3
}
