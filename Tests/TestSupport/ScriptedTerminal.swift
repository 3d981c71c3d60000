import Screen
import Synchronization

/// A terminal without a terminal: it plays events and keeps the frames that were drawn.
package final class ScriptedTerminal: Terminal {
  package private(set) var size: ScreenSize
  package let capabilities: TerminalCapabilities
  /// Events that are still to come.
  package var events: [TerminalEvent]
  /// Every frame that was drawn, the first one first.
  package private(set) var frames: [Frame] = []
  /// How often `nextEvent` found no event left.
  package private(set) var emptyWaits = 0
  private let wakes = WakeCount()

  /// A terminal that sends `events` one after the other.
  package init(
    rows: Int = 24, columns: Int = 80, events: [TerminalEvent] = [],
    capabilities: TerminalCapabilities = TerminalCapabilities(colourDepth: .indexed256, showsUnicode: true)
  ) {
    size = ScreenSize(rows: rows, columns: columns)
    self.capabilities = capabilities
    self.events = events
  }

  package func draw(_ frame: Frame) { frames.append(frame) }

  package func nextEvent(waitingMilliseconds: Int) -> TerminalEvent? {
    guard !events.isEmpty else {
      emptyWaits += 1
      return nil
    }
    let event = events.removeFirst()
    if case .resize(let rows, let columns) = event { size = ScreenSize(rows: rows, columns: columns) }
    return event
  }

  package var wake: @Sendable () -> Void { { [wakes] in wakes.value.withLock { $0 += 1 } } }

  /// How often `wake` was called.
  package var wakeCount: Int { wakes.value.withLock { $0 } }
}

private final class WakeCount: Sendable {
  let value = Mutex(0)
}
