import CKernels
import Work

/// The gradient of a loss with respect to a max-pooling's input: the gradient of each output is added at its argmax
/// index.
///
/// - Parameters:
///   - outputGradient: [N, C, D', H', W'].
///   - argMaxIndices: As ``maxPooling(_:geometry:work:)`` returned them.
///   - reluOutput: The output of a ReLU fused after the pooling, where `outputGradient` is the gradient with respect
///     to it: gradients pass where it is positive. Nil without a ReLU.
///   - inputExtent: Extents of the pooling's input.
/// - Returns: [N, C, D, H, W].
/// - Throws: `Cancelled`.
package func maxPoolingInputGradient(
  _ outputGradient: Tensor, argMaxIndices: [Int32], geometry: PoolingGeometry, reluOutput: Tensor? = nil,
  inputExtent: Extent3, work: WorkContext
) throws(Cancelled) -> Tensor {
  let identity = ScatterCoefficients(
    gate: pointwise_gate(scale: 1, shift: 0), gradientScale: 1, sourceScale: 0, shift: 0)
  return try ArgMaxScatter(
    gradient: outputGradient, argMaxIndices: argMaxIndices, geometry: geometry, inputExtent: inputExtent,
    coefficients: [ScatterCoefficients](repeating: identity, count: outputGradient.channels),
    gated: reluOutput, source: nil
  )(work: work)
}

/// The terms of the gradient of one channel's voxels.
///
/// At the argmax index of each window whose gate is open: `gradientScale` times the window's gradient. At every voxel,
/// where there is a source: `sourceScale` times the source plus `shift`.
struct ScatterCoefficients: Sendable {
  var gate: pointwise_gate
  var gradientScale, sourceScale, shift: Float
}

/// Scatters the gradients of pooled values to the voxels of the pooling's input.
struct ArgMaxScatter {
  /// With respect to the pooled values, [N, C, D', H', W'].
  let gradient: Tensor
  /// For each window the index of its maximum or minimum inside the channel.
  let argMaxIndices: [Int32]
  let geometry: PoolingGeometry
  let inputExtent: Extent3
  /// One per channel.
  let coefficients: [ScatterCoefficients]
  /// The gates' arguments, of the gradient's shape; nil where all gates are open.
  let gated: Tensor?
  /// Multiplied by `sourceScale`, [N, C, D, H, W]; nil where the gradient is 0 except at argmax indices.
  let source: Tensor?

  /// The gradient with respect to the pooling's input, [N, C, D, H, W].
  func callAsFunction(work: WorkContext) throws(Cancelled) -> Tensor {
    precondition(
      argMaxIndices.count == gradient.elements.count && gated?.shape ?? gradient.shape == gradient.shape,
      "\(argMaxIndices.count) argmax indices and values \(gated?.shape ?? []) for a gradient of \(gradient.shape)"
    )
    let extent = inputExtent
    let (planes, is2x2x2) = (gradient.batch * gradient.channels, geometry.is2x2x2)
    return try filledTensor(shape: [gradient.batch, gradient.channels, extent.d, extent.h, extent.w]) {
      target throws(Cancelled) in
      try gradient.elements.withSharedBuffer { gradient throws(Cancelled) in
        try argMaxIndices.withSharedBuffer { argMaxIndices throws(Cancelled) in
          try (gated ?? self.gradient).elements.withSharedBuffer { gated throws(Cancelled) in
            try (source ?? self.gradient).elements.withSharedBuffer { source throws(Cancelled) in
              let channels = ScatterChannels(
                gradient: gradient, argMaxIndices: argMaxIndices, gated: self.gated == nil ? nil : gated,
                source: self.source == nil ? nil : source, target: target, geometry: geometry, extent: extent,
                windows: self.gradient.extent, coefficients: coefficients, level: KernelLevel.current)
              if is2x2x2 {
                let depth = channels.windows.d
                try work.forEach(count: planes * depth) { index, _ in
                  channels.scatterHalved(index / depth, plane: index % depth)
                }
              } else {
                try work.forEach(count: planes) { index, _ in channels.scatter(index) }
              }
            }
          }
        }
      }
    }
  }
}

/// The buffers of an ``ArgMaxScatter``, for the workers of its loops.
private struct ScatterChannels: Sendable {
  let gradient: SharedBuffer<Float>
  let argMaxIndices: SharedBuffer<Int32>
  let gated: SharedBuffer<Float>?
  let source: SharedBuffer<Float>?
  let target: DisjointBuffer<Float>
  let geometry: PoolingGeometry
  let extent, windows: Extent3
  let coefficients: [ScatterCoefficients]
  let level: kernels_level

  /// All windows of one channel of one sample.
  func scatter(_ channel: Int) {
    let terms = coefficients[channel % coefficients.count]
    let (planeSize, pooledPlane) = (extent.h * extent.w, windows.h * windows.w)
    let target = target.start + channel * extent.product
    var written = 0
    for plane in 0..<windows.d {
      // Initialises the planes of these windows just before they are written.
      let end =
        plane + 1 == windows.d
        ? extent.d : geometry.voxels(ofWindow: plane, along: \.d, length: extent.d).upperBound
      if end > written {
        fill(channel, written * planeSize..<end * planeSize)
        written = end
      }
      let first = (channel * windows.d + plane) * pooledPlane
      for window in first..<first + pooledPlane {
        if let gated, !(gated[window] * terms.gate.scale + terms.gate.shift > 0) { continue }
        target[Int(argMaxIndices[window])] += terms.gradientScale * gradient[window]
      }
    }
  }

  /// The 2x2x2 windows of one plane of a channel; for the last plane also the voxels after the last window.
  func scatterHalved(_ channel: Int, plane: Int) {
    let terms = coefficients[channel % coefficients.count]
    let (planeSize, voxels) = (extent.h * extent.w, channel * extent.product)
    for y in 0..<windows.h {
      let window = ((channel * windows.d + plane) * windows.h + y) * windows.w
      var row = pooling_2x2x2_row(
        gradients: gradient.start + window, argmax: argMaxIndices.start + window,
        values: gated.map { $0.start + window }, source: source.map { $0.start + voxels }, gate: terms.gate,
        gradient_scale: terms.gradientScale, source_scale: terms.sourceScale, shift: terms.shift,
        start: 2 * plane * planeSize + 2 * y * extent.w, plane: planeSize, row: extent.w,
        input_width: Int32(extent.w), width: Int32(windows.w))
      pooling_2x2x2_gradient(level, &row, target.start + voxels)
    }
    for z in 2 * plane..<2 * plane + 2 {
      fill(channel, z * planeSize + 2 * windows.h * extent.w..<(z + 1) * planeSize)
    }
    if plane + 1 == windows.d { fill(channel, 2 * windows.d * planeSize..<extent.product) }
  }

  /// The terms of voxels of a channel that do not depend on argmax indices.
  private func fill(_ channel: Int, _ range: Range<Int>) {
    guard !range.isEmpty else { return }
    let terms = coefficients[channel % coefficients.count]
    let start = channel * extent.product + range.lowerBound
    guard let source else { return (target.start + start).initialize(repeating: 0, count: range.count) }
    pointwise_affine(
      level, source.start + start, target.start + start, range.count, terms.sourceScale, terms.shift)
  }
}
