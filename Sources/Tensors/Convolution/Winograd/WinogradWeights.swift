import CKernels
import Work

/// Transformed weights of all pairs of channels, or their gradient.
///
/// Layout [product][out / 32][in][32]; output channels are padded with zeros to a multiple of 16, and the last
/// block may have 16 instead of 32.
struct WinogradWeights: Sendable {
  let scheme: WinogradScheme
  let inputChannels: Int
  let outputChannels: Int
  let memory: AlignedFloats

  /// Output channels with the padding.
  var paddedOutputChannels: Int { WinogradScheme.padded(outputChannels) }

  /// Floats from a product's weights to the next one's: a cache line more than they take, so that one pair's weights
  /// are mapped to different sets of the cache.
  var productStride: Int { inputChannels * paddedOutputChannels + Int(WINOGRAD_LANES) }

  /// Uninitialised memory.
  init(scheme: WinogradScheme, inputChannels: Int, outputChannels: Int) {
    self.scheme = scheme
    self.inputChannels = inputChannels
    self.outputChannels = outputChannels
    memory = AlignedFloats(
      count: scheme.products * (inputChannels * WinogradScheme.padded(outputChannels) + Int(WINOGRAD_LANES)))
  }

  /// Transforms `kernels`; `layout` has the strides of input and output channels.
  init(
    _ kernels: Tensor, scheme: WinogradScheme, inputChannels: Int, outputChannels: Int,
    layout: winograd_kernels,
    work: WorkContext
  ) throws(Cancelled) {
    self.init(scheme: scheme, inputChannels: inputChannels, outputChannels: outputChannels)
    let weights = self
    let level = KernelLevel.current
    try kernels.withSharedElements { kernels throws(Cancelled) in
      try work.withoutProgress.forEach(count: inputChannels, grain: 4) { input, _ in
        var layout = layout
        weights.forEachBlock(input) { output, count, offset in
          winograd_transform_kernels(
            level, scheme.kind, &layout, Int32(count),
            kernels.start + input * layout.input_stride + output * layout.output_stride,
            weights.memory.start + offset, weights.productStride)
        }
      }
    }
  }

  /// The gradient of kernels of shape `shape`, given that of their transforms in this value.
  func kernelGradient(
    shape: [Int], layout: winograd_kernels, work: WorkContext
  ) throws(Cancelled) -> Tensor {
    let level = KernelLevel.current
    return try filledTensor(shape: shape) { kernels throws(Cancelled) in
      try work.withoutProgress.forEach(count: inputChannels, grain: 4) { input, _ in
        var layout = layout
        forEachBlock(input) { output, count, offset in
          winograd_transform_kernels_adjoint(
            level, scheme.kind, &layout, Int32(count), memory.start + offset, productStride,
            kernels.start + input * layout.input_stride + output * layout.output_stride)
        }
      }
    }
  }

  /// Calls `body` with the first of every 16 output channels, their number, and their offset for input channel `input`.
  private func forEachBlock(_ input: Int, _ body: (_ output: Int, _ count: Int, _ offset: Int) -> Void) {
    let lanes = Int(WINOGRAD_LANES)
    for output in stride(from: 0, to: outputChannels, by: lanes) {
      let first = output / (2 * lanes) * (2 * lanes)
      let columns = min(2 * lanes, paddedOutputChannels - first)
      body(
        output, min(lanes, outputChannels - output), first * inputChannels + input * columns + output - first)
    }
  }
}
