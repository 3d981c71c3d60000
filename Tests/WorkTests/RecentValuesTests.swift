import Testing
import Work

/// The keys, of these, that are cached; the others are added.
private func isCached(_ key: Int, in cache: RecentValues<Int, String>) -> Bool {
  var isCached = true
  _ = cache.value(key) {
    isCached = false
    return "\(key)"
  }
  return isCached
}

@Suite struct RecentValuesTests {
  @Test("a value is computed once, until more recent values fill the cache")
  func capacity() {
    let cache = RecentValues<Int, String>(capacity: 2)
    #expect(
      [1, 1, 2, 1, 3, 1, 2].map { isCached($0, in: cache) } == [false, true, false, true, false, true, false])
  }

  @Test("under memory pressure the least recently used value is evicted first, not the oldest")
  func pressure() {
    let cache = RecentValues<Int, String>(capacity: 3)
    for key in [1, 2, 3, 1] { _ = isCached(key, in: cache) }
    #expect(cache.removeLeastRecent())
    #expect(cache.first { $0 == 2 } == nil)
    #expect(cache.removeLeastRecent())
    #expect(cache.first { $0 == 3 } == nil)
    #expect(cache.first { _ in true } == "1")
    #expect(cache.removeLeastRecent())
    #expect(!cache.removeLeastRecent())
  }
}
