import Foundation
import Synchronization
import Work

/// A progress line on stderr, which is overwritten; nothing is shown where stderr is no terminal.
final class ProgressLine: Sendable {
  private let title: String
  private let isShown = isatty(2) == 1
  private let state = Mutex<(percent: Int, start: ContinuousClock.Instant)>((-1, .now))

  init(_ title: String) { self.title = title }

  /// Shows the fraction done, 0...1, at most once per percent.
  func show(_ fraction: Double, _ text: String = "") {
    guard isShown, fraction.isFinite else { return }
    let percent = Int(min(max(fraction, 0), 1) * 100)
    let elapsed: Double? = state.withLock { state in
      guard percent > state.percent || !text.isEmpty else { return nil }
      state.percent = percent
      return (ContinuousClock.now - state.start) / .seconds(1)
    }
    guard let elapsed else { return }
    let filled = String(repeating: "#", count: percent / 5) + String(repeating: ".", count: 20 - percent / 5)
    let left = fraction > 0.02 ? "  \(duration(elapsed / fraction - elapsed)) left" : ""
    let ending = percent == 100 ? "\r\u{1b}[K" : ""
    Console.paint(
      "\r\u{1b}[K\(title.printableLine) [\(filled)] \(percent) %\(left)  \(text.printableLine)\(ending)")
  }
}
