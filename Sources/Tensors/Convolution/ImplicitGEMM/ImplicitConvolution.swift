import Work

/// Convolution by panels of a column matrix: any kernel, stride, padding and dilation.
struct ImplicitConvolution: Sendable {
  private let product: ImplicitProduct
  private let geometry: ConvolutionGeometry

  /// Packs `weight`, [out, in, z, y, x].
  init(weight: Tensor, geometry: ConvolutionGeometry, work: WorkContext) throws(Cancelled) {
    let (rows, channels, taps) = (weight.shape[0], weight.shape[1], geometry.kernel.product)
    self.geometry = geometry
    product = ImplicitProduct(
      axes: geometry.tapAxes, step: geometry.stride, origin: Extent3(0), spacing: Extent3(1),
      weights: try PackedWeights(
        weight, rows: rows, channels: channels,
        order: .init(rowStride: channels * taps, channelStride: taps, taps: Array(0..<taps)), work: work))
  }

  /// The convolution of `input`; see ``convolution(_:weight:bias:geometry:rectifies:work:)``.
  func apply(
    _ input: Tensor, bias: Tensor?, rectifies: Bool, work: WorkContext
  ) throws(Cancelled) -> Tensor {
    let extent = outputExtent(of: geometry, input: input.extent)
    return try filledTensor(shape: [input.batch, product.weights.rows, extent.d, extent.h, extent.w]) {
      destination throws(Cancelled) in
      try run(
        [product], input, destination: destination, extent: extent, bias: bias, rectifies: rectifies,
        work: work)
    }
  }
}

/// The adjoint of a convolution, which is the gradient of its input and the transposed convolution: for every
/// residue of a voxel's index modulo the stride, a convolution with the taps that reach it.
struct ImplicitAdjoint: Sendable {
  private let phases: [ImplicitProduct]
  private let rows: Int

  /// Packs `weight`, the convolution's [out, in, z, y, x]; results have `in` channels.
  init(weight: Tensor, geometry: ConvolutionGeometry, work: WorkContext) throws(Cancelled) {
    let (channels, rows) = (weight.shape[0], weight.shape[1])
    let (kernel, stride) = (geometry.kernel, geometry.stride)
    self.rows = rows
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
            weight, rows: rows, channels: channels,
            order: .init(rowStride: kernel.product, channelStride: rows * kernel.product, taps: taps),
            work: work)))
    }
    self.phases = phases
  }

  /// The adjoint's result on a grid of extents `extent`.
  func apply(
    _ source: Tensor, extent: Extent3, bias: Tensor? = nil, work: WorkContext
  ) throws(Cancelled) -> Tensor {
    try filledTensor(shape: [source.batch, rows, extent.d, extent.h, extent.w]) {
      destination throws(Cancelled) in
      try run(
        phases, source, destination: destination, extent: extent, bias: bias, rectifies: false, work: work)
    }
  }
}

/// Computes products that share a source, whichever way is cheaper.
private func run(
  _ products: [ImplicitProduct], _ source: Tensor, destination: DisjointBuffer<Float>, extent: Extent3,
  bias: Tensor?, rectifies: Bool, work: WorkContext
) throws(Cancelled) {
  let bias = paddedBias(bias)
  if let padded = PaddedProduct(products, source: source.extent, extent: extent) {
    try padded.run(source, destination: destination, bias: bias, rectifies: rectifies, work: work)
    return
  }
  for product in products {
    try product.runGathered(
      source, destination: destination, extent: extent, bias: bias, rectifies: rectifies, work: work)
  }
}

extension ConvolutionGeometry {
  /// Where every tap reads.
  var tapAxes: (z: TapAxis, y: TapAxis, x: TapAxis) {
    (
      TapAxis(kernel: kernel.d, padding: padding.d, dilation: dilation.d),
      TapAxis(kernel: kernel.h, padding: padding.h, dilation: dilation.h),
      TapAxis(kernel: kernel.w, padding: padding.w, dilation: dilation.w)
    )
  }

  /// The taps that reach input voxels of one residue modulo the stride.
  fileprivate func adjointAxes(_ residue: Extent3) -> (z: TapAxis, y: TapAxis, x: TapAxis) {
    (
      TapAxis(
        residue: residue.d, stride: stride.d, kernel: kernel.d, padding: padding.d, dilation: dilation.d),
      TapAxis(
        residue: residue.h, stride: stride.h, kernel: kernel.h, padding: padding.h, dilation: dilation.h),
      TapAxis(
        residue: residue.w, stride: stride.w, kernel: kernel.w, padding: padding.w, dilation: dilation.w)
    )
  }
}
