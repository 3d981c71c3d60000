import Foundation

/// Moments as the journal's readers see them.
enum JournalTimestamp {
  /// "14:46", with the date where it was another day.
  static func text(_ seconds: Double, now: Double = Date.now.timeIntervalSince1970) -> String {
    let day = formatted(seconds, "%Y-%m-%d")
    let time = formatted(seconds, "%H:%M")
    return day == formatted(now, "%Y-%m-%d") ? time : "\(day) \(time)"
  }

  /// The local time in a format of `strftime`; "-" for what is no time.
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
