import CKernels
import Work

/// Winograd convolution: 3x3x3 kernels of stride 1, with as much padding as dilation, and 4x4x4 kernels of stride 2 with
/// padding 1.
///
/// Relative to the largest result, errors of single precision stay below 5e-6 for up to 256 channels: measured, as
/// docs/algorithms/winograd.md says.
package struct WinogradConvolution: SingleInputOperation {
  private let product: WinogradProduct

  /// Transforms `weight`, [out, in, z, y, x], for a `geometry` that ``supports(_:)`` accepts; `bias` is [out].
  package init(
    weight: Tensor, bias: Tensor? = nil, geometry: ConvolutionGeometry,
    activation: PiecewiseLinear = .identity,
    work: WorkContext
  ) throws(Cancelled) {
    let (outputChannels, inputChannels) = (weight.shape[0], weight.shape[1])
    guard let scheme = WinogradScheme(geometry, inputChannels: inputChannels, outputChannels: outputChannels)
    else {
      preconditionFailure("no Winograd scheme for \(geometry)")
    }
    let taps = geometry.kernel.product
    product = WinogradProduct(
      try WinogradWeights(
        weight, scheme: scheme, inputChannels: inputChannels, outputChannels: outputChannels,
        layout: winograd_kernels(input_stride: taps, output_stride: inputChannels * taps, is_flipped: 0),
        work: work),
      dilation: geometry.dilation, bias: bias, activation: activation)
  }

  private init(_ product: WinogradProduct) { self.product = product }

  /// The adjoint of the convolution with `weight`, [out, in, z, y, x]: its input gradient, or a transposed convolution
  /// with `bias` [in].
  package init(
    adjointOf geometry: ConvolutionGeometry, weight: Tensor, bias: Tensor? = nil,
    activation: PiecewiseLinear = .identity,
    work: WorkContext
  ) throws(Cancelled) {
    let (outputChannels, inputChannels) = (weight.shape[0], weight.shape[1])
    guard let forward = WinogradScheme(geometry, inputChannels: inputChannels, outputChannels: outputChannels)
    else {
      preconditionFailure("no Winograd scheme for \(geometry)")
    }
    let taps = geometry.kernel.product
    let isStrided = forward == .strided
    product = WinogradProduct(
      try WinogradWeights(
        weight, scheme: isStrided ? .transposed : forward, inputChannels: outputChannels,
        outputChannels: inputChannels,
        layout: winograd_kernels(
          input_stride: inputChannels * taps, output_stride: taps, is_flipped: isStrided ? 0 : 1), work: work),
      dilation: geometry.dilation, bias: bias, activation: activation)
  }

  /// The same transformed weights with another bias and activation, and a fused 2x2x2 max-pooling where it `pools`, or
  /// the sum with what the output's memory holds where it `addsToOutput`.
  func with(
    bias: Tensor?, activation: PiecewiseLinear, pools: Bool = false, addsToOutput: Bool = false
  ) -> WinogradConvolution {
    WinogradConvolution(
      WinogradProduct(
        product.weights, dilation: product.dilation, bias: bias, activation: activation, pools: pools,
        addsToOutput: addsToOutput))
  }

  /// Whether a 2x2x2 max-pooling can be fused: with dilation, neighbouring results are in different tiles.
  var storesMaxima: Bool { product.dilation == Extent3(1) }

  /// The result for `input` on a grid of extents `extent`, which the adjoint's input does not determine.
  func apply(_ input: Tensor, extent: Extent3, work: WorkContext) throws(Cancelled) -> Tensor {
    try input.withWindow { input throws(Cancelled) in
      try Tensor(shape: [input.batch, product.weights.outputChannels, extent.d, extent.h, extent.w]) {
        output throws(Cancelled) in
        let count = product.scratchCount(
          planes: extent.d, extent: extent, batch: input.batch, threadCount: work.threadCount)
        try withScratch(count: count) { scratch throws(Cancelled) in
          try product.run(input, into: output, scratch: scratch, work: work)
        }
      }
    }
  }

  private var scheme: WinogradScheme { product.weights.scheme }

  package var kernelName: String { product.pools ? schemeName + ", pooled" : schemeName }

  private var schemeName: String {
    let convolution = product.dilation == Extent3(1) ? "convolution" : "dilated convolution"
    return switch scheme {
    case .convolution2: "\(convolution), Winograd F(2x2x2, 3x3x3)"
    case .convolution4: "\(convolution), Winograd F(4x4x4, 3x3x3)"
    case .transposed: "transposed convolution, Winograd F(2x2x2, 2x2x2) of 8 phases"
    default: "strided convolution, Winograd F(2x2x2, 2x2x2) of 8 phases"
    }
  }
  package var worksInPlace: Bool { false }
  package var weightBytes: Int { product.weights.memory.count * MemoryLayout<Float>.stride }
  package func outputChannels(_ channels: Int) -> Int { product.weights.outputChannels }

  package func outputExtent(_ input: Extent3) -> Extent3? {
    let results = scheme.output(input)
    let output = product.pools ? Extent3(results.d / 2, results.h / 2, results.w / 2) : results
    return output.product > 0 ? output : nil
  }

  package func inputPlanes(for planes: Range<Int>, inputDepth: Int) -> Range<Int> {
    product.inputPlanes(for: planes, depth: inputDepth)
  }

  package var windowStep: Int { product.windowStep }

  package func operationCount(input: Extent3, channels: Int) -> Double {
    // In a transposed convolution every input voxel is multiplied by every tap.
    let voxels = scheme == .transposed ? input.product : scheme.output(input).product
    let taps = scheme.taps * scheme.taps * scheme.taps
    return 2 * Double(product.weights.outputChannels * channels) * Double(taps) * Double(voxels)
  }

  package func scratchCount(planes: Int, input: Extent3, channels: Int, batch: Int, threadCount: Int) -> Int {
    guard let output = outputExtent(input) else { return 0 }
    return product.scratchCount(planes: planes, extent: output, batch: batch, threadCount: threadCount)
  }

  package func run(
    _ input: ActivationWindow, into output: ActivationWindow, scratch: DisjointBuffer<Float>,
    work: WorkContext
  ) throws(Cancelled) {
    try product.run(input, into: output, scratch: scratch, work: work)
  }
}

