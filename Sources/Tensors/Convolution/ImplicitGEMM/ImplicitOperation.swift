import CKernels
import Work

/// Implicit products over one source with fused bias and activation: the common part of the convolution and its adjoint.
struct ImplicitOperation: Sendable {
  let products: [ImplicitProduct]
  /// For each group one per row, padded to blocks of eight; empty for zeros.
  var bias: [Float]
  /// Of the results; for each group one slope per row, padded to blocks of eight.
  var activation: PiecewiseLinear
  /// Whether results are added to what the output's memory holds before the activation: of a single product, which writes
  /// every voxel.
  var addsToOutput: Bool

  /// Products of at least one; `bias` is [rows] or nil for none.
  init(
    _ products: [ImplicitProduct], bias: Tensor?, activation: PiecewiseLinear, addsToOutput: Bool = false
  ) {
    precondition(
      !addsToOutput || products.count == 1 && products[0].spacing == Extent3(1), "phases that are added")
    precondition(
      bias.map { $0.elements.count == products[0].resultChannels } ?? true,
      "bias \(bias?.shape ?? []) for \(products[0].resultChannels) channels")
    self.products = products
    self.addsToOutput = addsToOutput
    self.bias = bias.map { products[0].weights.padded($0) } ?? []
    let weights = products[0].weights
    self.activation = activation.padded(
      channels: products[0].resultChannels, groups: weights.groups, paddedLength: weights.paddedRows)
  }

  /// Channels of the output.
  var rows: Int { products[0].resultChannels }

  /// Bytes of the packed weights.
  var weightBytes: Int {
    products.reduce(0) { $0 + $1.weights.elements.count * MemoryLayout<Float>.stride }
  }

  /// The source planes that the output planes `planes` depend on; not clamped to the source.
  func sourceRange(of planes: Range<Int>) -> Range<Int> {
    var sourceRange: Range<Int>?
    for product in products {
      let outputs = product.planes(in: planes)
      guard let low = product.axes.z.offsets.min(), let high = product.axes.z.offsets.max(), !outputs.isEmpty
      else { continue }
      let first = outputs.lowerBound * product.step.d + Int(low)
      let end = (outputs.upperBound - 1) * product.step.d + Int(high) + 1
      sourceRange = min(first, sourceRange?.lowerBound ?? first)..<max(end, sourceRange?.upperBound ?? end)
    }
    return sourceRange ?? 0..<0
  }

  /// The planes of a source of `depth` planes that the output planes `planes` depend on.
  func inputPlanes(for planes: Range<Int>, inputDepth depth: Int) -> Range<Int> {
    sourceRange(of: planes).clamped(to: 0..<depth)
  }

  /// Floats of scratch memory for a window of `planes` planes of an output of extents `extent`.
  func scratchCount(
    planes: Int, input: Extent3, output extent: Extent3, channels: Int, batch: Int, threadCount: Int
  ) -> Int {
    if let padded = PaddedProduct(products, source: input, extent: extent) {
      let period = products.reduce(1) { max($0, $1.spacing.d) }
      let sourcePlanes = (0..<period).map { sourceRange(of: $0..<$0 + planes).count }.max() ?? 0
      return padded.scratchCount(
        sourcePlanes: sourcePlanes, channels: channels, batch: batch, threadCount: threadCount)
    }
    return products.map { $0.gatheredScratchCount(threadCount: threadCount) }.max() ?? 0
  }

  /// Writes the planes of `output`, by padded or gathered products, whichever is cheaper.
  func run(
    _ input: ActivationWindow, into output: ActivationWindow, scratch: DisjointBuffer<Float>,
    work: WorkContext
  ) throws(Cancelled) {
    if let padded = PaddedProduct(products, source: input.extent, extent: output.extent) {
      try padded.run(
        input, into: output, sourceRange: sourceRange(of: output.planes), bias: bias,
        activation: activation, addsToOutput: addsToOutput,
        scratch: scratch, work: work)
      return
    }
    for product in products {
      try product.runGathered(
        input, into: output, bias: bias, activation: activation, addsToOutput: addsToOutput,
        scratch: scratch, work: work)
    }
  }
}

extension PackedWeights {
  /// A bias, [groups · rows], that the product can read in blocks of eight rows of each group.
  fileprivate func padded(_ bias: Tensor) -> [Float] {
    let padding = [Float](repeating: 0, count: paddedRows - rows)
    return (0..<groups).flatMap { bias.elements[($0 * rows)..<(($0 + 1) * rows)] + padding }
  }
}
