import CKernels
import Work

/// A batch normalisation as in training, fused with the ReLU after it.
///
/// The forward and the backward pass each read the input once. The backward pass recomputes the ReLU's mask from the
/// input, so that neither the normalised values nor their gradient are stored.
package struct BatchNormalisationReLU: Sendable {
  package let statistics: BatchStatistics
  private let input: Tensor
  private let scale: Tensor
  private let gates: [pointwise_gate]

  /// Computes the statistics of `input`, [N, C, D, H, W]; `scale` and `shift` are [C].
  /// - Throws: `Cancelled`.
  package init(
    of input: Tensor, scale: Tensor, shift: Tensor, epsilon: Float = 1e-5, work: WorkContext
  ) throws(Cancelled) {
    self.input = input
    self.scale = scale
    statistics = try batchStatistics(of: input, epsilon: epsilon, work: work)
    gates = channelwiseAffine(
      statistics.mean, statistics.inverseStandardDeviation, scale: scale, shift: shift)
  }

  /// The output of the ReLU, [N, C, D, H, W].
  /// - Throws: `Cancelled`.
  package func output(work: WorkContext) throws(Cancelled) -> Tensor {
    try reluOutput(input, work: work)
  }

  /// The gradients with respect to the input, the scale and the shift, given that of the output.
  /// - Throws: `Cancelled`.
  package func gradients(
    _ outputGradient: Tensor, work: WorkContext
  ) throws(Cancelled) -> (input: Tensor, scale: Tensor, shift: Tensor) {
    precondition(
      input.shape == outputGradient.shape, "gradient \(outputGradient.shape) for input \(input.shape)")
    let level = KernelLevel.current
    let terms = try gradientTerms(outputGradient, of: input, work: work)
    let gradient = try input.elements.withSharedBuffer { input throws(Cancelled) in
      try mapChunks(of: outputGradient, work: work) { channel, range, outputGradient, gradient in
        let c = terms.coefficients[channel]
        pointwise_gated_combine(
          level, outputGradient.start + range.lowerBound, input.start + range.lowerBound,
          gradient.start + range.lowerBound, range.count, c.x, c.y, c.z, gates[channel])
      }
    }
    return (gradient, terms.scale, terms.shift)
  }

  /// The max-pooled output of the ReLU, with what its gradients need.
  /// - Throws: `Cancelled`.
  package func pooled(_ geometry: PoolingGeometry, work: WorkContext) throws(Cancelled) -> Pooled {
    // The maximum after a negative scale is the minimum before it.
    let (pooledInput, argMaxIndices) = try maxOrMinPooling(
      input, geometry: geometry, takesMinimum: gates.map { $0.scale < 0 }, work: work)
    return Pooled(
      output: try reluOutput(pooledInput, work: work), pooledInput: pooledInput, argMaxIndices: argMaxIndices)
  }

  /// A pooled batch and what its backward pass needs.
  package struct Pooled: Sendable {
    /// The pooled values, [N, C, D', H', W'].
    package let output: Tensor
    /// The values of the input that they were computed from.
    fileprivate let pooledInput: Tensor
    /// Their indices inside their channels.
    fileprivate let argMaxIndices: [Int32]
  }

  /// The gradients with respect to the input, the scale and the shift, given that of the pooled values.
  /// - Throws: `Cancelled`.
  package func gradients(
    _ outputGradient: Tensor, of pooled: Pooled, geometry: PoolingGeometry, work: WorkContext
  ) throws(Cancelled) -> (input: Tensor, scale: Tensor, shift: Tensor) {
    precondition(
      pooled.output.shape == outputGradient.shape,
      "gradient \(outputGradient.shape) for \(pooled.output.shape)")
    let terms = try gradientTerms(outputGradient, of: pooled.pooledInput, work: work)
    let gradient = try ArgMaxScatter(
      gradient: outputGradient, argMaxIndices: pooled.argMaxIndices, geometry: geometry,
      inputExtent: input.extent,
      coefficients: zip(gates, terms.coefficients).map {
        ScatterCoefficients(gate: $0, gradientScale: $1.x, sourceScale: $1.y, shift: $1.z)
      }, gated: pooled.pooledInput, source: input
    )(work: work)
    return (gradient, terms.scale, terms.shift)
  }

  private func reluOutput(_ values: Tensor, work: WorkContext) throws(Cancelled) -> Tensor {
    let level = KernelLevel.current
    return try mapChunks(of: values, work: work) { channel, range, values, output in
      pointwise_gated_affine(
        level, values.start + range.lowerBound, output.start + range.lowerBound, range.count, gates[channel])
    }
  }

  private func gradientTerms(
    _ outputGradient: Tensor, of values: Tensor, work: WorkContext
  ) throws(Cancelled) -> NormalisationGradientTerms {
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
    return NormalisationGradientTerms(sums, scale: scale, statistics: statistics)
  }
}
