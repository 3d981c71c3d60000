import Work

/// A convolution by FFT, plus bias and rectification as its results are stored, as a step of a prepared network.
///
/// Its tiles start at the first plane of the window that it writes: windows of a multiple of ``windowStep`` planes
/// from plane 0 on give the same bits as one window of all planes, others agree to rounding, about 3e-7 of the
/// largest result.
package struct FFTConvolutionOperation: PreparedOperation {
  /// The spectra and the rule.
  package let convolution: FFTConvolution
  private let bias: [Float]?
  private let rectifies: Bool

  /// An operation that adds one `bias` per output channel and, where it `rectifies`, makes negative results 0.
  package init(_ convolution: FFTConvolution, bias: Tensor? = nil, rectifies: Bool = false) {
    precondition(
      bias == nil || bias?.shape == [convolution.outputChannels],
      "bias of shape \(bias?.shape ?? []) for \(convolution.outputChannels) channels")
    self.convolution = convolution
    self.bias = bias?.elements
    self.rectifies = rectifies
  }

  private var geometry: ConvolutionGeometry { convolution.geometry }

  /// Planes that one tile yields: windows of a multiple of these waste nothing along depth.
  package var windowStep: Int { convolution.tile.valid(geometry.kernel).d }

  package var kernelName: String {
    let tile = convolution.tile.extent
    return "convolution, FFT \(tile.d)x\(tile.h)x\(tile.w)"
  }

  package var worksInPlace: Bool { false }
  package var weightBytes: Int { convolution.spectraBytes }
  package func outputChannels(_ channels: Int) -> Int { convolution.outputChannels }
  package func outputExtent(_ input: Extent3) -> Extent3? { geometry.output(input) }

  package func inputPlanes(for planes: Range<Int>, inputDepth: Int) -> Range<Int> {
    let first = min(max(planes.lowerBound - geometry.padding.d, 0), inputDepth)
    let end = min(planes.upperBound - geometry.padding.d + geometry.kernel.d - 1, inputDepth)
    return first..<max(first, end)
  }

  package func operationCount(input: Extent3, channels: Int) -> Double {
    2 * Double(channels * convolution.outputChannels * geometry.kernel.product)
      * Double(geometry.output(input)?.product ?? 0)
  }

  package func scratchCount(planes: Int, input: Extent3, channels: Int, batch: Int, threadCount: Int)
    -> Int
  {
    let output = Tensors.outputExtent(of: geometry, input: input)
    return sweep.plan(batch: batch, results: Extent3(planes, output.h, output.w))
      .scratchCount(threadCount: threadCount)
  }

  package func run(
    _ input: ActivationWindow, into output: ActivationWindow, scratch: DisjointBuffer<Float>,
    work: WorkContext
  ) throws(Cancelled) {
    let needed = inputPlanes(for: output.planes, inputDepth: input.extent.d)
    precondition(
      geometry.output(input.extent) == output.extent && needed.clamped(to: input.planes) == needed,
      "planes \(input.planes) of \(input.extent) for planes \(output.planes) of \(output.extent)")
    try sweep.run(input, into: output, scratch: scratch, spectra: convolution.spectra, work: work)
  }

  private var sweep: FFTSweep {
    FFTSweep(
      tile: convolution.tile, sourceChannels: convolution.inputChannels,
      resultChannels: convolution.outputChannels, kernel: geometry.kernel,
      reach: Extent3(-geometry.padding.d, -geometry.padding.h, -geometry.padding.w),
      skip: Extent3(0), isAdjoint: false, bias: bias, rectifies: rectifies)
  }
}
