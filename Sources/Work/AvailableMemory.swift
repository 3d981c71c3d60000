import Foundation
import Synchronization

/// How much memory this process can still take.
package enum AvailableMemory {
  /// Bytes: the least of what Linux calls available, what the control groups leave, and what `ulimit -v` leaves.
  ///
  /// It changes from moment to moment, so it is asked before each large allocation and never kept.
  package static var byteCount: Int {
    [machine, controlGroups, addressSpace].compactMap(\.self).min()
      ?? Int(clamping: ProcessInfo.processInfo.physicalMemory)
  }

  /// What gives memory back when work needs it: results that are kept for speed and can be computed again.
  private static let givers = Mutex<[@Sendable () -> Bool]>([])

  /// Has `give` called as often as work would not fit otherwise; it drops one thing, and returns false when it holds none.
  package static func onShortage(_ give: @escaping @Sendable () -> Bool) {
    givers.withLock { $0.append(give) }
  }

  /// What is left free for small things.
  private static let uncountedByteCount = 24 << 20

  /// Refuses work that cannot fit, before anything is allocated, not even when all that can be given back is.
  ///
  /// - Parameters:
  ///   - byteCount: What the work takes at its peak; nil where the count itself does not fit in an `Int`.
  ///   - share: How much of the memory there is may be taken.
  ///   - subject: The file or option that asks for it.
  ///   - work: What would be held: "its working grid of 4000x5000x3000 voxels".
  /// - Throws: ``InputError`` with both numbers.
  package static func require(
    _ byteCount: Int?, share: Double = 1, subject: String, _ work: String
  ) throws(InputError) {
    func limit() -> Int {
      let free = self.byteCount
      // What is too small to be counted, here and in what runs beside it, must fit as well.
      return Int(saturating: Double(max(0, free - max(uncountedByteCount, free / 16))) * share)
    }
    var available = limit()
    let givers = givers.withLock { $0 }
    while let byteCount, byteCount > available, givers.contains(where: { $0() }) {
      available = limit()
    }
    guard let byteCount, byteCount <= available else {
      throw InputError(
        subject, "\(work) \(share < 1 ? "takes much memory" : "does not fit in memory")",
        found: byteCount.map(megabytes) ?? "more than any machine has",
        expected: "at most \(megabytes(available))")
    }
  }

  private static func megabytes(_ bytes: Int) -> String { "\(bytes >> 20) MiB" }

  private static func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }

  /// The number of a line "NAME: 123 kB" or "NAME 123".
  private static func number(_ name: String, in text: String) -> Int? {
    for line in text.split(separator: "\n") where line.hasPrefix(name) {
      return line.split { $0 == " " || $0 == "\t" }.dropFirst().first.flatMap { Int($0) }
    }
    return nil
  }

  private static var machine: Int? {
    text("/proc/meminfo").flatMap { number("MemAvailable:", in: $0) }.map { $0 << 10 }
  }

  /// What `ulimit -v` allows in all, in bytes; nil where there is no such limit.
  package static var addressSpaceLimit: Int? {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0, limit.rlim_cur < UInt64(Int.max)
    else { return nil }
    return Int(limit.rlim_cur)
  }

  private static var addressSpace: Int? {
    guard let limit = addressSpaceLimit,
      let used = text("/proc/self/status").flatMap({ number("VmSize:", in: $0) })
    else { return nil }
    return max(0, limit - used << 10)
  }

  /// What the tightest of this process's control groups leaves, of version 2 or 1; cached files count as free.
  private static var controlGroups: Int? {
    guard let lines = text("/proc/self/cgroup") else { return nil }
    var least: Int?
    for line in lines.split(separator: "\n") {
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { continue }
      let isSecond = fields[1].isEmpty
      guard isSecond || fields[1].split(separator: ",").contains("memory") else { continue }
      let root = isSecond ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory"
      let (limit, usage) =
        isSecond ? ("memory.max", "memory.current") : ("memory.limit_in_bytes", "memory.usage_in_bytes")
      var names = fields[2].split(separator: "/")
      while true {
        let folder = root + names.map { "/" + $0 }.joined()
        if let bound = text("\(folder)/\(limit)").flatMap({ Int($0.filter { !$0.isWhitespace }) }),
          let used = text("\(folder)/\(usage)").flatMap({ Int($0.filter { !$0.isWhitespace }) })
        {
          let cached = text("\(folder)/memory.stat").flatMap { number("inactive_file", in: $0) } ?? 0
          least = min(least ?? .max, max(0, bound - used + cached))
        }
        if names.isEmpty { break }
        names.removeLast()
      }
    }
    return least
  }
}
