import CKernels
import Work

/// Adds `factor` times `increment` to `target`, element by element; both have the same shape.
/// - Throws: `Cancelled`, leaving `target` partly updated.
package func add(
  _ increment: Tensor, times factor: Float = 1, to target: inout Tensor, work: WorkContext
) throws(Cancelled) {
  precondition(increment.shape == target.shape, "adding \(increment.shape) to \(target.shape)")
  let chunks = Chunks(count: target.elements.count)
  let level = KernelLevel.current
  try increment.elements.withSharedBuffer { increment throws(Cancelled) in
    try target.elements.withDisjointBuffer { target throws(Cancelled) in
      try work.forEach(count: chunks.number) { index, _ in
        let range = chunks.range(index)
        let start = target.start + range.lowerBound
        pointwise_combine(
          level, start, increment.start + range.lowerBound, start, range.count, 1, factor, 0)
      }
    }
  }
}

/// Multiplies every element of `target` by `factor`.
/// - Throws: `Cancelled`, leaving `target` partly updated.
package func scale(_ target: inout Tensor, by factor: Float, work: WorkContext) throws(Cancelled) {
  let chunks = Chunks(count: target.elements.count)
  let level = KernelLevel.current
  try target.elements.withDisjointBuffer { target throws(Cancelled) in
    try work.forEach(count: chunks.number) { index, _ in
      let range = chunks.range(index)
      let start = target.start + range.lowerBound
      pointwise_affine(level, start, start, range.count, factor, 0)
    }
  }
}

/// The sum over samples and voxels of every channel of [N, C, D, H, W], added up in double precision: the
/// gradient of a bias.
/// - Returns: [C].
/// - Throws: `Cancelled`.
package func channelSums(_ tensor: Tensor, work: WorkContext) throws(Cancelled) -> Tensor {
  let level = KernelLevel.current
  let sums = try channelTotals(of: tensor, work: work) { _, range, elements in
    pairOfSums { pointwise_moments(level, elements.start + range.lowerBound, range.count, 0, $0) }
  }
  return Tensor(shape: [tensor.channels], elements: sums.map { Float($0.x) })
}

/// The channel sums over the voxels where `values`, of the tensor's shape, are positive.
/// - Returns: [C].
/// - Throws: `Cancelled`.
package func channelSums(
  _ tensor: Tensor, wherePositive values: Tensor, work: WorkContext
) throws(Cancelled) -> Tensor {
  precondition(tensor.shape == values.shape, "\(tensor.shape) where \(values.shape) is positive")
  let level = KernelLevel.current
  let isPositive = pointwise_gate(scale: 1, shift: 0)
  let sums = try values.elements.withSharedBuffer { values throws(Cancelled) in
    try channelTotals(of: tensor, work: work) { _, range, elements in
      let start = range.lowerBound
      return pairOfSums {
        pointwise_gated_products(
          level, elements.start + start, values.start + start, range.count, 0, isPositive, $0)
      }
    }
  }
  return Tensor(shape: [tensor.channels], elements: sums.map { Float($0.x) })
}

/// The sum of the squares of all elements, added up in double precision.
/// - Throws: `Cancelled`.
package func squaredNorm(of tensor: Tensor, work: WorkContext) throws(Cancelled) -> Double {
  let level = KernelLevel.current
  let flat = Tensor(shape: [1, 1, 1, 1, tensor.elements.count], elements: tensor.elements)
  return try channelTotals(of: flat, work: work) { _, range, elements in
    pairOfSums { pointwise_moments(level, elements.start + range.lowerBound, range.count, 0, $0) }
  }[0].y
}

/// The two sums that `kernel` adds to memory initialised with 0.
func pairOfSums(_ kernel: (UnsafeMutablePointer<Double>) -> Void) -> SIMD2<Double> {
  withUnsafeTemporaryAllocation(of: Double.self, capacity: 2) { sums in
    sums.initialize(repeating: 0)
    kernel(sums.baseAddress!)
    return SIMD2(sums[0], sums[1])
  }
}

/// The sums, channel by channel in a fixed order, of the pairs of sums that `part` returns for chunks of the channel.
func channelTotals(
  of tensor: Tensor, work: WorkContext,
  part: @Sendable (_ channel: Int, _ range: Range<Int>, _ elements: SharedBuffer<Float>) -> SIMD2<Double>
) throws(Cancelled) -> [SIMD2<Double>] {
  let chunks = Chunks(count: tensor.extent.product)
  let (channels, planes) = (tensor.channels, tensor.batch * tensor.channels)
  var parts = [SIMD2<Double>](repeating: .zero, count: planes * chunks.number)
  try tensor.elements.withSharedBuffer { elements throws(Cancelled) in
    try parts.withDisjointBuffer { parts throws(Cancelled) in
      try work.forEach(count: planes * chunks.number) { index, _ in
        let plane = index / chunks.number
        let start = plane * chunks.count
        let range = chunks.range(index % chunks.number)
        parts[index] = part(plane % channels, start + range.lowerBound..<start + range.upperBound, elements)
      }
    }
  }
  var totals = [SIMD2<Double>](repeating: .zero, count: channels)
  for (index, sum) in parts.enumerated() { totals[index / chunks.number % channels] += sum }
  return totals
}
