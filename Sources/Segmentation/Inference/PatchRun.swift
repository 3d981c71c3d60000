import Networks
import Tensors
import Work

/// A run of a network in patches of an image.
struct PatchRun: Sendable {
  let plan: PatchPlan
  let network: Network

  /// Patches that run together, by their numbers along each axis, and the axes along which they are mirrored.
  private struct Batch: Sendable {
    let z: Range<Int>
    let y, x: Int
    let mirrored: Set<Axis>
  }

  /// Runs the network on one image.
  ///
  /// - Parameters:
  ///   - fetch: Writes the planes of the image that the window names, which has the image's own extents; called for each batch
  ///     of patches along z, in order.
  ///   - deliver: Receives windows of the mean logits of each head of the plan, the same planes of all heads, in order; the
  ///     windows may only be read, and only during the call.
  /// - Throws: ``Cancelled``, and the errors of `fetch` and `deliver`.
  func run(
    work: WorkContext, fetch: (ActivationWindow, WorkContext) throws -> Void,
    deliver: ([ActivationWindow], WorkContext) throws -> Void
  ) throws {
    let floats = plan.size.i * plan.size.j * plan.planeCount
    var image = try [Float](checkedRepeating: 0, count: plan.channelCount * floats)
    var sums = try [Float](checkedRepeating: 0, count: plan.logitChannelCount * floats)
    let mirrorings = plan.tiling.mirrorings
    var done = 0
    try image.withUnsafeMutableBufferPointer { image in
      try sums.withUnsafeMutableBufferPointer { sums in
        let (image, sums) = (DisjointBuffer(image), DisjointBuffer(sums))
        for z in plan.batches {
          let planes =
            plan.z.voxels(ofPatch: z.lowerBound)
            .lowerBound..<plan.z.voxels(ofPatch: z.upperBound - 1).upperBound
          let window = self.window(planes, channels: plan.channelCount, in: image)
          try fetch(window, work.withoutProgress)
          for y in plan.y.starts.indices {
            for x in plan.x.starts.indices {
              for mirrored in mirrorings {
                let part = Double(done) / Double(plan.runCount)...Double(done + 1) / Double(plan.runCount)
                let batch = Batch(z: z, y: y, x: x, mirrored: mirrored)
                let logits = try network.logits(
                  of: input(batch, of: window, work: work), heads: plan.heads, plan: plan.network,
                  work: work.part(part))
                for (head, logits) in logits.enumerated() {
                  try add(
                    logits, of: batch, to: self.window(planes, head: head, in: sums), work: work)
                }
                done += 1
              }
            }
          }
          let finished = planes.lowerBound..<plan.z.finishedVoxels(ofPatch: z.upperBound - 1).upperBound
          try deliver(
            plan.heads.indices.map { self.window(planes, head: $0, in: sums).part(finished) },
            work.withoutProgress)
          try removePlanes(finished.count, of: planes.count, from: sums, work: work)
        }
      }
    }
  }

  /// The mean logits [1, channels, D, H, W] of the plan's first head on an image [1, C, D, H, W] that is in memory as a whole.
  /// - Throws: ``Cancelled``.
  func logits(of image: Tensor, work: WorkContext) throws -> Tensor {
    precondition(
      image.shape == [1, plan.channelCount, extent.d, extent.h, extent.w], "\(image.shape) for \(extent)")
    var logits = Tensor(shape: [1, plan.logitChannels[0], extent.d, extent.h, extent.w])
    let (planeStride, channelStride) = (extent.h * extent.w, extent.product)
    try run(
      work: work,
      fetch: { window, _ in
        image.elements.withUnsafeBufferPointer { source in
          for channel in 0..<window.channels {
            let first = channel * channelStride + window.planes.lowerBound * planeStride
            window.start(sample: 0, channel: channel)
              .update(from: SharedBuffer(source).start + first, count: window.planes.count * planeStride)
          }
        }
      },
      deliver: { heads, _ in
        let window = heads[0]
        logits.elements.withUnsafeMutableBufferPointer { target in
          for channel in 0..<window.channels {
            (DisjointBuffer(target).start + channel * channelStride + window.planes.lowerBound * planeStride)
              .update(
                from: window.start(sample: 0, channel: channel), count: window.planes.count * planeStride)
          }
        }
      })
    return logits
  }

  private var extent: Extent3 { Extent3(plan.size.k, plan.size.j, plan.size.i) }

  /// The window of `planes` of all channels in memory for ``PatchPlan/planeCount`` planes.
  private func window(_ planes: Range<Int>, channels: Int, in memory: DisjointBuffer<Float>)
    -> ActivationWindow
  {
    ActivationWindow(
      batch: 1, channels: channels, extent: extent, planes: planes,
      channelStride: plan.planeCount * extent.h * extent.w, memory: memory)
  }

