import Foundation
import Screen
import Synchronization

/// Runs a session on a terminal until it ends.
package enum ReviewSession {
  /// Longest wait when nothing is expected; events and jobs end a wait at once.
  private static let idleMilliseconds = 1000

  /// Opens one case, shows it on `terminal`, and comes back when the reviewer quits.
  ///
  /// - Returns: the line of a failure that ended the session, nil when the reviewer quit.
  package static func run(
    terminal: any Terminal, services: any ReviewServices, request: OpenCaseRequest
  ) -> String? {
    run(
      terminal: terminal, worklist: WorklistState(request), first: CaseID(0),
      services: SingleCaseServices(services: services))
  }

  /// Shows the cases of a worklist on `terminal`, `first` before the others, and comes back when the reviewer quits.
  ///
  /// Everything that came in, from keys and jobs, is taken before the screen is drawn once; nothing here waits for
  /// a job. Jobs that still run at the end are asked to stop and given five seconds.
  ///
  /// - Returns: the line of a failure that ended the session, nil when the reviewer quit.
  package static func run(
    terminal: any Terminal, worklist: WorklistState, first: CaseID, services: any SessionServices
  ) -> String? {
    let mailbox = Mailbox(wake: terminal.wake)
    let runners = CaseJobRunners(services: services) { mailbox.put($0) }
    let start = ContinuousClock.now
    var session = SessionState(
      worklist: worklist, first: first, screen: terminal.size, capabilities: terminal.capabilities)
    for effect in session.begin() { runners.perform(effect) }
    terminal.draw(render(session))
    while true {
      var events =
        terminal.nextEvent(waitingMilliseconds: idleMilliseconds).map { [SessionEvent.terminal($0)] } ?? []
      // Held keys pile up faster than a slow line draws: read them all, then draw once.
      while events.count < 256, events.last != .terminal(.end),
        let event = terminal.nextEvent(waitingMilliseconds: 0)
      {
        events.append(.terminal(event))
      }
      // The time that jobs take counts for no reader.
      if !events.isEmpty {
        events.insert(.clock(seconds: (ContinuousClock.now - start) / .seconds(1)), at: 0)
      }
      events += mailbox.removeAll()
      for event in events {
        if event == .terminal(.end) { awaitJournals(&session, mailbox, runners) }
        for effect in reduce(&session, event) { runners.perform(effect) }
      }
      if let end = session.end {
        // First what must not be lost: how long the process still has is unknown.
        let unwritten = [
          runners.finishJournals().map { "not everything is in the journal: \($0)" },
          services.finish().map { "not every verdict is in the worklist: \($0)" },
        ].compactMap(\.self)
        runners.drain(seconds: 5)
        if case .failed(let line) = end { return line }
        return unwritten.isEmpty ? nil : unwritten.joined(separator: "; ")
      }
      if !events.isEmpty { terminal.draw(render(session)) }
    }
  }

  /// Gives journals that are still being opened five seconds to take what was decided before the terminal goes.
  private static func awaitJournals(
    _ session: inout SessionState, _ mailbox: Mailbox, _ runners: CaseJobRunners
  ) {
    let end = ContinuousClock.now + .seconds(5)
    while session.awaitsJournal, ContinuousClock.now < end {
      for event in mailbox.removeAll() {
        for effect in reduce(&session, event) { runners.perform(effect) }
      }
      usleep(10_000)
    }
  }
}

/// The jobs and journals of the cases in memory, each case with a ``JobRunner`` and services of its own.
private final class CaseJobRunners {
  private let services: any SessionServices
  private let deliver: @Sendable (SessionEvent) -> Void
  private var runners: [CaseID: JobRunner] = [:]
  /// Cases that were left, while their journals are written to the end and their jobs stop.
  private var closing: [CaseID: DispatchGroup] = [:]
  private let queue = DispatchQueue(label: "segdeck.closing", attributes: .concurrent)
  /// The reasons why journals of cases that were left could not be written to the end.
  private let failures = FailureLines()

  init(services: any SessionServices, deliver: @escaping @Sendable (SessionEvent) -> Void) {
    self.services = services
    self.deliver = deliver
    services.begin(deliver)
  }

  func perform(_ effect: SessionEffect) {
    switch effect {
    case .review(let id, let effect): runner(id).perform(effect)
    case .close(let id): close(id)
    case .record(let id, let kind, let decision): services.record(kind, id, decision)
    }
  }

  private func runner(_ id: CaseID) -> JobRunner {
    if let runner = runners[id] { return runner }
    // Its journal can be opened again when nothing writes it any more.
    closing.removeValue(forKey: id)?.wait()
    let runner = JobRunner(services: services.services(of: id)) { [deliver] in deliver(.review(id, $0)) }
    runners[id] = runner
    return runner
  }

  private func close(_ id: CaseID) {
    guard let runner = runners.removeValue(forKey: id) else { return }
    let group = DispatchGroup()
    closing[id] = group
    queue.async(group: group) { [failures] in
      if let line = runner.finishJournal() { failures.lines.withLock { $0.append(line) } }
      runner.drain(seconds: 5)
    }
  }

  /// Writes what the journals have not yet been given.
  /// - Returns: the line that says why one could not be written; nil when all were.
  func finishJournals() -> String? {
    for group in closing.values { group.wait() }
    let lines = runners.values.compactMap { $0.finishJournal() }
    return failures.lines.withLock { ($0 + lines).first }
  }

  /// Asks every job to stop and waits until all have, at most `seconds`.
  func drain(seconds: Double) {
    for runner in runners.values { runner.drain(seconds: 0) }
    let end = ContinuousClock.now + .seconds(seconds)
    for runner in runners.values { runner.drain(seconds: max(0, (end - ContinuousClock.now) / .seconds(1))) }
  }
}

/// Lines that threads add.
private final class FailureLines: Sendable {
  let lines = Mutex<[String]>([])
}

/// Events from the threads of jobs, kept until the loop removes them.
private final class Mailbox: Sendable {
  private let events = Mutex<[SessionEvent]>([])
  private let wake: @Sendable () -> Void

  init(wake: @escaping @Sendable () -> Void) { self.wake = wake }

  func put(_ event: SessionEvent) {
    events.withLock { $0.append(event) }
    wake()
  }

  func removeAll() -> [SessionEvent] {
    events.withLock { events in
      defer { events = [] }
      return events
    }
  }
}
