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
    run(terminal: terminal, worklist: WorklistState(request), first: CaseID(0)) { _ in services }
  }

  /// Shows the cases of a worklist on `terminal`, `first` before the others, and comes back when the reviewer quits.
  ///
  /// Everything that came in, from keys and jobs, is taken before the screen is drawn once; nothing here waits for
  /// a job. Jobs that still run at the end are asked to stop and given five seconds.
  ///
  /// - Parameter services: Makes the services of a case that is about to be opened.
  /// - Returns: the line of a failure that ended the session, nil when the reviewer quit.
  package static func run(
    terminal: any Terminal, worklist: WorklistState, first: CaseID,
    services: @escaping (CaseID) -> any ReviewServices
  ) -> String? {
    let mailbox = Mailbox(wake: terminal.wake)
    let centres = CaseCentres(services: services) { mailbox.put(.review($0, $1)) }
    let start = ContinuousClock.now
    var session = SessionState(
      worklist: worklist, first: first, screen: terminal.size, capabilities: terminal.capabilities)
    for effect in session.begin() { centres.perform(effect) }
    terminal.draw(render(session))
    while true {
      var events =
        terminal.nextEvent(waitingMilliseconds: idleMilliseconds).map { [SessionEvent.terminal($0)] } ?? []
      // Held keys pile up faster than a slow line draws: take them all, then draw once.
      while events.count < 256, events.last != .terminal(.end),
        let event = terminal.nextEvent(waitingMilliseconds: 0)
      {
        events.append(.terminal(event))
      }
      events += mailbox.takeAll()
      if !events.isEmpty {
        events.insert(.clock(seconds: (ContinuousClock.now - start) / .seconds(1)), at: 0)
      }
      for event in events {
        if event == .terminal(.end) { awaitJournals(&session, mailbox, centres) }
        for effect in reduce(&session, event) { centres.perform(effect) }
      }
      if let end = session.end {
        // First what must not be lost: nobody knows how long the process still has.
        let unwritten = centres.finishJournals().map { "not everything is in the journal: \($0)" }
        centres.drain(seconds: 5)
        if case .failed(let line) = end { return line }
        return unwritten
      }
      if !events.isEmpty { terminal.draw(render(session)) }
    }
  }

  /// Gives journals that are still being opened five seconds to take what was decided before the terminal goes.
  private static func awaitJournals(
    _ session: inout SessionState, _ mailbox: Mailbox, _ centres: CaseCentres
  ) {
    let end = ContinuousClock.now + .seconds(5)
    while session.awaitsJournal, ContinuousClock.now < end {
      for event in mailbox.takeAll() {
        for effect in reduce(&session, event) { centres.perform(effect) }
      }
      usleep(10_000)
    }
  }
}

/// The jobs and journals of the cases in memory, each case with a ``JobCentre`` and services of its own.
private final class CaseCentres {
  private let services: (CaseID) -> any ReviewServices
  private let deliver: @Sendable (CaseID, ReviewEvent) -> Void
  private var centres: [CaseID: JobCentre] = [:]
  /// Cases that were left, while their journals are written to the end and their jobs stop.
  private var closing: [CaseID: DispatchGroup] = [:]
  private let queue = DispatchQueue(label: "segdeck.closing", attributes: .concurrent)
  /// Why the journals of cases that were left could not be written to the end.
  private let failures = FailureLines()

  init(
    services: @escaping (CaseID) -> any ReviewServices,
    deliver: @escaping @Sendable (CaseID, ReviewEvent) -> Void
  ) {
    self.services = services
    self.deliver = deliver
  }

  func perform(_ effect: SessionEffect) {
    switch effect {
    case .review(let id, let effect): centre(id).perform(effect)
    case .close(let id): close(id)
    }
  }

  private func centre(_ id: CaseID) -> JobCentre {
    if let centre = centres[id] { return centre }
    // Its journal can be opened again when nothing writes it any more.
    closing.removeValue(forKey: id)?.wait()
    let centre = JobCentre(services: services(id)) { [deliver] in deliver(id, $0) }
    centres[id] = centre
    return centre
  }

  private func close(_ id: CaseID) {
    guard let centre = centres.removeValue(forKey: id) else { return }
    let group = DispatchGroup()
    closing[id] = group
    queue.async(group: group) { [failures] in
      if let line = centre.finishJournal() { failures.lines.withLock { $0.append(line) } }
      centre.drain(seconds: 5)
    }
  }

  /// Writes what the journals have not yet been given.
  /// - Returns: the line that says why one could not be written; nil when all were.
  func finishJournals() -> String? {
    for group in closing.values { group.wait() }
    let lines = centres.values.compactMap { $0.finishJournal() }
    return failures.lines.withLock { ($0 + lines).first }
  }

  /// Asks every job to stop and waits until all have, at most `seconds`.
  func drain(seconds: Double) {
    for centre in centres.values { centre.drain(seconds: 0) }
    let end = ContinuousClock.now + .seconds(seconds)
    for centre in centres.values { centre.drain(seconds: max(0, (end - ContinuousClock.now) / .seconds(1))) }
  }
}

/// Lines that threads add.
private final class FailureLines: Sendable {
  let lines = Mutex<[String]>([])
}

/// Events from the threads of jobs, kept until the loop takes them.
private final class Mailbox: Sendable {
  private let events = Mutex<[SessionEvent]>([])
  private let wake: @Sendable () -> Void

  init(wake: @escaping @Sendable () -> Void) { self.wake = wake }

  func put(_ event: SessionEvent) {
    events.withLock { $0.append(event) }
    wake()
  }

  func takeAll() -> [SessionEvent] {
    events.withLock { events in
      defer { events = [] }
      return events
    }
  }
}
