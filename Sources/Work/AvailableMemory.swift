import CMemory
import Foundation
import Synchronization

/// How much memory this process can still take, and what happens where it takes more.
///
/// Work counts what it takes and asks before it begins (``require(_:share:subject:_:)``); the answer is one line. Under
/// that lies a net for what nobody counted: every allocation is held to the memory there is. One that does not fit takes
/// from a reserve, and every computation that polls its ``Cancellation`` stops. Where the reserve does not suffice either,
/// the process ends with one line.
package enum AvailableMemory {
  /// Bytes that work may take: the least of what Linux calls available, what the control groups leave, and what `ulimit`
  /// leaves, without what was allocated and is not written yet, and without a margin for small things.
  ///
  /// It changes from moment to moment, so it is asked before each large allocation and never kept.
  package static var byteCount: Int { Account().forWork }

  /// What gives memory back when work needs it: results that are kept for speed and can be computed again.
  private static let givers = Mutex<[@Sendable () -> Bool]>([])

  /// Has `give` called as often as work would not fit otherwise; it drops one thing, and returns false when it holds none.
  package static func onShortage(_ give: @escaping @Sendable () -> Bool) {
    givers.withLock { $0.append(give) }
  }

  /// Refuses work that cannot fit, before anything is allocated, not even when all that can be given back is.
  ///
  /// - Parameters:
  ///   - byteCount: What the work takes at its peak beside what is allocated already; nil where the count itself does not
  ///     fit in an `Int`.
  ///   - share: How much of the memory there is may be taken.
  ///   - subject: The file or option that asks for it.
  ///   - work: What would be held: "its working grid of 4000x5000x3000 voxels".
  /// - Throws: ``InputError`` with both numbers.
  package static func require(
    _ byteCount: Int?, share: Double = 1, subject: String, _ work: String
  ) throws(InputError) {
    func limit() -> Int {
      let account = Account()
      account.hold()
      return Int(saturating: Double(account.forWork) * share)
    }
    var available = limit()
    let givers = givers.withLock { $0 }
    while let byteCount, byteCount > available, givers.contains(where: { $0() }) {
      available = limit()
    }
    guard let byteCount, byteCount <= available else {
      throw InputError(
        subject, "\(work) \(share < 1 ? "takes much memory" : "does not fit in memory")",
        // Rounded up: what does not fit is more than nothing.
        found: byteCount.map { "\(($0 - 1) >> 20 + 1) MiB" } ?? "more than any machine has",
        expected: "at most \(available >> 20) MiB")
    }
  }

  /// Refuses a block of `byteCount` bytes that memory does not hold now without the reserve; whoever computes stops then as
  /// if asked to, and ``Cancellation/isShortOfMemory`` says why.
  ///
  /// An allocation that fails can only end the process; so what takes as much as a volume asks first.
  package static func serve(_ byteCount: Int) throws(Cancelled) {
    guard memory_serves(byteCount) else { throw Cancelled() }
  }

  /// What work that had to stop says; see ``Cancellation/isShortOfMemory``.
  package static let shortage = InputError(
    "memory", "ran out before the work was done", expected: "a smaller image, or a higher limit")

  /// From now on the process allocates no more than the memory there is, measured anew by each call of
  /// ``require(_:share:subject:_:)`` and ``measure()``.
  ///
  /// - Parameter end: Ends the process where an allocation fails that the reserve does not cover. Called on any thread, it
  ///   may allocate nothing and must not return.
  package static func hold(elseEnd end: @escaping @convention(c) () -> Void) {
    memory_on_exhaustion({ AvailableMemory.measure() }, end)
    isHeld.store(true, ordering: .relaxed)
    writtenAtStart.store(Account.uncounted, ordering: .relaxed)
    measure()
  }

  /// Takes what the machine gives now as the limit, for long work that begins.
  package static func measure() { Account().hold() }

  private static let isHeld = Atomic<Bool>(false)

  /// Bytes that were written when the process began and belong to no block: data of libraries, stacks.
  private static let writtenAtStart = Atomic<Int>(0)

  /// What this process has and may still take, at one moment.
  private struct Account {
    /// Bytes that are allocated.
    let allocated = Int(memory_allocated())
    /// Bytes that may still be.
    let free: Int
    /// The same with what the machine would move to its swap.
    let freeWithSwap: Int

    init() {
      var measured = Self.measured()
      // What was freed and is kept lies in pieces that need not serve large arrays: where there is little it is given back.
      if measured.kept > 0, min(measured.shared, measured.own) < Self.plenty {
        memory_trim()
        measured = Self.measured()
        measured.kept = min(0, measured.kept)
      }
      free = max(0, min(measured.shared + measured.kept, measured.own))
      freeWithSwap = max(0, min(measured.sharedWithSwap + measured.kept, measured.own))
    }

    /// Bytes beyond which memory need not be given back to the machine to be had again.
    private static let plenty = 1 << 30

    /// Bytes that the machine has for this process, in memory and with swap; that it wrote, freed and keeps, less those that
    /// it allocated and has yet to write; and that its own limits leave.
    private static func measured() -> (shared: Int, sharedWithSwap: Int, kept: Int, own: Int) {
      let status = Status()
      let blocks = memory_blocks()
      let own = [
        addressSpaceLimit.map { $0 - status.addressSpace }, dataLimit.map { $0 - status.data },
      ]
      let written = status.written - writtenAtStart.load(ordering: .relaxed)
      let (machine, groups) = (Machine(), controlGroups.compactMap(\.free).min() ?? .max)
      return (
        min(machine.available, groups), min(machine.available + machine.freeSwap, groups),
        min(written - Int(blocks.allocated), Int(blocks.kept)), own.compactMap(\.self).min() ?? .max
      )
    }

    /// Bytes that were written and belong to no block.
    static var uncounted: Int { max(0, Status().written - Int(memory_blocks().allocated)) }

    /// Bytes that work may take.
    var forWork: Int { max(0, free - margin) }

    /// What work leaves free for small things and for what runs beside it.
    var margin: Int { max(32 << 20, free / 16) }

    /// Makes the limits those of this moment.
    ///
    /// A quarter of the margin is the reserve, and half of it is for what is not counted: stacks, page tables, the rest of
    /// huge pages, the buffers of a BLAS.
    func hold() {
      guard isHeld.load(ordering: .relaxed) else { return }
      memory_set_limits(
        Int64(allocated + max(0, freeWithSwap - margin / 2)), Int64(addressSpaceLimit ?? -1),
        Int64(margin / 4))
    }
  }

  /// What Linux counts of this process, in bytes.
  private struct Status {
    let addressSpace, data, written: Int

    init() {
      func bytes(_ name: String) -> Int { (number(in: "/proc/self/status", name) ?? 0) << 10 }
      (addressSpace, data) = (bytes("VmSize:"), bytes("VmData:"))
      written = bytes("RssAnon:") + bytes("VmSwap:")
    }
  }

  /// What Linux calls available of the machine's memory, and its free swap, in bytes.
  private struct Machine {
    let available, freeSwap: Int

    init() {
      available =
        number(in: "/proc/meminfo", "MemAvailable:").map { $0 << 10 }
        ?? Int(clamping: ProcessInfo.processInfo.physicalMemory)
      freeSwap = (number(in: "/proc/meminfo", "SwapFree:") ?? 0) << 10
    }
  }

  /// The number of the line "NAME 123" of a file, or of its first line; nil where there is none, as for "max".
  private static func number(in path: String, _ name: String? = nil) -> Int? {
    let number = name.map { memory_number_in(path, $0) } ?? memory_number_in(path, nil)
    return number < 0 ? nil : Int(number)
  }

  /// What `ulimit -v` allows in all, in bytes; nil where there is no such limit.
  package static let addressSpaceLimit = limit(RLIMIT_AS)

  /// What `ulimit -d` allows in all, in bytes; nil where there is no such limit.
  private static let dataLimit = limit(RLIMIT_DATA)

  /// The limit that the process began with: asked before it sets its own.
  private static func limit(_ resource: __rlimit_resource) -> Int? {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0, limit.rlim_cur < UInt64(Int.max)
    else { return nil }
    return Int(limit.rlim_cur)
  }

  /// The files that say what one control group allows, uses and can give up.
  private struct ControlGroup {
    let limit, usage, statistics: String

    /// What it leaves, cached files counted as free; nil where it has no limit.
    var free: Int? {
      guard let limit = number(in: limit), let used = number(in: usage) else { return nil }
      return max(0, limit - used + (number(in: statistics, "inactive_file ") ?? 0))
    }
  }

  /// The control groups of this process and those above them, of version 2 or 1.
  private static let controlGroups: [ControlGroup] = {
    guard let lines = try? String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8) else { return [] }
    return lines.split(separator: "\n").flatMap { line -> [ControlGroup] in
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { return [] }
      let isSecond = fields[1].isEmpty
      guard isSecond || fields[1].split(separator: ",").contains("memory") else { return [] }
      let root = isSecond ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory"
      let (limit, usage) =
        isSecond ? ("memory.max", "memory.current") : ("memory.limit_in_bytes", "memory.usage_in_bytes")
      let names = fields[2].split(separator: "/")
      return (0...names.count).map { depth in
        let folder = root + names.prefix(depth).map { "/" + $0 }.joined()
        return ControlGroup(
          limit: "\(folder)/\(limit)", usage: "\(folder)/\(usage)", statistics: "\(folder)/memory.stat")
      }
    }
  }()
}
