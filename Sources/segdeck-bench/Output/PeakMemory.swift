import Foundation

/// The peak resident memory of this process since the last reset, as the kernel counts it.
enum PeakMemory {
  /// Resets the peak.
  ///
  /// Where the kernel refuses, the next value is the peak of the process's whole life.
  static func reset() {
    let file = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC)
    guard file >= 0 else { return }
    // 5 sets the peak resident set size to the present one: proc(5).
    _ = write(file, "5", 1)
    close(file)
  }

  /// The peak in megabytes of 2^20 bytes, including the program itself.
  static var megabytes: Double {
    guard let kilobytes = kilobytes("VmHWM:") else { return .nan }
    return (kilobytes / 102.4).rounded() / 10
  }

  /// The current resident memory in bytes, including the program itself.
  static var presentBytes: Int { kilobytes("VmRSS:").map { Int($0) << 10 } ?? 0 }

  private static func kilobytes(_ name: String) -> Double? {
    guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
      let line = status.split(separator: "\n").first(where: { $0.hasPrefix(name) })
    else { return nil }
    return line.split(whereSeparator: { !$0.isNumber }).first.flatMap { Double($0) }
  }
}
