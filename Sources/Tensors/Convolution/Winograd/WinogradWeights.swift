import CKernels
import Work

/// Transformed weights of all pairs of channels, or their gradient.
///
/// Layout [product][outputs / 32][inputs][32]; outputs are padded with zeros to a multiple of 16, and the last block
/// may have 16 instead of 32.
struct WinogradWeights: Sendable {
  let scheme: WinogradScheme
  let inputs: Int
  let outputs: Int
  let memory: AlignedFloats

  /// Outputs with the padding.
  var paddedOutputs: Int { WinogradScheme.padded(outputs) }

  /// Floats from a product's weights to the next one's: a cache line more than they take, so that one pair's weights
  /// are mapped to different sets of the cache.
  var productStride: Int { inputs * paddedOutputs + Int(WINOGRAD_LANES) }

  /// Uninitialised memory.
  init(scheme: WinogradScheme, inputs: Int, outputs: Int) {
    self.scheme = scheme
    self.inputs = inputs
    self.outputs = outputs
    memory = AlignedFloats(
      count: scheme.products * (inputs * WinogradScheme.padded(outputs) + Int(WINOGRAD_LANES)))
  }

  /// Transforms `kernels`; `layout` has the strides of inputs and outputs.
  init(
    _ kernels: Tensor, scheme: WinogradScheme, inputs: Int, outputs: Int, layout: winograd_kernels,
    work: WorkContext
  ) throws(Cancelled) {
    self.init(scheme: scheme, inputs: inputs, outputs: outputs)
    let weights = self
    let level = KernelLevel.current
    try kernels.withSharedElements { kernels throws(Cancelled) in
      try work.withoutProgress.forEach(count: inputs, grain: 4) { input, _ in
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
      try work.withoutProgress.forEach(count: inputs, grain: 4) { input, _ in
        var layout = layout
        forEachBlock(input) { output, count, offset in
          winograd_transform_kernels_adjoint(
            level, scheme.kind, &layout, Int32(count), memory.start + offset, productStride,
            kernels.start + input * layout.input_stride + output * layout.output_stride)
        }
      }
    }
  }

  /// Calls `body` with the first of every 16 outputs, their number, and where they lie for `input`.
  private func forEachBlock(_ input: Int, _ body: (_ output: Int, _ count: Int, _ offset: Int) -> Void) {
    let lanes = Int(WINOGRAD_LANES)
    for output in stride(from: 0, to: outputs, by: lanes) {
      let first = output / (2 * lanes) * (2 * lanes)
      let columns = min(2 * lanes, paddedOutputs - first)
      body(output, min(lanes, outputs - output), first * inputs + input * columns + output - first)
    }
  }
}
