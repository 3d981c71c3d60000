import Foundation
import Screen
import Synchronization

/// Runs a review on a terminal until it ends.
package enum ReviewSession {
  /// Longest wait when nothing is expected; events and jobs end a wait at once.
  private static let idleMilliseconds = 1000

  /// Opens `request`, shows it on `terminal`, and comes back when the reviewer quits.
  ///
  /// All waiting events of keys and jobs are reduced before the screen is drawn once; nothing here waits for a job.
  /// Jobs that still run at the end are asked to stop and given five seconds.
  ///
  /// - Returns: the line of a failure that ended the session, nil when the reviewer quit.
  package static func run(
    terminal: any Terminal, services: any ReviewServices, request: OpenCaseRequest
  ) -> String? {
    let mailbox = Mailbox(wake: terminal.wake)
    let centre = JobCentre(services: services) { mailbox.put($0) }
    var state = ReviewState(
      request: request, screen: terminal.size, capabilities: terminal.capabilities)
    for effect in state.begin() { centre.perform(effect) }
    terminal.draw(render(state))
    while true {
      var events =
        terminal.nextEvent(waitingMilliseconds: idleMilliseconds).map { [ReviewEvent.terminal($0)] } ?? []
      // Held keys pile up faster than a slow line draws: read them all, then draw once.
      while events.count < 256, events.last != .terminal(.end),
        let event = terminal.nextEvent(waitingMilliseconds: 0)
      {
        events.append(.terminal(event))
      }
      events += mailbox.removeAll()
      for event in events {
        if event == .terminal(.end) { awaitJournal(&state, mailbox, centre) }
        for effect in reduce(&state, event) { centre.perform(effect) }
      }
      if case .ended(let failure) = state.phase {
        // First what must not be lost: nobody knows how long the process still has.
        let unwritten = centre.finishJournal().map { "not everything is in the journal: \($0)" }
        centre.drain(seconds: 5)
        return failure ?? unwritten
      }
      if !events.isEmpty { terminal.draw(render(state)) }
    }
  }

  /// Waits at most five seconds until a journal that is still being opened has recorded the decisions.
  private static func awaitJournal(_ state: inout ReviewState, _ mailbox: Mailbox, _ centre: JobCentre) {
    let end = ContinuousClock.now + .seconds(5)
    while state.journal == .opening, state.unjournalledReason != nil, ContinuousClock.now < end {
      for event in mailbox.removeAll() {
        for effect in reduce(&state, event) { centre.perform(effect) }
      }
      usleep(10_000)
    }
  }
}

/// Events from the threads of jobs, kept until the loop removes them.
private final class Mailbox: Sendable {
  private let events = Mutex<[ReviewEvent]>([])
  private let wake: @Sendable () -> Void

  init(wake: @escaping @Sendable () -> Void) { self.wake = wake }

  func put(_ event: ReviewEvent) {
    events.withLock { $0.append(event) }
    wake()
  }

  func removeAll() -> [ReviewEvent] {
    events.withLock { events in
      defer { events = [] }
      return events
    }
  }
}