  /// The window of `planes` of a head's sums.
  private func window(_ planes: Range<Int>, head: Int, in sums: DisjointBuffer<Float>) -> ActivationWindow {
    let first = plan.logitChannels[..<head].reduce(0, +)
    return window(planes, channels: plan.logitChannelCount, in: sums)
      .channels(first..<first + plan.logitChannels[head])
  }

  /// Patches of the image as the network's input; zeros where the last batch has fewer.
  private func input(
    _ batch: Batch, of image: ActivationWindow, work: WorkContext
  ) throws(Cancelled) -> Tensor {
    let size = plan.tiling.extent
    let (columns, start) = (plan.x.voxels(ofPatch: batch.x), plan.x.starts[batch.x])
    return try Tensor(shape: [plan.batch, image.channels, size.d, size.h, size.w]) {
      input throws(Cancelled) in
      try work.withoutProgress.forEach(count: plan.batch * image.channels * size.d) { index, _ in
        let (sample, rest) = (index / (image.channels * size.d), index % (image.channels * size.d))
        let (channel, plane) = (rest / size.d, rest % size.d)
        let first = input.start(sample: sample, channel: channel) + plane * size.h * size.w
        guard sample < batch.z.count else {
          return first.update(repeating: 0, count: size.h * size.w)
        }
        let z =
          plan.z.starts[batch.z.lowerBound + sample]
          + (batch.mirrored.contains(.d) ? size.d - 1 - plane : plane)
        for row in 0..<size.h {
          let y = plan.y.starts[batch.y] + (batch.mirrored.contains(.h) ? size.h - 1 - row : row)
          var target = UnsafeMutableBufferPointer(start: first + row * size.w, count: size.w)
          guard image.planes.contains(z), (0..<extent.h).contains(y) else {
            target.update(repeating: plan.tiling.padding)
            continue
          }
          let source =
            image.start(sample: 0, channel: channel)
            + ((z - image.planes.lowerBound) * extent.h + y) * extent.w
          for x in 0..<size.w {
            target[x] = columns.contains(start + x) ? source[start + x] : plan.tiling.padding
          }
          if batch.mirrored.contains(.w) { target.reverse() }
        }
      }
    }
  }

  /// Adds the logits of patches [N, C, D, H, W], times their fractions of the mean, to the sums of a head.
  private func add(
    _ logits: Tensor, of batch: Batch, to sums: ActivationWindow, work: WorkContext
  ) throws(Cancelled) {
    let size = plan.tiling.extent
    precondition(
      logits.extent == size && logits.channels == sums.channels && logits.batch == plan.batch,
      "logits \(logits.shape) of patches of \(size), \(sums.channels) channels")
    let (columns, start) = (plan.x.voxels(ofPatch: batch.x), plan.x.starts[batch.x])
    let (rows, firstRow) = (plan.y.voxels(ofPatch: batch.y), plan.y.starts[batch.y])
    let alongY = plan.y.fractions[batch.y]
    let alongX = plan.x.fractions[batch.x]
    let share = 1 / Float(plan.tiling.mirrorings.count)
    try logits.withWindow { logits throws(Cancelled) in
      for (sample, z) in batch.z.enumerated() {
        let planes = plan.z.voxels(ofPatch: z)
        let (firstPlane, alongZ) = (plan.z.starts[z], plan.z.fractions[z])
        try work.withoutProgress.forEach(count: sums.channels * planes.count) { index, _ in
          let (channel, plane) = (index / planes.count, planes.lowerBound + index % planes.count)
          let offset = plane - firstPlane
          let sourcePlane = batch.mirrored.contains(.d) ? size.d - 1 - offset : offset
          for y in rows {
            let fraction = share * alongZ[offset] * alongY[y - firstRow]
            let sourceRow = batch.mirrored.contains(.h) ? size.h - 1 - (y - firstRow) : y - firstRow
            let source =
              logits.start(sample: sample, channel: channel) + (sourcePlane * size.h + sourceRow) * size.w
            let target =
              sums.start(sample: 0, channel: channel)
              + ((plane - sums.planes.lowerBound) * extent.h + y) * extent.w
            if batch.mirrored.contains(.w) {
              for x in columns {
                target[x] += fraction * alongX[x - start] * source[size.w - 1 - (x - start)]
              }
            } else {
              for x in columns { target[x] += fraction * alongX[x - start] * source[x - start] }
            }
          }
        }
      }
    }
  }

  /// Moves the planes after the first `count` to the front of the sums and sets all others to 0.
  private func removePlanes(
    _ count: Int, of held: Int, from sums: DisjointBuffer<Float>, work: WorkContext
  ) throws(Cancelled) {
    let planeStride = extent.h * extent.w
    let kept = (held - count) * planeStride
    try work.withoutProgress.forEach(count: plan.logitChannelCount) { channel, _ in
      let start = sums.start + channel * plan.planeCount * planeStride
      start.update(from: start + count * planeStride, count: kept)
      (start + kept).update(repeating: 0, count: plan.planeCount * planeStride - kept)
    }
  }
}
