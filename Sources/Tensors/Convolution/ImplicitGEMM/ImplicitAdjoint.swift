import Work

/// The adjoint of a convolution, which is both its input gradient and the transposed convolution, in polyphase form:
/// for every residue of a voxel's index modulo the stride, one convolution with the taps that contribute to it.
struct ImplicitAdjoint: Sendable {
  /// One product for each residue.
  let operation: ImplicitOperation

  /// Packs `weight`, the convolution's [out, in / groups, z, y, x]; results have `in` channels, to which `bias` is added.
  init(
    weight: Tensor, bias: Tensor? = nil, geometry: ConvolutionGeometry,
    activation: PiecewiseLinear = .identity,
    work: WorkContext
  ) throws(Cancelled) {
    let (kernel, stride, groups) = (geometry.kernel, geometry.stride, geometry.groups)
    let (channels, rows) = (weight.shape[0] / groups, weight.shape[1])
    var phases: [ImplicitProduct] = []
    for residue in 0..<stride.product {
      let origin = Extent3(
        residue / stride.w / stride.h, residue / stride.w % stride.h, residue % stride.w)
      let axes = geometry.adjointAxes(origin)
      let taps = axes.z.taps.flatMap { z in
        axes.y.taps.flatMap { y in axes.x.taps.map { x in (z * kernel.h + y) * kernel.w + x } }
      }
      phases.append(
        ImplicitProduct(
          axes: axes, step: Extent3(1), origin: origin, spacing: stride,
          weights: try PackedWeights(
            weight, rows: rows, channels: channels, groups: groups,
            order: .init(rowStride: kernel.product, channelStride: rows * kernel.product, taps: taps),
            work: work)))
    }
    operation = ImplicitOperation(phases, bias: bias, activation: activation)
  }

  /// The adjoint's result on a grid of extents `extent`.
  func apply(_ source: Tensor, extent: Extent3, work: WorkContext) throws(Cancelled) -> Tensor {
    let scratchCount = operation.scratchCount(
      planes: extent.d, input: source.extent, output: extent, channels: source.channels, batch: source.batch,
      threadCount: work.threadCount)
    return try source.withWindow { source throws(Cancelled) in
      try Tensor(shape: [source.batch, operation.rows, extent.d, extent.h, extent.w]) {
        result throws(Cancelled) in
        try withScratch(count: scratchCount) { scratch throws(Cancelled) in
          try operation.run(source, into: result, scratch: scratch, work: work)
        }
      }
    }
  }
}

extension ConvolutionGeometry {
  /// The taps that contribute to input voxels of one residue modulo the stride.
  fileprivate func adjointAxes(_ residue: Extent3) -> (z: TapAxis, y: TapAxis, x: TapAxis) {
    (
      TapAxis(
        residue: residue.d, stride: stride.d, kernel: kernel.d, padding: padding.before.d,
        dilation: dilation.d),
      TapAxis(
        residue: residue.h, stride: stride.h, kernel: kernel.h, padding: padding.before.h,
        dilation: dilation.h),
      TapAxis(
        residue: residue.w, stride: stride.w, kernel: kernel.w, padding: padding.before.w,
        dilation: dilation.w)
    )
  }
}
