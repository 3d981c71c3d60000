import Dispatch
import Foundation
import Synchronization
import Volumes
import Work

/// Performs effects on threads of its own and reports their outcomes as events.
///
/// One job of each kind runs at a time: starting another asks the older one to stop. Each job reports progress at most ten
/// times a second. The threads of jobs that nobody waits for have a lower priority than the screen's thread, which gets a
/// core at once even when all of them compute. Every started job ends with exactly one ``ReviewEvent/jobEnded(_:_:)``.
package final class JobRunner: Sendable {
  private struct Running {
    var kind: JobKind
    var cancellation: Cancellation
  }

  private let services: any ReviewServices
  private let deliver: @Sendable (ReviewEvent) -> Void
  private let queue = DispatchQueue(label: "segdeck.jobs", qos: .utility, attributes: .concurrent)
  /// The queue of jobs that are waited for.
  ///
  /// Queues of another quality of service have other threads, and a thread whose priority was lowered cannot raise it
  /// again.
  private let awaitedQueue = DispatchQueue(
    label: "segdeck.awaited", qos: .userInitiated, attributes: .concurrent)
  private let group = DispatchGroup()
  private let running = Mutex<[JobID: Running]>([:])
  private let journal: JournalWriter

  /// A runner whose events go to `deliver`, from any thread.
  package init(services: any ReviewServices, deliver: @escaping @Sendable (ReviewEvent) -> Void) {
    self.services = services
    self.deliver = deliver
    journal = JournalWriter(services: services, deliver: deliver)
  }

  /// Starts or cancels a job.
  package func perform(_ effect: ReviewEffect) {
    switch effect {
    case .start(let id, let job): start(id, job.base)
    case .cancel(let id): running.withLock { $0[id]?.cancellation.request() }
    case .note(let entry): journal.note(entry)
    }
  }

  /// Writes the queued entries of the journal.
  /// - Returns: The reason why they could not be written, in one line; nil on success.
  package func finishJournal() -> String? { journal.finish() }

  /// Asks every job to stop and waits until all have, at most `seconds`.
  package func drain(seconds: Double) {
    running.withLock { jobs in
      for job in jobs.values { job.cancellation.request() }
    }
    _ = group.wait(timeout: .now() + seconds)
  }

  private func start<J: Job>(_ id: JobID, _ job: J) {
    let cancellation = Cancellation()
    running.withLock { jobs in
      for older in jobs.values where older.kind == J.kind { older.cancellation.request() }
      jobs[id] = Running(kind: J.kind, cancellation: cancellation)
    }
    let began = ContinuousClock.now
    let lastReport = Mutex(began)
    var work = WorkContext(cancellation: cancellation) { [deliver] fraction in
      let now = ContinuousClock.now
      let isDue = lastReport.withLock { last in
        guard now - last >= .milliseconds(100) else { return false }
        last = now
        return true
      }
      guard isDue, !cancellation.isRequested else { return }
      deliver(.jobProgressed(id, fraction: fraction, elapsedSeconds: (now - began) / .seconds(1)))
    }
    work.hasLowPriority = !job.isAwaited
    (job.isAwaited ? awaitedQueue : queue).async(group: group) { [self, work] in
      let environment = JobEnvironment(services: services, journal: journal, job: id, deliver: deliver)
      if work.hasLowPriority { ThreadPriority.lower() }
      AvailableMemory.measure()
      let outcome = JobRunner.outcome(cancellation) {
        .finished(J.self, with: try job.run(in: environment, work))
      }
      _ = running.withLock { $0.removeValue(forKey: id) }
      deliver(.jobEnded(id, outcome))
    }
  }

  private static func outcome(
    _ cancellation: Cancellation, of body: () throws -> JobOutcome
  ) -> JobOutcome {
    do {
      return try body()
    } catch is Cancelled {
      return cancellation.isShortOfMemory ? .failed(AvailableMemory.shortage.description) : .cancelled
    } catch let error as InputError {
      return .failed(error.description)
    } catch {
      return .failed(error.localizedDescription)
    }
  }
}
