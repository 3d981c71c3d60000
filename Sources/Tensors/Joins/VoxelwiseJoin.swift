import CKernels
import Work

/// The arithmetic by which inputs are joined voxel by voxel.
enum VoxelwiseArithmetic: Sendable {
  case sum, product
}

extension WorkContext {
  /// Writes the planes of `output` as the sum or the product of those of `inputs`, two or more.
  ///
  /// An input has the output's channels or a single one, which counts for all of them, and the output's extents or a
  /// single voxel, which counts for all of these. The output may be one of the inputs that have its shape. `activation` is
  /// applied to the results.
  func join(
    _ inputs: [ActivationWindow], by arithmetic: VoxelwiseArithmetic, into output: ActivationWindow,
    activation: PiecewiseLinear = .identity
  ) throws(Cancelled) {
    precondition(
      inputs.count >= 2
        && inputs.allSatisfy { input in
          (input.channels == output.channels || input.channels == 1)
            && (input.extent == output.extent || input.extent == Extent3(1))
        },
      "inputs of \(inputs.map { ($0.channels, $0.extent) }) for \(output.channels) channels of \(output.extent)"
    )
    let level = KernelLevel.current
    let activation = activation.padded(channels: output.channels, paddedLength: output.channels)
    let sources = inputs.map { $0.extent == output.extent ? $0.part(output.planes) : $0 }
    // The input that the output overwrites comes first, since every other pass reads the output.
    let overwritten = sources.firstIndex { $0.memory.start == output.memory.start }
    var order = Array(sources.indices)
    if let overwritten { order.swapAt(0, overwritten) }
    let ordered = order.map { sources[$0] }
    try forEachChunk(of: output, reading: output) { sample, channel, range, _, target in
      var partial: UnsafePointer<Float>?
      for source in ordered {
        let start = source.start(sample: sample, channel: source.channels == 1 ? 0 : channel)
        if source.extent == output.extent {
          let values = UnsafePointer(start + range.lowerBound)
          guard let joined = partial else {
            partial = values
            continue
          }
          switch arithmetic {
          case .sum: pointwise_combine(level, values, joined, target, range.count, 1, 1, 0)
          case .product: elementwise_multiply(level, values, joined, target, range.count)
          }
        } else if let joined = partial {
          switch arithmetic {
          case .sum: pointwise_affine(level, joined, target, range.count, 1, start[0])
          case .product: pointwise_affine(level, joined, target, range.count, start[0], 0)
          }
        } else {
          target.update(repeating: start[0], count: range.count)
        }
        partial = UnsafePointer(target)
      }
      guard activation != .identity else { return }
      activation.slopes.withUnsafeBufferPointer { slopes in
        piecewise_linear_apply(
          level, activation.kernel(slopes.baseAddress, from: channel), target, target, range.count)
      }
    }
  }
}

/// The sum, over what an input of `shape` was repeated for, of the gradient of a join's output, and of the products with
/// `factor` where there is one: the gradient of that input.
///
/// - Parameters:
///   - gradient: [N, C, D, H, W].
///   - factor: The other factor of a product, of the gradient's shape or with one channel or voxel in its place.
///   - shape: [N, C or 1, D or 1, H or 1, W or 1], one voxel where the extents are not the gradient's.
/// - Throws: `Cancelled`.
package func joinGradient(
  _ gradient: Tensor, times factor: Tensor?, shape: [Int], work: WorkContext
) throws(Cancelled) -> Tensor {
  let whole =
    try factor.map { factor throws(Cancelled) in
      try PreparedMultiply()([gradient, factor], work: work)
    } ?? gradient
  if whole.shape == shape { return whole }
  let isOneVoxel = Extent3(shape[2], shape[3], shape[4]) != whole.extent
  let repeated = shape[1] == 1 ? whole.channels : 1
  return try whole.withWindow { source throws(Cancelled) in
    if isOneVoxel {
      let sums = try voxelSums(of: source, work: work)
      return Tensor(
        shape: shape,
        elements: (0..<shape[0] * shape[1]).map { plane in
          Float(sums[plane * repeated..<(plane + 1) * repeated].reduce(0, +))
        })
    }
    let level = KernelLevel.current
    return try Tensor(shape: shape) { target throws(Cancelled) in
      try work.forEachChunk(of: target, reading: target) { sample, _, range, _, target in
        target.update(from: source.start(sample: sample, channel: 0) + range.lowerBound, count: range.count)
        for channel in 1..<source.channels {
          pointwise_combine(
            level, target, source.start(sample: sample, channel: channel) + range.lowerBound, target,
            range.count, 1, 1, 0)
        }
      }
    }
  }
}

/// The sum over the voxels of each channel of each sample, in double precision between chunks.
/// - Returns: One for each sample and channel, channels fastest.
func voxelSums(of input: ActivationWindow, work: WorkContext) throws(Cancelled) -> [Double] {
  let chunks = Chunks(count: input.planes.count * input.planeStride)
  let level = KernelLevel.current
  var parts = [Double](repeating: 0, count: input.batch * input.channels * chunks.number)
  try parts.withDisjointBuffer { parts throws(Cancelled) in
    try work.forEach(count: parts.count) { index, _ in
      let (plane, range) = (index / chunks.number, chunks.range(index % chunks.number))
      let start = input.start(sample: plane / input.channels, channel: plane % input.channels)
      parts[index] =
        pairOfSums { pointwise_moments(level, start + range.lowerBound, range.count, 0, $0) }.x
    }
  }
  return (0..<input.batch * input.channels).map { plane in
    parts[plane * chunks.number..<(plane + 1) * chunks.number].reduce(0, +)
  }
}
