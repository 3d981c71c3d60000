import Dispatch
import Foundation
import Synchronization
import Volumes
import Work

/// Carries out effects on threads of its own and turns what happens into events.
///
/// One job of each kind runs at a time: starting another asks the older one to stop. Progress is reported at most
/// ten times a second and job. The threads step back behind the screen's, which so gets a core at once even when all of
/// them compute. Every started job ends with exactly one ``ReviewEvent/jobEnded(_:_:)``.
package final class JobCentre: Sendable {
  private struct Running {
    var kind: JobKind
    var cancellation: Cancellation
  }

  private let services: any ReviewServices
  private let deliver: @Sendable (ReviewEvent) -> Void
  private let queue = DispatchQueue(label: "segdeck.jobs", qos: .utility, attributes: .concurrent)
  private let group = DispatchGroup()
  private let running = Mutex<[JobID: Running]>([:])
  private let journal: JournalWriter

  /// A centre whose events go to `deliver`, from any thread.
  package init(services: any ReviewServices, deliver: @escaping @Sendable (ReviewEvent) -> Void) {
    self.services = services
    self.deliver = deliver
    journal = JournalWriter(services: services, deliver: deliver)
  }

  /// Starts or cancels a job.
  package func perform(_ effect: ReviewEffect) {
    switch effect {
    case .start(let id, let request): start(id, request)
    case .cancel(let id): running.withLock { $0[id]?.cancellation.request() }
    case .note(let entry): journal.note(entry)
    }
  }

  /// Writes what the journal has not yet been given.
  /// - Returns: the line that says why it could not be written; nil when it was.
  package func finishJournal() -> String? { journal.finish() }

  /// Asks every job to stop and waits until all have, at most `seconds`.
  package func drain(seconds: Double) {
    running.withLock { jobs in
      for job in jobs.values { job.cancellation.request() }
    }
    _ = group.wait(timeout: .now() + seconds)
  }

  private func start(_ id: JobID, _ request: JobRequest) {
    let cancellation = Cancellation()
    running.withLock { jobs in
      for job in jobs.values where job.kind == request.kind { job.cancellation.request() }
      jobs[id] = Running(kind: request.kind, cancellation: cancellation)
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
    work.hasLowPriority = true
    queue.async(group: group) { [self, work] in
      ThreadPriority.lower()
      AvailableMemory.measure()
      let outcome = JobCentre.outcome(cancellation) { try self.run(request, work) }
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

  /// Runs the CRF and holds the result against what it started from.
  private func refined(_ request: RefinementRequest, _ work: WorkContext) throws -> RefinedPart {
    let start = ContinuousClock.now
    var part = try RefinedPart(
      try services.refine(request, work.part(0...0.9)), of: request, work.part(0.9...1))
    part.seconds = (ContinuousClock.now - start) / .seconds(1)
    return part
  }

  /// How much of the memory there is a refinement may take that nobody asked for.
  private static let unaskedMemoryShare = 0.25

  private static func pause(milliseconds: Int, _ work: WorkContext) throws(Cancelled) {
    let end = ContinuousClock.now + .milliseconds(milliseconds)
    while ContinuousClock.now < end {
      try work.checkCancellation()
      usleep(5000)
    }
  }

  private func run(_ request: JobRequest, _ work: WorkContext) throws -> JobOutcome {
    switch request {
    case .open(let request):
      let content = try services.openCase(request, work.part(0...0.8))
      let intensities = IntensitySummary(content.image)
      let components = try content.masks.map { try LabelComponents($0.labels, work: work.withoutProgress) }
      return .opened(OpenedCase(content: content, intensities: intensities, maskComponents: components))
    case .models(let image): return .models(try services.models(for: image, work))
    case .segment(let request):
      let result = try services.segment(request, work.part(0...0.98))
      return .segmented(result, try LabelComponents(result.labels, work: work.withoutProgress))
    case .refine(let request), .preview(let request): return .refined(try refined(request, work))
    case .follow(let request):
      // A knob that turns on within this time costs the preview no core.
      try JobCentre.pause(milliseconds: 250, work)
      var modest = work
      modest.memoryFraction = JobCentre.unaskedMemoryShare
      return .refined(try refined(request, modest))
    case .measure(let request): return .measured(try services.measure(request, work))
    case .presets(let new, let replacesExisting):
      if let new, try services.save(new, replacesExisting: replacesExisting) == .exists {
        return .kernelsExist(new)
      }
      return .presets(try services.savedPresets())
    case .compare(let request):
      let remembered = request.memory.flatMap { services.rememberedPartners($0) }
      return .compared(try Comparison(request, remembered: remembered, work))
    case .remember(let partners, let memory):
      try services.remember(partners, of: memory)
      return .remembered
    case .read(let request):
      return .read(ReadFrame(frame: request.frame, image: try services.read(request, work)))
    case .journal(let content):
      let opened = try services.openJournal(of: content, work)
      if case .failing(let reason) = opened.status { journal.note(failure: reason) }
      return .journalOpened(opened)
    case .export(let request): return .exported(try services.export(request, work))
    }
  }
}
