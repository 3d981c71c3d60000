import Work

/// A copy of an activation with zeros around it, so that every tap of every voxel is found at a fixed
/// distance in memory.
struct PaddedSource: Sendable {
  /// Zeros before each axis.
  let before: Extent3
  /// Extents with the zeros.
  let extent: Extent3
  /// Channels of one sample.
  let channels: Int
  /// [N, C, extent], and some floats that panels may read beyond it.
  let elements: [Float]

  /// Copies `source` with zeros `before` and `after` each axis; negative ones leave voxels out after an axis.
  init(_ source: Tensor, before: Extent3, after: Extent3, work: WorkContext) throws(Cancelled) {
    let inner = source.extent
    let extent = Extent3(
      inner.d + before.d + after.d, inner.h + before.h + after.h, inner.w + before.w + after.w)
    let planes = source.batch * source.channels * extent.d
    let (planeSize, slack) = (extent.h * extent.w, 64)
    var cancelled: Cancelled?
    elements = [Float](unsafeUninitializedCapacity: planes * planeSize + slack) { buffer, count in
      adviseHugePages(UnsafeMutableRawBufferPointer(buffer))
      (buffer.baseAddress! + planes * planeSize).initialize(repeating: 0, count: slack)
      count = planes * planeSize + slack
      let target = DisjointBuffer(buffer)
      do throws(Cancelled) {
        try source.elements.withSharedBuffer { elements throws(Cancelled) in
          try work.forEach(count: planes) { plane, _ in
            let start = target.start + plane * planeSize
            start.initialize(repeating: 0, count: planeSize)
            let z = plane % extent.d - before.d
            guard z >= 0, z < inner.d else { return }
            let from = elements.start + (plane / extent.d * inner.d + z) * inner.h * inner.w
            for y in 0..<min(inner.h, extent.h - before.h) {
              (start + (y + before.h) * extent.w + before.w).update(
                from: from + y * inner.w, count: min(inner.w, extent.w - before.w))
            }
          }
        }
      } catch {
        cancelled = error
        buffer.initialize(repeating: 0)
      }
    }
    if let cancelled { throw cancelled }
    self.before = before
    self.extent = extent
    channels = source.channels
  }
}
