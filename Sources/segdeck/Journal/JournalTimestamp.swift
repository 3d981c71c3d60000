import Foundation

/// Formats timestamps of journals.
enum JournalTimestamp {
  /// "14:46", or "2026-01-31 14:46" on another day than `now`; both in seconds since 1970.
  static func text(_ seconds: Double, now: Double = Date.now.timeIntervalSince1970) -> String {
    let day = formatted(seconds, "%Y-%m-%d")
    let time = formatted(seconds, "%H:%M")
    return day == formatted(now, "%Y-%m-%d") ? time : "\(day) \(time)"
  }

  /// The local time in a format of `strftime`; "-" for infinities, NaN and years out of range.
  static func formatted(_ seconds: Double, _ format: String) -> String {
    guard seconds.isFinite, abs(seconds) < 1e11 else { return "-" }
    var time = time_t(seconds)
    var parts = tm()
    localtime_r(&time, &parts)
    var text = [CChar](repeating: 0, count: 64)
    let count = strftime(&text, text.count, format, &parts)
    return String(decoding: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
