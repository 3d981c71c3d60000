import CMemory
import Foundation
import Synchronization

/// The memory that this process can still allocate, and the handling of shortages.
///
/// Each computation estimates its peak and asks before it begins (``require(_:fraction:subject:_:)``); a refusal is one
/// line. A second check covers what no estimate counted: every allocation is compared with the memory that is left. An
/// allocation that does not fit is served from a reserve, and every computation that polls its ``Cancellation`` stops.
/// When the reserve does not suffice either, the process ends with one line.
package enum AvailableMemory {
  /// Bytes that work may allocate: the minimum of Linux's available memory, the rest of the control groups' limits, and
  /// the rest of the `ulimit`s, less memory that was allocated but not yet written, less a margin for small
  /// allocations.
  ///
  /// The number changes all the time, so it is measured before each large allocation and never cached.
  package static var byteCount: Int { MemoryMeasurement().forWork }

  /// Functions that each evict one cached result that can be computed again.
  private static let evictions = Mutex<[@Sendable () -> Bool]>([])

  /// Registers a cache.
  ///
  /// `evict` is called until the work fits: each call drops one result, and returns false when there is none left.
  package static func onShortage(_ evict: @escaping @Sendable () -> Bool) {
    evictions.withLock { $0.append(evict) }
  }

  /// Refuses work that does not fit in memory, before anything is allocated.
  ///
  /// Caches are evicted first.
  ///
  /// - Parameters:
  ///   - byteCount: Bytes that the work adds to what is allocated, at its peak; nil where an `Int` does not hold the
  ///     count.
  ///   - fraction: The fraction of the available memory that the work may take, 0...1.
  ///   - subject: The file or option that the error names.
  ///   - work: The noun phrase of the error: "its working grid of 4000x5000x3000 voxels".
  ///   - advice: What would need less, after the number that is available.
  /// - Throws: ``InputError`` with both numbers.
  package static func require(
    _ byteCount: Int?, fraction: Double = 1, subject: String, _ work: String, advice: String? = nil
  ) throws(InputError) {
    func limit() -> Int {
      let measurement = MemoryMeasurement()
      measurement.hold()
      return Int(saturating: Double(measurement.forWork) * fraction)
    }
    var available = limit()
    let evictions = evictions.withLock { $0 }
    while let byteCount, byteCount > available, evictions.contains(where: { $0() }) {
      available = limit()
    }
    guard let byteCount, byteCount <= available else {
      throw InputError(
        subject, "\(work) \(fraction < 1 ? InputError.takesMuchMemory : InputError.doesNotFit)",
        // Rounded up, so that the number is never 0.
        found: byteCount.map { "\(($0 - 1) >> 20 + 1) MiB" } ?? "more than any machine has",
        expected: "at most \(available >> 20) MiB" + (advice.map { ": \($0)" } ?? ""))
    }
  }

  /// Refuses a block of `byteCount` bytes that does not fit in memory without the reserve.
  ///
  /// A failed allocation can only end the process, so code asks before it allocates as much as a volume.
  /// - Throws: ``Cancelled``; ``Cancellation/isShortOfMemory`` tells the reason.
  package static func requireAllocation(_ byteCount: Int) throws(Cancelled) {
    guard memory_fits(byteCount) else { throw Cancelled() }
  }

  /// The error of work that stopped because of ``Cancellation/isShortOfMemory``.
  package static let shortage = InputError(
    "memory", "ran out before the work was done", expected: "a smaller image, or a higher limit")

  /// Limits the allocations of the process to the available memory.
  ///
  /// Each call of ``require(_:fraction:subject:_:)`` and ``measure()`` updates the limit.
  ///
  /// - Parameter end: Ends the process when an allocation fails that the reserve does not cover. It is called on any
  ///   thread, must not allocate and must not return.
  package static func enforceLimit(elseEnd end: @escaping @convention(c) () -> Void) {
    memory_on_exhaustion({ AvailableMemory.measure() }, end)
    isHeld.store(true, ordering: .relaxed)
    writtenAtStart.store(MemoryMeasurement.writtenOutsideBlocks, ordering: .relaxed)
    measure()
  }

  /// Updates the limit to the memory that is available now; called when long work begins.
  package static func measure() { MemoryMeasurement().hold() }

  private static let isHeld = Atomic<Bool>(false)

  /// Bytes that were written when the process began and belong to no allocated block: data of libraries, stacks.
  private static let writtenAtStart = Atomic<Int>(0)

  /// A measurement of what this process has allocated and may still allocate.
  private struct MemoryMeasurement {
    /// Bytes that are allocated.
    let allocated = Int(memory_allocated())
    /// Bytes that may still be allocated.
    let free: Int
    /// Bytes that may still be allocated, with the machine's free swap.
    let freeWithSwap: Int

    init() {
      var measured = Self.measured()
      // The allocator's free list is fragmented and need not serve large arrays, so it is trimmed when memory is short.
      if measured.kept > 0, min(measured.shared, measured.own) < Self.trimmingThreshold {
        memory_trim()
        measured = Self.measured()
        measured.kept = min(0, measured.kept)
      }
      free = max(0, min(measured.shared + measured.kept, measured.own))
      freeWithSwap = max(0, min(measured.sharedWithSwap + measured.kept, measured.own))
    }

    /// With more than this many bytes available, the allocator's free list is not trimmed.
    private static let trimmingThreshold = 1 << 30

    /// Bytes that the machine has for this process, without and with swap; bytes in the allocator's free list less
    /// bytes that were allocated but not yet written; bytes that the process's own limits leave.
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

    /// Bytes that were written and belong to no allocated block.
    static var writtenOutsideBlocks: Int { max(0, Status().written - Int(memory_blocks().allocated)) }

    /// Bytes that work may take.
    var forWork: Int { max(0, free - margin) }

    /// Bytes that work leaves free for small allocations and for other processes.
    var margin: Int { max(32 << 20, free / 16) }

    /// Sets the limits to this measurement.
    ///
    /// A quarter of the margin is the reserve. Half of it is for memory that is not counted: stacks, page tables, the
    /// rest of huge pages, the buffers of a BLAS.
    func hold() {
      guard isHeld.load(ordering: .relaxed) else { return }
      memory_set_limits(
        Int64(allocated + max(0, freeWithSwap - margin / 2)), Int64(addressSpaceLimit ?? -1),
        Int64(margin / 4))
    }
  }

  /// Linux's counters of this process, in bytes.
  private struct Status {
    let addressSpace, data, written: Int

    init() {
      func bytes(_ name: String) -> Int { (number(in: "/proc/self/status", name) ?? 0) << 10 }
      (addressSpace, data) = (bytes("VmSize:"), bytes("VmData:"))
      written = bytes("RssAnon:") + bytes("VmSwap:")
    }
  }

  /// The machine's available memory, as Linux defines it, and its free swap, in bytes.
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

  /// The limit of `ulimit -v` in bytes; nil where there is none.
  package static let addressSpaceLimit = limit(RLIMIT_AS)

  /// The limit of `ulimit -d` in bytes; nil where there is none.
  private static let dataLimit = limit(RLIMIT_DATA)

  /// The limit that the process started with; read before the process sets its own.
  private static func limit(_ resource: __rlimit_resource) -> Int? {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0, limit.rlim_cur < UInt64(Int.max)
    else { return nil }
    return Int(limit.rlim_cur)
  }

  /// The files that say what one control group allows, uses and can give up.
  private struct ControlGroup {
    let limit, usage, statistics: String

    /// The bytes that it leaves, cached files counted as free; nil where it has no limit.
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

extension InputError {
  fileprivate static let takesMuchMemory = "takes much memory"
  fileprivate static let doesNotFit = "does not fit in memory"

  /// Whether there was not enough memory for the work, which may succeed where more is free.
  package var isAboutMemory: Bool {
    self == AvailableMemory.shortage
      || [Self.takesMuchMemory, Self.doesNotFit].contains(where: problem.hasSuffix)
  }
}
