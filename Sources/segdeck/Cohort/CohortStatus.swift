import Cohort
import Foundation
import Work
import Worklist

/// How far a cohort is.
struct CohortStatus: Encodable {
  struct Failure: Encodable {
    var `case`, error: String
    var cause: CohortRecord.Cause?
  }

  struct Running: Encodable {
    var `case`, host, since: String
    var job: String?
  }

  /// The tasks of a submission that wait and run.
  struct Job: Encodable {
    var job: String
    var waiting, running: Int
  }

  private var schema = "segdeck-cohort-status"
  private var version = 1
  private(set) var cases, done, left: Int
  private(set) var failed: [Failure]
  private(set) var running: [Running]
  private(set) var jobs: [Job]
  /// Seconds that a done case took, on average; nil without one.
  private(set) var secondsPerCase: Double?
  /// Seconds until everything is done, with the processes that compute now; nil where none does or none was done.
  private(set) var secondsLeft: Double?

  /// - Parameters:
  ///   - jobs: The submissions that wait or run.
  ///   - isRunning: Whether a process computes a case now.
  init(
    _ results: [CohortResult], items: [WorklistCase], jobs: [Job], isRunning: (WorklistCase) -> Bool
  ) {
    self.jobs = jobs
    cases = results.count
    done = results.count(.done)
    failed = results.filter { $0.status == .failed }.map {
      Failure(case: $0.name, error: $0.record?.error ?? "", cause: $0.record?.cause)
    }
    running = zip(items, results).compactMap { item, result in
      guard result.status == .begun, let record = result.record, isRunning(item) else { return nil }
      return Running(case: item.name, host: record.host, since: record.time, job: record.job)
    }
    left = cases - done - failed.count - running.count
    let costs = results.filter { $0.status == .done }.compactMap { $0.record?.cost?.busySeconds }
    secondsPerCase = costs.isEmpty ? nil : costs.reduce(0, +) / Double(costs.count)
    secondsLeft = secondsPerCase.flatMap { seconds in
      running.isEmpty ? nil : seconds * Double(left + running.count) / Double(running.count)
    }
  }

  var json: Data {
    let encoder = JSONEncoder.stable(isIndented: true)
    encoder.keyEncodingStrategy = .convertToSnakeCase
    do { return try encoder.encode(self) } catch {
      preconditionFailure("a status holds only finite numbers: \(error)")
    }
  }

  /// A line with the counts, and one for each case that runs or failed.
  var text: String {
    var line =
      "\(counted(cases, "case")): \(done) done, \(failed.count) failed, \(running.count) running, \(left) left"
    if let secondsLeft { line += "; \(duration(secondsLeft)) left" }
    let lines =
      jobs.map {
        "job \($0.job): \(counted($0.running, "task runs", "tasks run")), \($0.waiting) waiting"
      }
      + running.map { "running: \($0.case) on \($0.host)" + ($0.job.map { ", job \($0)" } ?? "") }
      + failed.map { "failed: \($0.case): \($0.error)" }
    return ([line] + lines.map(\.printableLine)).joined(separator: "\n")
  }
}
