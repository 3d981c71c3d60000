import CKernels
import Work

/// The gradient of a loss with respect to a max-pooling's input: each output's goes to its winner.
///
/// - Parameters:
///   - outputGradient: [N, C, D', H', W'].
///   - winners: As ``maxPooling(_:geometry:work:)`` returned them.
///   - rectified: What a rectifier made of the maxima, where `outputGradient` is the one by that: it passes where this
///     is positive. Nil without a rectifier.
///   - inputExtent: Extents of the pooling's input.
/// - Returns: [N, C, D, H, W].
/// - Throws: `Cancelled`.
package func maxPoolingInputGradient(
  _ outputGradient: Tensor, winners: [Int32], geometry: PoolingGeometry, rectified: Tensor? = nil,
  inputExtent: Extent3, work: WorkContext
) throws(Cancelled) -> Tensor {
  let asItIs = WinnerSlope(gate: pointwise_gate(factor: 1, offset: 0), factor: 1, slope: 0, offset: 0)
  return try WinnerSpread(
    gradient: outputGradient, winners: winners, geometry: geometry, inputExtent: inputExtent,
    slopes: [WinnerSlope](repeating: asItIs, count: outputGradient.channels), gated: rectified, source: nil
  )(work: work)
}

/// What the voxels of a channel get: `factor` times the gradient by a window, at its winner, where the window's gate is
/// open, and everywhere `slope` times a source, if there is one, plus `offset`.
struct WinnerSlope: Sendable {
  var gate: pointwise_gate
  var factor, slope, offset: Float
}

/// Gradients by the extremes of windows on their way to the voxels.
struct WinnerSpread {
  /// By the extremes, [N, C, D', H', W'].
  let gradient: Tensor
  /// The voxel of each window that is its extreme: the index inside the channel.
  let winners: [Int32]
  let geometry: PoolingGeometry
  let inputExtent: Extent3
  /// One per channel.
  let slopes: [WinnerSlope]
  /// What the gates look at, of the gradient's shape; nil where all are open.
  let gated: Tensor?
  /// What the slopes multiply, [N, C, D, H, W]; nil where only winners get anything.
  let source: Tensor?

  /// The gradient by the voxels, [N, C, D, H, W].
  func callAsFunction(work: WorkContext) throws(Cancelled) -> Tensor {
    precondition(
      winners.count == gradient.elements.count && gated?.shape ?? gradient.shape == gradient.shape,
      "\(winners.count) winners and values \(gated?.shape ?? []) for a gradient of \(gradient.shape)")
    let extent = inputExtent
    let (planes, isHalving) = (gradient.batch * gradient.channels, geometry.isHalving)
    return try filledTensor(shape: [gradient.batch, gradient.channels, extent.d, extent.h, extent.w]) {
      target throws(Cancelled) in
      try gradient.elements.withSharedBuffer { gradient throws(Cancelled) in
        try winners.withSharedBuffer { winners throws(Cancelled) in
          try (gated ?? self.gradient).elements.withSharedBuffer { gated throws(Cancelled) in
            try (source ?? self.gradient).elements.withSharedBuffer { source throws(Cancelled) in
              let channels = SpreadChannels(
                gradient: gradient, winners: winners, gated: self.gated == nil ? nil : gated,
                source: self.source == nil ? nil : source, target: target, geometry: geometry, extent: extent,
                windows: self.gradient.extent, slopes: slopes, level: KernelLevel.current)
              if isHalving {
                let depth = channels.windows.d
                try work.forEach(count: planes * depth) { index, _ in
                  channels.spreadHalved(index / depth, plane: index % depth)
                }
              } else {
                try work.forEach(count: planes) { index, _ in channels.spread(index) }
              }
            }
          }
        }
      }
    }
  }
}

/// The memory of a ``WinnerSpread``, for the workers of its loops.
private struct SpreadChannels: Sendable {
  let gradient: SharedBuffer<Float>
  let winners: SharedBuffer<Int32>
  let gated: SharedBuffer<Float>?
  let source: SharedBuffer<Float>?
  let target: DisjointBuffer<Float>
  let geometry: PoolingGeometry
  let extent, windows: Extent3
  let slopes: [WinnerSlope]
  let level: kernels_level

  /// All windows of one channel of one sample.
  func spread(_ channel: Int) {
    let slope = slopes[channel % slopes.count]
    let (planeSize, pooledPlane) = (extent.h * extent.w, windows.h * windows.w)
    let target = target.start + channel * extent.product
    var written = 0
    for plane in 0..<windows.d {
      // The planes that these windows may name, just before they are needed.
      let end =
        plane + 1 == windows.d ? extent.d : min(extent.d, plane * geometry.stride.d + geometry.kernel.d)
      if end > written {
        fill(channel, written * planeSize..<end * planeSize)
        written = end
      }
      let first = (channel * windows.d + plane) * pooledPlane
      for window in first..<first + pooledPlane {
        if let gated, !(gated[window] * slope.gate.factor + slope.gate.offset > 0) { continue }
        target[Int(winners[window])] += slope.factor * gradient[window]
      }
    }
  }

  /// The windows of one plane of a channel, which do not overlap; those of the last plane with what lies behind it.
  func spreadHalved(_ channel: Int, plane: Int) {
    let slope = slopes[channel % slopes.count]
    let (planeSize, voxels) = (extent.h * extent.w, channel * extent.product)
    for y in 0..<windows.h {
      let window = ((channel * windows.d + plane) * windows.h + y) * windows.w
      var row = halving_row(
        gradients: gradient.start + window, winners: winners.start + window,
        values: gated.map { $0.start + window }, source: source.map { $0.start + voxels }, gate: slope.gate,
        factor: slope.factor, slope: slope.slope, offset: slope.offset,
        start: 2 * plane * planeSize + 2 * y * extent.w, plane: planeSize, row: extent.w,
        input_width: Int32(extent.w), width: Int32(windows.w))
      pooling_halving_spread(level, &row, target.start + voxels)
    }
    for z in 2 * plane..<2 * plane + 2 {
      fill(channel, z * planeSize + 2 * windows.h * extent.w..<(z + 1) * planeSize)
    }
    if plane + 1 == windows.d { fill(channel, 2 * windows.d * planeSize..<extent.product) }
  }

  /// Voxels of a channel without what goes to winners.
  private func fill(_ channel: Int, _ range: Range<Int>) {
    guard !range.isEmpty else { return }
    let slope = slopes[channel % slopes.count]
    let start = channel * extent.product + range.lowerBound
    guard let source else { return (target.start + start).initialize(repeating: 0, count: range.count) }
    pointwise_affine(
      level, source.start + start, target.start + start, range.count, slope.slope, slope.offset)
  }
}