extension WinogradScheme {
  /// Pairs of channels above which F(2x2x2, 3x3x3) is used, whose transformed weights need less than a third of the
  /// memory: 14 MB with F(4x4x4, 3x3x3).
  private static let maximumPairs = 1 << 14

  /// The scheme of a convolution; nil where there is none.
  init?(_ geometry: ConvolutionGeometry, inputChannels: Int, outputChannels: Int) {
    let dilation = geometry.dilation
    switch geometry {
    case ConvolutionGeometry(kernel: Extent3(3), padding: dilation, dilation: dilation)
    where dilation.w <= Int(WINOGRAD_MAXIMUM_DILATION):
      self = inputChannels * outputChannels <= Self.maximumPairs ? .convolution4 : .convolution2
    case ConvolutionGeometry(kernel: Extent3(4), stride: Extent3(2), padding: Extent3(1)):
      self = .strided
    default: return nil
    }
  }
}

extension WinogradConvolution {
  /// Whether there is a scheme for `geometry`.
  static func supports(_ geometry: ConvolutionGeometry) -> Bool {
    WinogradScheme(geometry, inputChannels: 1, outputChannels: 1) != nil
  }

  /// Whether there are enough input and output channels to outweigh the transforms, measured, and where grids of a dilated
  /// kernel are small, whether the tiles that cover them take at most half the products of direct summation.
  ///
  /// - Parameter inputExtent: Extents of the input; nil where they are unknown and may be large.
  static func isFaster(
    _ geometry: ConvolutionGeometry, inputChannels: Int, outputChannels: Int, inputExtent: Extent3?
  ) -> Bool {
    guard min(inputChannels, outputChannels) >= 12 else { return false }
    guard geometry.dilation != Extent3(1), let inputExtent,
      let scheme = WinogradScheme(geometry, inputChannels: inputChannels, outputChannels: outputChannels)
    else { return true }
    func tiles(_ extent: Int, _ dilation: Int) -> Int {
      AxisGrid.all(of: 0..<extent, step: dilation).reduce(0) { $0 + scheme.tiles($1.count(extent)) }
    }
    let (extent, dilation) = (inputExtent, geometry.dilation)
    let allTiles =
      tiles(extent.d, dilation.d) * tiles(extent.h, dilation.h) * tiles(extent.w, dilation.w)
    return 2 * allTiles * scheme.products <= geometry.kernel.product * extent.product
  }

  /// The gradient of a convolution's weights; see
  /// ``convolutionWeightGradient(input:outputGradient:geometry:work:)``.
  static func weightGradient(
    input: Tensor, outputGradient: Tensor, geometry: ConvolutionGeometry, work: WorkContext
  ) throws(Cancelled) -> Tensor {
    guard
      let scheme = WinogradScheme(
        geometry, inputChannels: input.channels, outputChannels: outputGradient.channels)
    else { preconditionFailure("no Winograd scheme for \(geometry)") }
    let taps = geometry.kernel.product
    let shape = [
      outputGradient.channels, input.channels, geometry.kernel.d, geometry.kernel.h, geometry.kernel.w,
    ]
    // The weight gradient of the strided convolution is that of its adjoint with input and output exchanged, whose
    // patches are smaller.
    if scheme == .strided {
      return try winogradKernelGradient(
        input: outputGradient, outputGradient: input, scheme: .transposed, dilation: Extent3(1), shape: shape,
        layout: winograd_kernels(
          input_stride: input.channels * taps, output_stride: taps, is_flipped: 0), work: work)
    }
    return try winogradKernelGradient(
      input: input, outputGradient: outputGradient, scheme: scheme, dilation: geometry.dilation, shape: shape,
      layout: winograd_kernels(
        input_stride: taps, output_stride: input.channels * taps, is_flipped: 0), work: work)
  }
}
