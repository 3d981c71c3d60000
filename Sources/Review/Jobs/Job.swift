import Work

/// The kind of a job: at most one job of a kind runs, and a new one cancels it.
package enum JobKind: Hashable, Sendable, CaseIterable {
  case opening, models, segmentation, refinement, preview, backgroundRefinement, measurement, presets,
    comparison, export
  case frame, memory, journal, spatialComparison, islands, surfaceDistances, probabilities,
    computedProbabilities
  case folder, fileSummaries, filePreview, fileParts, commandHistory, mask, image, uncertainty,
    componentProbabilities
}

/// Background work: a request, the work, and the change of the state by its outcome.
///
/// A job is a value. It holds the request and what ``reduce(_:_:)`` needs at the end. Each type of job has a type of
/// outcome, so that no job can end with the outcome of another.
package protocol Job: Equatable, Sendable {
  /// The result of the work.
  associatedtype Outcome: Equatable, Sendable

  /// The kind; every type of job has a different one.
  static var kind: JobKind { get }

  /// The name in the message line; nil for jobs that it does not show.
  var title: String? { get }

  /// Whether there is nothing else to do until it ends: then its threads keep their priority.
  var isAwaited: Bool { get }

  /// The message after the reviewer stopped it.
  var stoppedText: String { get }

  /// Does the work on a thread of ``JobRunner``.
  ///
  /// - Throws: `InputError` for a wrong input, `Cancelled` for a stop.
  func run(in environment: JobEnvironment, _ work: WorkContext) throws -> Outcome

  /// Changes the state by the outcome; the job has ended by then.
  func reduce(_ state: inout ReviewState, _ outcome: Outcome) -> [ReviewEffect]

  /// Changes the state after a failure; `line` is the reason.
  func reduceFailure(_ state: inout ReviewState, _ line: String) -> [ReviewEffect]

  /// Changes the state after the job was stopped.
  func reduceCancellation(_ state: inout ReviewState) -> [ReviewEffect]
}

extension Job {
  package var title: String? { nil }

  package var isAwaited: Bool { false }

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
  package let base: any Job

  /// Erases the type of a job.
  package init(_ base: any Job) { self.base = base }

  package var kind: JobKind { type(of: base).kind }

  package static func == (one: AnyJob, other: AnyJob) -> Bool { one.base.isEqual(to: other.base) }
}

/// The dependencies of jobs.
package struct JobEnvironment: Sendable {
  /// Files, models, networks, the CRF.
  let services: any ReviewServices
  let journal: JournalWriter
  /// The job itself.
  let job: JobID
  /// Takes an event that happens before the job ends, from any thread.
  let deliver: @Sendable (ReviewEvent) -> Void
}

/// The end of a job: a result, a cancellation or a failure.
package enum JobOutcome: Equatable, Sendable {
  case finished(JobResult)
  case cancelled
  /// The job failed for this reason, in one line.
  case failed(String)

  /// The outcome of a finished job of type `J`.
  package static func finished<J: Job>(_ type: J.Type, with outcome: J.Outcome) -> JobOutcome {
    .finished(JobResult(type, outcome))
  }
}

/// A type-erased outcome with the type of its job.
package struct JobResult: Equatable, Sendable {
  private let finished: any Finished

  fileprivate init<J: Job>(_ type: J.Type, _ outcome: J.Outcome) {
    finished = FinishedJob<J>(outcome: outcome)
  }

  /// Ends the job `id` with this outcome; changes nothing where no job of this type and id runs.
  func reduce(_ state: inout ReviewState, of id: JobID) -> [ReviewEffect] { finished.reduce(&state, of: id) }

  package static func == (one: JobResult, other: JobResult) -> Bool {
    one.finished.isEqual(to: other.finished)
  }
}

/// An outcome of a job of any type, which ``JobResult`` holds.
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
