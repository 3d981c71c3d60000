import Work

/// The regions of a sigmoid head, which may overlap: for each channel of its logits the labels whose voxels are in it.
package struct LabelRegions: Hashable, Sendable {
  /// A voxel in relation to a region, for losses.
  enum Target {
    static let outside: UInt8 = 0
    static let inside: UInt8 = 1
    static let ignored: UInt8 = 2
  }

  /// The labels of each region.
  package let labels: [Set<UInt8>]

  package init(_ labels: [Set<UInt8>]) {
    self.labels = labels
  }

  package var count: Int { labels.count }

  /// Voxels of each region that are not ignored, and those of all labels.
  func voxelCounts(of labels: LabelsWithHistogram, ignoredLabel: UInt8?) -> (
    regions: [Int], all: Int
  ) {
    func sum(_ labels: some Sequence<UInt8>, _ counts: [Int]) -> Int {
      labels.reduce(0) { $0 + ($1 == ignoredLabel ? 0 : counts[Int($1)]) }
    }
    return (self.labels.map { sum($0, labels.counts) }, sum(0...255, labels.counts))
  }

  /// Calls `body` in parallel for chunks of every channel of `values`, [N, regions, D, H, W], with each voxel's
  /// ``Target``.
  /// - Returns: For each region what `body` returned, in the order of the voxels.
  /// - Throws: `Cancelled`.
  func map<Part: Sendable>(
    _ values: inout Tensor, labels: [UInt8], ignoredLabel: UInt8?, initial: Part, work: WorkContext,
    _ body:
      @Sendable (
        _ region: Int, _ values: UnsafeMutableBufferPointer<Float>, _ targets: UnsafePointer<UInt8>
      ) -> Part
  ) throws(Cancelled) -> [[Part]] {
    let (regions, voxels, samples) = (count, values.extent.product, values.batch)
    precondition(values.channels == regions, "\(values.channels) channels for \(regions) regions")
    precondition(
      labels.count == samples * voxels, "\(labels.count) labels for \(samples * voxels) voxels")
    let tables = self.labels.map { region in
      (0...255).map { (label: UInt8) -> UInt8 in
        label == ignoredLabel
          ? Target.ignored : region.contains(label) ? Target.inside : Target.outside
      }
    }
    let chunks = Chunks(count: voxels)
    var parts = [Part](repeating: initial, count: samples * regions * chunks.number)
    try values.elements.withDisjointBuffer { elements throws(Cancelled) in
      try parts.withDisjointBuffer { parts throws(Cancelled) in
        try labels.withSharedBuffer { labels throws(Cancelled) in
          try work.forEach(count: samples * regions * chunks.number) { index, _ in
            let (plane, range) = (index / chunks.number, chunks.range(index % chunks.number))
            let (sample, region) = (plane / regions, plane % regions)
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: range.count) { targets in
              let own = labels.start + sample * voxels + range.lowerBound
              for voxel in 0..<range.count { targets[voxel] = tables[region][Int(own[voxel])] }
              parts[index] = body(
                region,
                UnsafeMutableBufferPointer(
                  start: elements.start + plane * voxels + range.lowerBound, count: range.count),
                targets.baseAddress!)
            }
          }
        }
      }
    }
    return (0..<regions).map { region in
      (0..<samples).flatMap { sample in
        let first = (sample * regions + region) * chunks.number
        return parts[first..<first + chunks.number]
      }
    }
  }
}
