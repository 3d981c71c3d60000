import CKernels
import Work

/// Implicit products that share a source, with what happens to their results: the common part of convolution and
/// adjoint.
struct ImplicitOperation: Sendable {
  let products: [ImplicitProduct]
  /// One per row, padded to blocks of eight; empty for zeros.
  var bias: [Float]
  /// Whether negative results become 0.
  var rectifies: Bool

  /// Products of at least one; `bias` is [rows] or nil for none.
  init(_ products: [ImplicitProduct], bias: Tensor?, rectifies: Bool) {
    precondition(
      bias.map { $0.elements.count == products[0].weights.rows } ?? true,
      "bias \(bias?.shape ?? []) for \(products[0].weights.rows) channels")
    self.products = products
    self.bias = paddedBias(bias)
    self.rectifies = rectifies
  }

  /// Channels of the output.
  var rows: Int { products[0].weights.rows }

  /// Bytes of the packed weights.
  var weightBytes: Int {
    products.reduce(0) { $0 + $1.weights.elements.count * MemoryLayout<Float>.stride }
  }

  /// Source planes that the outputs in `planes` read, without regard to where the source ends.
  func reach(of planes: Range<Int>) -> Range<Int> {
    var reach: Range<Int>?
    for product in products {
      let outputs = product.planes(in: planes)
      guard let low = product.axes.z.offsets.min(), let high = product.axes.z.offsets.max(), !outputs.isEmpty
      else { continue }
      let first = outputs.lowerBound * product.step.d + Int(low)
      let end = (outputs.upperBound - 1) * product.step.d + Int(high) + 1
      reach = min(first, reach?.lowerBound ?? first)..<max(end, reach?.upperBound ?? end)
    }
    return reach ?? 0..<0
  }

  /// The planes of a source of `depth` planes that the outputs in `planes` read.
  func inputPlanes(for planes: Range<Int>, inputDepth depth: Int) -> Range<Int> {
    reach(of: planes).clamped(to: 0..<depth)
  }

  /// Floats of scratch memory for a window of `planes` planes of an output of extents `extent`.
  func scratchCount(
    planes: Int, input: Extent3, output extent: Extent3, channels: Int, batch: Int, threadCount: Int
  ) -> Int {
    if let padded = PaddedProduct(products, source: input, extent: extent) {
      let period = products.reduce(1) { max($0, $1.spacing.d) }
      let sourcePlanes = (0..<period).map { reach(of: $0..<$0 + planes).count }.max() ?? 0
      return padded.scratchCount(
        sourcePlanes: sourcePlanes, channels: channels, batch: batch, threadCount: threadCount)
    }
    return products.map { $0.gatheredScratchCount(threadCount: threadCount) }.max() ?? 0
  }

  /// Writes the planes of `output`, whichever way is cheaper.
  func run(
    _ input: ActivationWindow, into output: ActivationWindow, scratch: DisjointBuffer<Float>,
    work: WorkContext
  ) throws(Cancelled) {
    if let padded = PaddedProduct(products, source: input.extent, extent: output.extent) {
      try padded.run(
        input, into: output, reach: reach(of: output.planes), bias: bias, rectifies: rectifies,
        scratch: scratch, work: work)
      return
    }
    for product in products {
      try product.runGathered(
        input, into: output, bias: bias, rectifies: rectifies, scratch: scratch, work: work)
    }
  }
}

/// A bias that the product can read in blocks of eight rows.
private func paddedBias(_ bias: Tensor?) -> [Float] {
  guard let bias else { return [] }
  return bias.elements + [Float](repeating: 0, count: (8 - bias.elements.count % 8) % 8)
}
