import Testing
import Work

#if DEBUG
  @Test("an element outside a buffer that threads share ends the process in builds that check")
  func elementsAreChecked() async {
    await #expect(processExitsWith: .failure) {
      var numbers = [1, 2, 3]
      numbers.withUnsafeMutableBufferPointer { DisjointBuffer($0)[3] = 4 }
    }
    await #expect(processExitsWith: .failure) {
      let numbers = [1, 2, 3]
      numbers.withUnsafeBufferPointer { #expect(SharedBuffer($0)[-1] == 0) }
    }
  }
#endif
