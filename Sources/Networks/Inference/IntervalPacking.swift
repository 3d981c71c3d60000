/// A number of floats that is needed from one time to another.
package struct MemoryInterval: Hashable, Sendable {
  /// The length in floats.
  package var count: Int
  /// First and last time at which it is needed.
  package var times: ClosedRange<Int>

  package init(count: Int, times: ClosedRange<Int>) {
    self.count = count
    self.times = times
  }
}

/// Assigns each interval an offset in one arena so that intervals needed at the same time do not overlap.
///
/// Intervals are taken from the largest to the smallest. Each goes into the tightest gap between the packed intervals
/// that overlap it in time, else after them: the greedy rule of Pisarchyk and Lee, "Efficient memory management for
/// deep neural net inference" (2020).
/// - Returns: The offset of each interval, a multiple of 16 floats, and the floats of the arena.
/// - Complexity: O(n² log n).
package func packed(_ intervals: [MemoryInterval]) -> (offsets: [Int], total: Int) {
  func rounded(_ count: Int) -> Int { (count + 15) / 16 * 16 }
  var offsets = [Int](repeating: 0, count: intervals.count)
  var packed: [Int] = []
  var total = 0
  let order = intervals.indices.sorted {
    (intervals[$0].count, $1) > (intervals[$1].count, $0)
  }
  for index in order where intervals[index].count > 0 {
    let size = rounded(intervals[index].count)
    let neighbours = packed.filter { intervals[$0].times.overlaps(intervals[index].times) }
      .sorted { offsets[$0] < offsets[$1] }
    var best: (gap: Int, offset: Int)?
    var end = 0
    for neighbour in neighbours {
      let gap = offsets[neighbour] - end
      if gap >= size, gap < best?.gap ?? .max { best = (gap, end) }
      end = max(end, offsets[neighbour] + rounded(intervals[neighbour].count))
    }
    offsets[index] = best?.offset ?? end
    total = max(total, offsets[index] + size)
    packed.append(index)
  }
  assert(
    packed.allSatisfy { one in
      packed.allSatisfy { other in
        one == other || !intervals[one].times.overlaps(intervals[other].times)
          || offsets[one] + intervals[one].count <= offsets[other]
          || offsets[other] + intervals[other].count <= offsets[one]
      }
    }, "intervals of one time overlap")
  return (offsets, total)
}
