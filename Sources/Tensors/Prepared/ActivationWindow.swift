import Work

/// A view of consecutive planes of an activation [N, C, D, H, W] in memory.
///
/// A prepared operation reads one window and writes another. A window of all planes is the whole activation; smaller
/// windows let a network compute an image slab by slab. Rows and planes are contiguous, channels are `channelStride`
/// floats apart; memory between the last plane of a channel and the first of the next is not part of the window.
package struct ActivationWindow: Sendable {
  /// The number of samples.
  package let batch: Int
  /// Channels of each sample.
  package let channels: Int
  /// Extents of the whole activation.
  package let extent: Extent3
  /// The planes, along depth, that the window holds.
  package let planes: Range<Int>
  /// Floats from a channel to the next, at least `planes.count * extent.h * extent.w`.
  package let channelStride: Int
  /// Floats from a sample to the next, at least `channels * channelStride`.
  package let sampleStride: Int
  /// The memory, from the first plane of the first channel to the last plane of the last one at least.
  package let memory: DisjointBuffer<Float>

  /// A window over `memory`; by default its channels and its samples are contiguous.
  package init(
    batch: Int, channels: Int, extent: Extent3, planes: Range<Int>, channelStride: Int? = nil,
    sampleStride: Int? = nil, memory: DisjointBuffer<Float>
  ) {
    self.batch = batch
    self.channels = channels
    self.extent = extent
    self.planes = planes
    self.channelStride = channelStride ?? planes.count * extent.h * extent.w
    self.sampleStride = sampleStride ?? channels * self.channelStride
    self.memory = memory
    let channelFloats = planes.count * extent.h * extent.w
    precondition(
      planes.lowerBound >= 0 && planes.upperBound <= extent.d && self.channelStride >= channelFloats
        && self.sampleStride >= channels * self.channelStride
        && memory.count >= (batch - 1) * self.sampleStride + (channels - 1) * self.channelStride
          + channelFloats,
      "planes \(planes) of [\(batch), \(channels), \(extent)] in \(memory.count) floats")
  }

  /// Floats of one plane of one channel.
  package var planeStride: Int { extent.h * extent.w }

  /// The first held voxel of a channel: plane `planes.lowerBound`, row 0, column 0.
  package func start(sample: Int, channel: Int) -> UnsafeMutablePointer<Float> {
    assert(
      (0..<batch).contains(sample) && (0..<channels).contains(channel),
      "sample \(sample), channel \(channel) of [\(batch), \(channels)]")
    return memory.start + sample * sampleStride + channel * channelStride
  }

  /// The window of some channels, in the same memory.
  package func channels(_ range: Range<Int>) -> ActivationWindow {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= channels,
      "channels \(range) of [\(batch), \(channels)]")
    let offset = range.lowerBound * channelStride
    return ActivationWindow(
      batch: batch, channels: range.count, extent: extent, planes: planes, channelStride: channelStride,
      sampleStride: sampleStride,
      memory: DisjointBuffer(
        UnsafeMutableBufferPointer(start: memory.start + offset, count: memory.count - offset)))
  }

  /// The window of some of these planes, in the same memory.
  package func part(_ part: Range<Int>) -> ActivationWindow {
    precondition(
      part.lowerBound >= planes.lowerBound && part.upperBound <= planes.upperBound,
      "planes \(part) of a window of \(planes)")
    let offset = (part.lowerBound - planes.lowerBound) * planeStride
    return ActivationWindow(
      batch: batch, channels: channels, extent: extent, planes: part, channelStride: channelStride,
      sampleStride: sampleStride,
      memory: DisjointBuffer(
        UnsafeMutableBufferPointer(start: memory.start + offset, count: memory.count - offset)))
  }
}

extension Tensor {
  /// Lends this activation [N, C, D, H, W] as a window of all its planes, which must only be read.
  package func withWindow<Result>(
    _ body: (ActivationWindow) throws(Cancelled) -> Result
  ) throws(Cancelled) -> Result {
    try elements.withUnsafeBufferPointer { buffer throws(Cancelled) in
      try body(
        ActivationWindow(
          batch: batch, channels: channels, extent: extent, planes: 0..<extent.d,
          memory: DisjointBuffer(UnsafeMutableBufferPointer(mutating: buffer))))
    }
  }

  /// An activation of `shape` [N, C, D, H, W] that `fill` writes completely through a window, unless it is cancelled.
  package init(
    shape: [Int], filledThrough fill: (ActivationWindow) throws(Cancelled) -> Void
  ) throws(Cancelled) {
    self = try filledTensor(shape: shape) { memory throws(Cancelled) in
      let extent = Extent3(shape[2], shape[3], shape[4])
      try fill(
        ActivationWindow(
          batch: shape[0], channels: shape[1], extent: extent, planes: 0..<extent.d, memory: memory))
    }
  }
}
