import Work

/// What a job works on: a newer job cancels the older one of its kind.
package enum JobKind: Hashable, Sendable, CaseIterable {
  case opening, models, segmentation, refinement, preview, following, measurement, presets, comparison, export
  case frame, memory, journal, findings, islands
}

/// Background work: the request, how it is done, and how its outcome changes the state.
///
/// A job is a value. It holds the request and what ``reduce(_:_:)`` needs at the end. Each type of job has a type of
/// outcome, so that no job can end with the outcome of another.
package protocol Job: Equatable, Sendable {
  /// The result of the work.
  associatedtype Outcome: Equatable, Sendable

  /// What it works on; each type of job has a kind of its own.
  static var kind: JobKind { get }

  /// What the message line calls it; nil for work that goes unmentioned.
  var title: String? { get }

  /// What is said when the reviewer stops it.
  var stoppedText: String { get }

  /// Does the work, on a thread of the job centre.
  ///
  /// - Throws: `InputError` for a wrong input, `Cancelled` for a stop.
  func run(in environment: JobEnvironment, _ work: WorkContext) throws -> Outcome

  /// Changes the state by the outcome; the job has ended by then.
  func reduce(_ state: inout ReviewState, _ outcome: Outcome) -> [ReviewEffect]

  /// Changes the state after a failure; `line` says why.
  func reduceFailure(_ state: inout ReviewState, _ line: String) -> [ReviewEffect]

  /// Changes the state after the job was stopped.
  func reduceCancellation(_ state: inout ReviewState) -> [ReviewEffect]
}

extension Job {
  package var title: String? { nil }

  package var stoppedText: String { "stopped" }

  package func reduceFailure(_ state: inout ReviewState, _ line: String) -> [ReviewEffect] {
    state.message = Message(line, .error)
    return []
  }

  package func reduceCancellation(_ state: inout ReviewState) -> [ReviewEffect] { [] }

  fileprivate func isEqual(to other: any Job) -> Bool { self == other as? Self }
}

/// A job of any type.
package struct AnyJob: Equatable, Sendable {
  /// The job.
  package let base: any Job

  /// Erases the type of a job.
  package init(_ base: any Job) { self.base = base }

  /// What it works on.
  package var kind: JobKind { type(of: base).kind }

  package static func == (one: AnyJob, other: AnyJob) -> Bool { one.base.isEqual(to: other.base) }
}

/// What jobs work with.
package struct JobEnvironment: Sendable {
  /// Files, models, networks, the CRF.
  let services: any ReviewServices
  /// What writes the journal.
  let journal: JournalWriter
}

/// How a job ended.
package enum JobOutcome: Equatable, Sendable {
  case finished(JobResult)
  case cancelled
  /// One line.
  case failed(String)

  /// What a job of a type found.
  package static func finished<J: Job>(_ type: J.Type, with outcome: J.Outcome) -> JobOutcome {
    .finished(JobResult(type, outcome))
  }
}

/// What a job found, with the type of job that knows what it means.
package struct JobResult: Equatable, Sendable {
  private let finished: any Finished

  fileprivate init<J: Job>(_ type: J.Type, _ outcome: J.Outcome) {
    finished = FinishedJob<J>(outcome: outcome)
  }

  /// Ends the job with this id; one that is not under way, as this type of job, is late and changes nothing.
  func reduce(_ state: inout ReviewState, of id: JobID) -> [ReviewEffect] { finished.reduce(&state, of: id) }

  package static func == (one: JobResult, other: JobResult) -> Bool {
    one.finished.isEqual(to: other.finished)
  }
}

private protocol Finished: Equatable, Sendable {
  func reduce(_ state: inout ReviewState, of id: JobID) -> [ReviewEffect]
}

extension Finished {
  fileprivate func isEqual(to other: any Finished) -> Bool { self == other as? Self }
}

private struct FinishedJob<J: Job>: Finished {
  let outcome: J.Outcome

  func reduce(_ state: inout ReviewState, of id: JobID) -> [ReviewEffect] {
    guard state.jobs[J.kind]?.id == id, let job = state.running(J.self) else { return [] }
    state.jobs[J.kind] = nil
    return job.reduce(&state, outcome)
  }
}
