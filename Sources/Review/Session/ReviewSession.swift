import Foundation
import Screen
import Synchronization
import Work

/// Runs a session on a terminal until it ends.
package enum ReviewSession {
  /// The longest wait for an event; events of the terminal and of jobs end it at once.
  private static let idleMilliseconds = 1000

  /// Opens one case and shows it on `terminal` until the reviewer quits.
  ///
  /// - Parameter services: Makes the services of a case; called for this case and for each that replaces it.
  /// - Returns: The reason why the session failed, in one line; nil when the reviewer quit.
  package static func run(
    terminal: any Terminal, request: OpenCaseRequest, tour: Tour? = nil,
    services: @escaping @Sendable () -> any ReviewServices
  ) -> String? {
    run(
      terminal: terminal, worklist: WorklistState(request), first: CaseID(0), tour: tour,
      services: SingleCaseServices(make: services))
  }

  /// Shows the cases of a worklist on `terminal`, beginning with `first`, until the reviewer quits.
  ///
  /// All pending events of keys and jobs are handled before the screen is drawn once; nothing here waits for a job. At
  /// the end, running jobs are cancelled and awaited for up to five seconds.
  ///
  /// - Returns: The reason why the session failed, in one line; nil when the reviewer quit.
  package static func run(
    terminal: any Terminal, worklist: WorklistState, first: CaseID, tour: Tour? = nil,
    services: any SessionServices
  ) -> String? {
    let mailbox = Mailbox(wake: terminal.wake)
    let runners = CaseJobRunners(services: services) { mailbox.put($0) }
    let start = ContinuousClock.now
    var session = SessionState(
      worklist: worklist, first: first, tour: tour, screen: terminal.size, capabilities: terminal.capabilities
    )
    for effect in session.begin() { runners.perform(effect) }
    var samples = PaneSamples()
    var pacer = FramePacer(terminal.capabilities)
    func seconds() -> Double { (ContinuousClock.now - start) / .seconds(1) }
    func drawIfDue() {
      guard case .draw(let detail, let graphicsLimit) = pacer.step(atSeconds: seconds()) else { return }
      let frame =
        terminal.isReadAloud ? readAloud(session) : render(session, detail, reusing: &samples)
      // Sending waits for a slow connection, and this time is a part of what it takes.
      let begin = seconds()
      let sent = terminal.draw(frame, graphicsLimit: graphicsLimit)
      pacer.draw(detail, sent, atSeconds: begin, unansweredFrames: terminal.unansweredFrames)
      for effect in reduce(&session, .drawn(seconds: seconds())) { runners.perform(effect) }
    }
    drawIfDue()
    var clock = CineClock()
    while true {
      var wait = clock.waitingMilliseconds(session.review.cine) ?? idleMilliseconds
      if let due = pacer.waitingMilliseconds(atSeconds: seconds()) { wait = min(wait, due) }
      var events = terminal.nextEvent(waitingMilliseconds: wait).map { [SessionEvent.terminal($0)] } ?? []
      // A held key repeats faster than a slow connection draws, so all pending events are handled before one frame.
      while events.count < 256, events.last != .terminal(.end),
        let event = terminal.nextEvent(waitingMilliseconds: 0)
      {
        events.append(.terminal(event))
      }
      let isInput = pacer.take(&events, of: terminal, atSeconds: seconds())
      // The time spent waiting for jobs does not count as a reader's time.
      if !events.isEmpty { events.insert(.clock(seconds: seconds()), at: 0) }
      events += mailbox.removeAll()
      if events.isEmpty, clock.isDue(session.review.cine) {
        events.append(.review(session.current, .cineAdvanced))
      }
      for event in events {
        if event == .terminal(.end) { awaitJournals(&session, mailbox, runners) }
        for effect in reduce(&session, event) { runners.perform(effect) }
      }
      if let end = session.end {
        // The journals come first, because the process may be killed at any time.
        let unwritten = [
          runners.finishJournals().map { "not everything is in the journal: \($0)" },
          services.finish().map { "not every verdict is in the worklist: \($0)" },
        ].compactMap(\.self)
        runners.drain(seconds: 5)
        if case .failed(let line) = end { return line }
        return unwritten.isEmpty ? nil : unwritten.joined(separator: "; ")
      }
      if !events.isEmpty {
        pacer.change(atSeconds: seconds(), isInput: isInput || events.last?.advancesCine == true)
      }
      drawIfDue()
    }
  }

  /// Waits up to five seconds for journals that are still being opened to record the decisions.
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

extension FramePacer {
  /// The milliseconds until something is to be drawn, where no event comes before; nil where nothing is.
  fileprivate func waitingMilliseconds(atSeconds now: Double) -> Int? {
    switch step(atSeconds: now) {
    case .draw: 0
    case .wait(let seconds): seconds.map { Int(saturating: (1000 * $0).rounded(.up)) }
    }
  }

  /// Takes what the terminal says of itself out of events.
  /// - Returns: Whether there are events of a key, a paste or the mouse.
  fileprivate mutating func take(
    _ events: inout [SessionEvent], of terminal: any Terminal, atSeconds now: Double
  ) -> Bool {
    var isInput = false
    events.removeAll { event in
      guard case .terminal(let event) = event else { return false }
      switch event {
      case .key, .paste, .mouse: isInput = true
      case .capabilities(let capabilities): change(capabilities)
      case .shown:
        show(atSeconds: now, unansweredFrames: terminal.unansweredFrames)
        return true
      case .resize, .end: break
      }
      return false
    }
    return isInput
  }
}

extension SessionEvent {
  /// Whether it shows the next slice of a cine.
  fileprivate var advancesCine: Bool {
    if case .review(_, .cineAdvanced) = self { return true }
    return false
  }
}

/// When the next slice of a cine is due.
private struct CineClock {
  private var due: ContinuousClock.Instant?

  /// The milliseconds until the next slice is due; nil without a cine.
  mutating func waitingMilliseconds(_ cine: Cine?) -> Int? {
    guard let cine else {
      due = nil
      return nil
    }
    let due = self.due ?? ContinuousClock.now + .seconds(1 / cine.slicesPerSecond)
    self.due = due
    return max(0, Int(saturating: ((due - ContinuousClock.now) / .milliseconds(1)).rounded(.up)))
  }

  /// Whether the next slice is due now.
  ///
  /// If so, the one after it is due one interval later; slices that were missed are skipped.
  mutating func isDue(_ cine: Cine?) -> Bool {
    let now = ContinuousClock.now
    guard let cine, let due, due <= now else { return false }
    self.due = max(due + .seconds(1 / cine.slicesPerSecond), now)
    return true
  }
}

/// The jobs and journals of the cases in memory, each case with a ``JobRunner`` and services of its own.
private final class CaseJobRunners {
  private let services: any SessionServices
  private let deliver: @Sendable (SessionEvent) -> Void
  private var runners: [CaseID: JobRunner] = [:]
  /// Cases that were left, until their journals are complete and their jobs have stopped.
  private var closing: [CaseID: DispatchGroup] = [:]
  private let queue = DispatchQueue(label: "segdeck.closing", attributes: .concurrent)
  /// The reasons why journals of cases that were left could not be completed.
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
    case .add(let entry): services.add(entry)
    case .keep(let id, let uncertainties): services.keep(uncertainties, ofRunOn: id)
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
  /// - Returns: The reason why a journal could not be written, in one line; nil on success.
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
