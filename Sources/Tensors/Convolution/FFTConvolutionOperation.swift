import Work

/// A convolution by FFT with fused bias, activation and max-pooling, as a step of an inference plan.
///
/// Its tiles start at the first plane of the window that it writes: windows of a multiple of ``windowStep`` planes
/// from plane 0 on give the same bits as one window of all planes, others agree to rounding, about 3e-7 of the
/// largest result.
package struct FFTConvolutionOperation: SingleInputOperation {
  /// The transformed weights and the geometry.
  package let convolution: FFTConvolution
  private let bias: [Float]?
  private let activation: PiecewiseLinear
  private let pooling: PoolingGeometry?
  private let addsToOutput: Bool

  /// The operation with one `bias` per output channel, then `activation`, then the max-pooling `pooling`, which must be
  /// one that the convolution ``FFTConvolution/fuses(_:)``; or, where it `addsToOutput`, `activation` of the sum with
  /// what the output's memory holds.
  package init(
    _ convolution: FFTConvolution, bias: Tensor? = nil, activation: PiecewiseLinear = .identity,
    pooling: PoolingGeometry? = nil, addsToOutput: Bool = false
  ) {
    precondition(pooling == nil || !addsToOutput, "maxima that are added")
    precondition(
      bias == nil || bias?.shape == [convolution.outputChannels],
      "bias of shape \(bias?.shape ?? []) for \(convolution.outputChannels) channels")
    precondition(
      pooling.map(convolution.fuses) ?? true,
      "\(String(describing: pooling)) in the store of tiles of \(convolution.tile.extent)")
    self.convolution = convolution
    self.bias = bias?.elements
    self.activation = activation.padded(
      channels: convolution.outputChannels, paddedLength: convolution.outputChannels)
    self.pooling = pooling
    self.addsToOutput = addsToOutput
  }

  private var geometry: ConvolutionGeometry { convolution.geometry }

  /// Planes of the output per tile: windows of a multiple of it waste nothing along depth.
  package var windowStep: Int {
    let planes = convolution.tile.valid(geometry.kernel).d
    return pooling == nil ? planes : planes / 2
  }

  package var kernelName: String {
    let tile = convolution.tile.extent
    return "convolution, FFT \(tile.d)x\(tile.h)x\(tile.w)" + (pooling == nil ? "" : ", pooled")
  }

  package var worksInPlace: Bool { false }
  package var weightBytes: Int { convolution.weightBytes }
  package func outputChannels(_ channels: Int) -> Int { convolution.outputChannels }

  package func outputExtent(_ input: Extent3) -> Extent3? {
    let results = geometry.output(input)
    guard let pooling else { return results }
    return results.flatMap { pooling.output($0) }
  }

  package func inputPlanes(for planes: Range<Int>, inputDepth: Int) -> Range<Int> {
    let results = resultPlanes(for: planes, resultDepth: .max)
    let first = min(max(results.lowerBound - geometry.padding.before.d, 0), inputDepth)
    let end = min(results.upperBound - geometry.padding.before.d + geometry.kernel.d - 1, inputDepth)
    return first..<max(first, end)
  }

  package func operationCount(input: Extent3, channels: Int) -> Double {
    2 * Double(channels * convolution.outputChannels * geometry.kernel.product)
      * Double(geometry.output(input)?.product ?? 0)
  }

  package func scratchCount(planes: Int, input: Extent3, channels: Int, batch: Int, threadCount: Int)
    -> Int
  {
    guard let extent = outputExtent(input) else { return 0 }
    let results = usedResults(input: input, output: extent)
    // The last window of planes may end inside a pooling window; all others have as many results or fewer.
    let planes = resultPlanes(for: 0..<planes, resultDepth: results.d).count
    return tilePass.plan(batch: batch, results: Extent3(planes, results.h, results.w))
      .scratchCount(threadCount: threadCount)
  }

  package func run(
    _ input: ActivationWindow, into output: ActivationWindow, scratch: DisjointBuffer<Float>,
    work: WorkContext
  ) throws(Cancelled) {
    let needed = inputPlanes(for: output.planes, inputDepth: input.extent.d)
    precondition(
      outputExtent(input.extent) == output.extent && needed.clamped(to: input.planes) == needed,
      "planes \(input.planes) of \(input.extent) for planes \(output.planes) of \(output.extent)")
    let results = usedResults(input: input.extent, output: output.extent)
    try tilePass.run(
      input, into: output, results: results,
      planes: resultPlanes(for: output.planes, resultDepth: results.d), scratch: scratch,
      weights: convolution.frequencyRows, work: work)
  }

  /// Extents of the convolution's results that the output depends on: without partial windows, which the pooling drops.
  private func usedResults(input: Extent3, output: Extent3) -> Extent3 {
    guard let results = geometry.output(input) else { preconditionFailure("\(input) for \(geometry)") }
    guard pooling != nil else { return results }
    return Extent3(
      min(results.d, 2 * output.d), min(results.h, 2 * output.h), min(results.w, 2 * output.w))
  }

  /// The planes of the convolution's results that planes of the output depend on.
  private func resultPlanes(for planes: Range<Int>, resultDepth: Int) -> Range<Int> {
    guard pooling != nil else { return planes }
    return 2 * planes.lowerBound..<min(2 * planes.upperBound, resultDepth)
  }

  private var tilePass: FFTTilePass {
    FFTTilePass(
      tile: convolution.tile, sourceChannels: convolution.inputChannels,
      resultChannels: convolution.outputChannels, kernel: geometry.kernel,
      sourceOffset: Extent3(
        -geometry.padding.before.d, -geometry.padding.before.h, -geometry.padding.before.w),
      skip: Extent3(0), isAdjoint: false, bias: bias, activation: activation, pools: pooling != nil,
      addsToOutput: addsToOutput)
  }
}
