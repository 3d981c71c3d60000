import CMemory
import Foundation
import Synchronization
import Testing
import Work

@Test("caches are evicted before work is refused, and not earlier")
func memoryIsGivenBack() throws {
  let held = Mutex(3)
  AvailableMemory.onShortage {
    held.withLock { held in
      guard held > 0 else { return false }
      held -= 1
      return true
    }
  }
  try AvailableMemory.require(1, subject: "work", "a byte")
  #expect(held.withLock { $0 } == 3)
  #expect(throws: InputError.self) { try AvailableMemory.require(Int.max, subject: "work", "everything") }
  #expect(held.withLock { $0 } == 0)
}

private let mebibyte = 1 << 20

private let lastAddress = Atomic<Int>(0)

/// The same memory, which the compiler must now take for used; it removes an unused allocation.
@inline(never) private func used(_ memory: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  lastAddress.store(Int(bitPattern: memory), ordering: .sequentiallyConsistent)
  return memory
}

@Test("allocations count from their start, before anything is written, until they are freed")
func allocationsAreCounted() async {
  await #expect(processExitsWith: .success) {
    let before = memory_allocated()
    let unwritten = used(.allocate(byteCount: 300 * mebibyte, alignment: 64))
    let during = memory_allocated()
    unwritten?.deallocate()
    let grown = used(realloc(used(malloc(5 * mebibyte)), 200 * mebibyte))
    let whenGrown = memory_allocated()
    free(used(realloc(grown, 10)))
    let mapped = memory_map(100 * mebibyte)
    let whenMapped = memory_allocated()
    memory_unmap(mapped, 100 * mebibyte)
    func isAbout(_ bytes: Int64, _ expected: Int) -> Bool { abs(Int(bytes - before) - expected) < mebibyte }
    guard isAbout(during, 300 * mebibyte), isAbout(whenGrown, 200 * mebibyte),
      isAbout(whenMapped, 100 * mebibyte), isAbout(memory_allocated(), 0)
    else { exit(1) }
  }
}

@Test("an allocation that only the reserve serves succeeds, and stops the work of that time and no later one")
func reserveStopsWork() async {
  await #expect(processExitsWith: .success) {
    let work = Cancellation()
    memory_on_exhaustion(nil) { _exit(7) }
    memory_set_limits(memory_allocated() + Int64(96 * mebibyte), -1, Int64(48 * mebibyte))
    let allowed = [UInt8](repeating: 1, count: 30 * mebibyte)
    guard !work.isRequested else { exit(1) }
    let beyond = [UInt8](repeating: 2, count: 40 * mebibyte)
    guard work.isRequested, work.isShortOfMemory, !Cancellation().isRequested else { exit(2) }
    exit(allowed[5] == 1 && beyond[9] == 2 ? 0 : 3)
  }
}

@Test(
  "an allocation that does not fit ends the process with its handler, or fails where none is set"
)
func exhaustionEndsTheProcess() async {
  await #expect(processExitsWith: .exitCode(7)) {
    memory_on_exhaustion(nil) { _exit(7) }
    memory_set_limits(memory_allocated() + Int64(64 * mebibyte), -1, Int64(16 * mebibyte))
    exit([UInt8](repeating: 1, count: 128 * mebibyte)[5] == 1 ? 0 : 1)
  }
  await #expect(processExitsWith: .exitCode(7)) {
    AvailableMemory.enforceLimit { _exit(7) }
    exit(used(calloc(Int.max, 3)) == nil ? 0 : 1)
  }
  await #expect(processExitsWith: .success) {
    // Without a handler the allocation fails, as in any program.
    exit(used(malloc(Int.max)) == nil ? 0 : 1)
  }
}

@Test("where an allocation does not fit, memory is measured again first")
func roomIsMeasuredAnew() async {
  await #expect(processExitsWith: .success) {
    AvailableMemory.enforceLimit { _exit(7) }
    let work = Cancellation()
    // As if the machine had been full a moment ago.
    memory_set_limits(memory_allocated(), -1, 0)
    let array = [UInt8](repeating: 1, count: 20 * mebibyte)
    exit(array[7] == 1 && !work.isRequested ? 0 : 1)
  }
}

@Test("a limit of the address space is kept, and work is refused before it is reached")
func addressSpaceIsHeld() async {
  await #expect(processExitsWith: .success) {
    let size = 4 << 30
    var limit = rlimit(rlim_cur: rlim_t(size), rlim_max: rlim_t(size))
    guard setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0 else { exit(1) }
    AvailableMemory.enforceLimit { _exit(7) }
    let free = AvailableMemory.byteCount
    guard free < size else { exit(2) }
    let taken = used(.allocate(byteCount: free / 2, alignment: 64))
    defer { taken?.deallocate() }
    let left = AvailableMemory.byteCount
    guard abs(left - free / 2) < free / 8 else { exit(3) }
    guard (try? AvailableMemory.require(left + 64 * mebibyte, subject: "work", "more")) == nil else {
      exit(4)
    }
    exit((try? AvailableMemory.require(left / 2, subject: "work", "half")) == nil ? 5 : 0)
  }
}
