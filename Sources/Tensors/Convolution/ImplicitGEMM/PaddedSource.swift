import Work

/// A copy of planes of an activation with zeros around them, so that every tap of every voxel is found at a fixed
/// distance in memory.
struct PaddedSource: Sendable {
  /// The source's plane that the first plane of the copy holds; negative ones are zeros before it.
  let firstPlane: Int
  /// Extents with the zeros.
  let extent: Extent3
  /// Channels of one sample.
  let channels: Int
  /// [N, C, extent], and some floats that panels may read beyond it.
  let memory: DisjointBuffer<Float>
  /// Floats of the memory that it takes.
  let count: Int

  /// Floats that panels may read beyond the last voxel.
  private static let slack = 64

  /// Floats of a copy of these extents.
  static func count(extent: Extent3, channels: Int, batch: Int) -> Int {
    (batch * channels * extent.product + slack + 15) / 16 * 16
  }

  /// Copies `planes` of `source` to `memory` with zeros before each axis and, up to `extent`, after it; voxels
  /// beyond `extent` are left out.
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
    try work.silent.forEach(count: copies) { copy, _ in
      let target = memory.start + copy * planeSize
      target.initialize(repeating: 0, count: planeSize)
      let z = planes.lowerBound + copy % extent.d
      guard z >= 0, z < inner.d else { return }
      let channel = copy / extent.d
      let from =
        source.start(item: channel / source.channels, channel: channel % source.channels)
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
