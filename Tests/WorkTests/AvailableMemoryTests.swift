import Synchronization
import Testing
import Work

@Test("what can be given back is given back before work is refused for want of memory, and no sooner")
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
