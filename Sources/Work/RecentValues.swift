import Synchronization

/// A cache of the values that were used last, by key (LRU).
package final class RecentValues<Key: Equatable & Sendable, Value: Sendable>: Sendable {
  /// The most recently used first.
  private let entries = Mutex<[(key: Key, value: Value)]>([])
  private let capacity: Int

  /// An empty cache of at most `capacity` values.
  package init(capacity: Int) { self.capacity = capacity }

  /// The value of `key`; `make` computes it where it is not cached.
  ///
  /// Concurrent requests of one key may each compute its value.
  /// - Complexity: O(capacity) comparisons of keys.
  package func value<Failure: Error>(
    _ key: Key, make: () throws(Failure) -> Value
  ) throws(Failure) -> Value {
    let known = entries.withLock { entries in
      entries.firstIndex { $0.key == key }.map { index in
        entries.insert(entries.remove(at: index), at: 0)
        return entries[0].value
      }
    }
    if let known { return known }
    let computed = try make()
    entries.withLock { $0 = [(key, computed)] + $0.filter { $0.key != key }.prefix(capacity - 1) }
    return computed
  }

  /// The most recently used value whose key fulfils a condition, which does not count as a use; nil where there is
  /// none.
  package func first(where isWanted: (Key) -> Bool) -> Value? {
    entries.withLock { $0.first { isWanted($0.key) }?.value }
  }

  /// Removes the least recently used value.
  /// - Returns: Whether there was one.
  package func removeLeastRecent() -> Bool { entries.withLock { $0.popLast() != nil } }
}
