import Dispatch
import Synchronization

/// A place for one element, which one thread puts and others take: who puts waits until the place is free, so that work is
/// prepared one element ahead.
final class HandOver<Element: Sendable>: Sendable {
  private let place = Mutex<Element?>(nil)
  private let free = DispatchSemaphore(value: 0)
  private let filled = DispatchSemaphore(value: 0)

  /// An empty place.
  init() {
    // A semaphore must not end below the value that it was made with.
    free.signal()
  }

  /// Puts an element once the place is free.
  func put(_ element: Element) {
    free.wait()
    place.withLock { $0 = element }
    filled.signal()
  }

  /// Says that no element follows; all elements that were put are taken first.
  func close() {
    free.wait()
    filled.signal()
  }

  /// The next element; nil after ``close()``, for everyone who asks.
  func take() -> Element? {
    filled.wait()
    let element = place.withLock { place in
      defer { place = nil }
      return place
    }
    if element == nil { filled.signal() } else { free.signal() }
    return element
  }
}
