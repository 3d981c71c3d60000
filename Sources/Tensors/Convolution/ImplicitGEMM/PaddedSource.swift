import Work

/// A zero-padded copy of planes of an activation, in which every tap of every voxel has a fixed offset.
struct PaddedSource: Sendable {
  /// Index of the source's plane in the first plane of the copy; negative where that is padding.
  let firstPlane: Int
  /// Extents with the padding.
  let extent: Extent3
  /// Channels of one sample.
  let channels: Int
  /// [N, C, extent] and ``slack`` floats.
  let memory: DisjointBuffer<Float>
  /// Floats of the memory in use.
  let count: Int

  /// Floats after the last voxel that panels may read.
  private static let slack = 64

  /// Floats of a copy of these extents.
  static func count(extent: Extent3, channels: Int, batch: Int) -> Int {
    (batch * channels * extent.product + slack + 15) / 16 * 16
  }

  /// Copies `planes` of `source` to `memory` with `before` zeros before each axis and zeros after it up to `extent`;
  /// voxels beyond `extent` are not copied.
  init(
    _ source: ActivationWindow, planes: Range<Int>, before: Extent3, extent: Extent3,
    memory: DisjointBuffer<Float>, work: WorkContext
  ) throws(Cancelled) {
    let count = Self.count(extent: extent, channels: source.channels, batch: source.batch)
    precondition(memory.count >= count, "\(memory.count) floats for a copy of \(count)")
    let copies = source.batch * source.channels * extent.d
    let inner = source.extent
    let planeSize = extent.h * extent.w
    (memory.start + copies * planeSize).initialize(repeating: 0, count: count - copies * planeSize)
    try work.withoutProgress.forEach(count: copies) { copy, _ in
      let target = memory.start + copy * planeSize
      target.initialize(repeating: 0, count: planeSize)
      let z = planes.lowerBound + copy % extent.d
      guard z >= 0, z < inner.d else { return }
      let channel = copy / extent.d
      let from =
        source.start(sample: channel / source.channels, channel: channel % source.channels)
        + (z - source.planes.lowerBound) * source.planeStride
      for y in 0..<min(inner.h, extent.h - before.h) {
        (target + (y + before.h) * extent.w + before.w).update(
          from: from + y * inner.w, count: min(inner.w, extent.w - before.w))
      }
    }
    firstPlane = planes.lowerBound
    self.extent = extent
    channels = source.channels
    self.memory = memory
    self.count = count
  }
}
