/// The identity of a job within a session.
package struct JobID: Hashable, Sendable {
  /// The number, from 1.
  package var number: Int

  package init(_ number: Int) { self.number = number }
}

/// A job that was started and has not ended, with its progress.
package struct RunningJob: Equatable, Sendable {
  /// Its id; events of other ids are late and ignored.
  package var id: JobID
  package var job: AnyJob
  /// Fraction done, 0...1.
  package var fraction = 0.0
  /// Seconds since it began.
  package var elapsedSeconds = 0.0

  /// The estimated remaining seconds; nil before 2 % and half a second.
  var remainingSeconds: Double? {
    guard fraction > 0.02, elapsedSeconds > 0.5 else { return nil }
    return elapsedSeconds * (1 - fraction) / fraction
  }
}

extension ReviewState {
  /// The running job of a type; nil for none.
  package func running<J: Job>(_ type: J.Type) -> J? { jobs[J.kind]?.job.base as? J }

  /// The running job that the message line shows; the most important of several.
  var longJob: (job: RunningJob, title: String)? {
    for kind in [JobKind.export, .refinement, .segmentation, .computedProbabilities, .mask, .image, .frame] {
      if let job = jobs[kind], let title = job.job.base.title { return (job, title) }
    }
    return nil
  }

  /// Registers a job and asks for its start; an older one of its kind is forgotten, and its outcome ignored.
  mutating func start<J: Job>(_ job: J) -> ReviewEffect {
    let id = JobID(nextJobNumber)
    nextJobNumber += 1
    jobs[J.kind] = RunningJob(id: id, job: AnyJob(job))
    return .start(id, AnyJob(job))
  }

  /// Cancels a job and removes it; its later events are ignored.
  mutating func cancel(_ kind: JobKind) -> [ReviewEffect] {
    guard let job = jobs.removeValue(forKey: kind) else { return [] }
    return [.cancel(job.id)]
  }

  /// Notes the progress of a job.
  ///
  /// A report of a forgotten job is late and changes nothing.
  mutating func noteProgress(_ id: JobID, fraction: Double, elapsedSeconds: Double) {
    guard let kind = kind(of: id) else { return }
    let before = jobs[kind]?.fraction ?? 0
    jobs[kind]?.fraction = min(max(fraction, before), 1)
    jobs[kind]?.elapsedSeconds = elapsedSeconds
  }

  /// Ends a job with its outcome.
  ///
  /// The outcome of a forgotten job is late and changes nothing.
  mutating func end(_ id: JobID, _ outcome: JobOutcome) -> [ReviewEffect] {
    switch outcome {
    case .finished(let result): return result.reduce(&self, of: id)
    case .cancelled: return forget(id)?.base.reduceCancellation(&self) ?? []
    case .failed(let line): return forget(id)?.base.reduceFailure(&self, line) ?? []
    }
  }

  private mutating func forget(_ id: JobID) -> AnyJob? {
    kind(of: id).flatMap { jobs.removeValue(forKey: $0)?.job }
  }

  private func kind(of id: JobID) -> JobKind? { jobs.first { $0.value.id == id }?.key }
}
