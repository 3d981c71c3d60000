import CKernels
import Work

/// A batch normalisation as in training and a rectifier behind it, in one pass over the input each way.
///
/// Where the rectifier is open is found from the input again, so that neither the normalised values nor their gradient are
/// ever in memory.
package struct RectifiedNormalisation: Sendable {
  /// What was measured of the batch.
  package let statistics: BatchStatistics
  private let input: Tensor
  private let scale: Tensor
  private let gates: [pointwise_gate]

  /// Measures `input`, [N, C, D, H, W]; `scale` and `shift` are [C].
  /// - Throws: `Cancelled`.
  package init(
    of input: Tensor, scale: Tensor, shift: Tensor, epsilon: Float = 1e-5, work: WorkContext
  ) throws(Cancelled) {
    self.input = input
    self.scale = scale
    statistics = try batchStatistics(of: input, epsilon: epsilon, work: work)
    gates = channelwiseAffine(statistics.mean, statistics.inverseDeviation, scale: scale, shift: shift)
  }

  /// The rectified batch.
  /// - Throws: `Cancelled`.
  package func output(work: WorkContext) throws(Cancelled) -> Tensor {
    try rectified(input, work: work)
  }

  /// The gradients by the input, the scale and the shift, given that by the output.
  /// - Throws: `Cancelled`.
  package func gradients(
    _ outputGradient: Tensor, work: WorkContext
  ) throws(Cancelled) -> (input: Tensor, scale: Tensor, shift: Tensor) {
    precondition(
      input.shape == outputGradient.shape, "gradient \(outputGradient.shape) for input \(input.shape)")
    let level = KernelLevel.current
    let slopes = try slopes(outputGradient, of: input, work: work)
    let gradient = try input.elements.withSharedBuffer { input throws(Cancelled) in
      try mapChunks(of: outputGradient, work: work) { channel, range, outputGradient, gradient in
        let c = slopes.coefficients[channel]
        pointwise_gated_combine(
          level, outputGradient.start + range.lowerBound, input.start + range.lowerBound,
          gradient.start + range.lowerBound, range.count, c.x, c.y, c.z, gates[channel])
      }
    }
    return (gradient, slopes.scale, slopes.shift)
  }

  /// The greatest rectified value of every window, with what its gradients need.
  /// - Throws: `Cancelled`.
  package func pooled(_ geometry: PoolingGeometry, work: WorkContext) throws(Cancelled) -> Pooled {
    // The greatest value behind a falling line is the least in front of it.
    let (extremes, winners) = try extremes(
      input, geometry: geometry, takesLeast: gates.map { $0.factor < 0 }, work: work)
    return Pooled(output: try rectified(extremes, work: work), extremes: extremes, winners: winners)
  }

  /// A pooled batch.
  package struct Pooled: Sendable {
    /// The greatest rectified values.
    package let output: Tensor
    /// The values of the input that they come from, and their places.
    fileprivate let extremes: Tensor
    fileprivate let winners: [Int32]
  }

  /// The gradients by the input, the scale and the shift, given that by what was pooled.
  /// - Throws: `Cancelled`.
  package func gradients(
    _ outputGradient: Tensor, of pooled: Pooled, geometry: PoolingGeometry, work: WorkContext
  ) throws(Cancelled) -> (input: Tensor, scale: Tensor, shift: Tensor) {
    precondition(
      pooled.output.shape == outputGradient.shape,
      "gradient \(outputGradient.shape) for \(pooled.output.shape)")
    let slopes = try slopes(outputGradient, of: pooled.extremes, work: work)
    let gradient = try WinnerSpread(
      gradient: outputGradient, winners: pooled.winners, geometry: geometry, inputExtent: input.extent,
      slopes: zip(gates, slopes.coefficients).map {
        WinnerSlope(gate: $0, factor: $1.x, slope: $1.y, offset: $1.z)
      }, gated: pooled.extremes, source: input
    )(work: work)
    return (gradient, slopes.scale, slopes.shift)
  }

  private func rectified(_ values: Tensor, work: WorkContext) throws(Cancelled) -> Tensor {
    let level = KernelLevel.current
    return try mapChunks(of: values, work: work) { channel, range, values, output in
      pointwise_gated_affine(
        level, values.start + range.lowerBound, output.start + range.lowerBound, range.count, gates[channel])
    }
  }

  private func slopes(
    _ outputGradient: Tensor, of values: Tensor, work: WorkContext
  ) throws(Cancelled) -> NormalisationSlopes {
    let level = KernelLevel.current
    let sums = try values.elements.withSharedBuffer { values throws(Cancelled) in
      try channelTotals(of: outputGradient, work: work) { channel, range, gradient in
        pairOfSums {
          pointwise_gated_products(
            level, gradient.start + range.lowerBound, values.start + range.lowerBound, range.count,
            statistics.mean[channel], gates[channel], $0)
        }
      }
    }
    return NormalisationSlopes(sums, scale: scale, statistics: statistics)
  }
}
