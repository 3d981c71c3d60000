import Work

/// The label of every voxel and the histogram of the labels, which all losses of a batch use.
package struct LabelsWithHistogram: Sendable {
  /// One per voxel, [N, D, H, W].
  package let labels: [UInt8]
  /// The histogram: voxels of each of the 256 labels.
  package let counts: [Int]

  /// Counts `labels`.
  /// - Throws: `Cancelled`.
  package init(_ labels: [UInt8], work: WorkContext) throws(Cancelled) {
    self.labels = labels
    let chunks = Chunks(count: labels.count)
    var parts = [Int](repeating: 0, count: chunks.number * countsPerChunk)
    try labels.withSharedBuffer { labels throws(Cancelled) in
      try parts.withDisjointBuffer { parts throws(Cancelled) in
        try work.forEach(count: chunks.number) { index, _ in
          let range = chunks.range(index)
          count(labels.start + range.lowerBound, range.count, into: parts.start + index * countsPerChunk)
        }
      }
    }
    var counts = [Int](repeating: 0, count: 256)
    for (index, part) in parts.enumerated() { counts[index % 256] += part }
    self.counts = counts
  }
}

/// Two histograms, of voxels of even and odd index, so that successive equal labels do not wait for each other's store.
private let countsPerChunk = 2 * 256

/// Adds the voxels of each label to `counts`.
private func count(_ labels: UnsafePointer<UInt8>, _ count: Int, into counts: UnsafeMutablePointer<Int>) {
  var index = 0
  while index + 8 <= count {
    let eight = UnsafeRawPointer(labels + index).loadUnaligned(as: UInt64.self)
    if eight == (eight & 0xFF) &* 0x0101_0101_0101_0101 {
      counts[Int(eight & 0xFF)] += 8
    } else {
      for byte in 0..<8 { counts[byte % 2 * 256 + Int(eight >> (8 * byte) & 0xFF)] += 1 }
    }
    index += 8
  }
  for label in index..<count { counts[Int(labels[label])] += 1 }
}
