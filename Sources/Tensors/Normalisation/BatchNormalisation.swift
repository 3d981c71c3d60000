import CKernels
import Work

/// The statistics of a batch in a batch normalisation, per channel.
package struct BatchStatistics: Equatable, Sendable {
  /// Mean over samples and voxels.
  package let mean: [Float]
  /// Mean squared deviation from the mean; the batch is normalised by it.
  package let biasedVariance: [Float]
  /// 1 / sqrt(biased variance + epsilon).
  package let inverseStandardDeviation: [Float]
  /// Samples times voxels.
  package let count: Int

  /// The variance with count - 1 in the denominator, which updates PyTorch's running statistics.
  ///
  /// The biased variance where the batch has a single value.
  package var unbiasedVariance: [Float] {
    let correction = count > 1 ? Float(Double(count) / Double(count - 1)) : 1
    return biasedVariance.map { $0 * correction }
  }
}

/// Normalises every channel of `input` by the batch's own mean and variance, then scales and shifts it: batch
/// normalisation as in training.
///
/// - Parameters:
///   - input: [N, C, D, H, W].
///   - scale: [C], gamma.
///   - shift: [C], beta.
/// - Returns: The normalised batch, and the statistics for the gradients and the running averages.
/// - Throws: `Cancelled`.
package func batchNormalisation(
  _ input: Tensor, scale: Tensor, shift: Tensor, epsilon: Float = 1e-5, work: WorkContext
) throws(Cancelled) -> (output: Tensor, statistics: BatchStatistics) {
  let statistics = try batchStatistics(of: input, epsilon: epsilon, work: work)
  let output = try normalise(
    input, mean: statistics.mean, inverseStandardDeviation: statistics.inverseStandardDeviation, scale: scale,
    shift: shift,
    work: work)
  return (output, statistics)
}

/// Normalises every channel of `input` by running statistics: batch normalisation as in inference.
///
/// - Parameters:
///   - input: [N, C, D, H, W].
///   - scale: [C], gamma.
///   - shift: [C], beta.
///   - mean: [C], the running mean.
///   - variance: [C], the running variance.
/// - Throws: `Cancelled`.
package func batchNormalisation(
  _ input: Tensor, scale: Tensor, shift: Tensor, mean: Tensor, variance: Tensor, epsilon: Float = 1e-5,
  work: WorkContext
) throws(Cancelled) -> Tensor {
  let inverseStandardDeviation = variance.elements.map { 1 / ($0 + epsilon).squareRoot() }
  return try normalise(
    input, mean: mean.elements, inverseStandardDeviation: inverseStandardDeviation, scale: scale,
    shift: shift, work: work)
}

/// The gradients of a loss with respect to the input, the scale and the shift of a batch normalisation in
/// training, which differentiates through the batch's mean and variance.
/// - Throws: `Cancelled`.
package func batchNormalisationGradients(
  input: Tensor, outputGradient: Tensor, scale: Tensor, statistics: BatchStatistics, work: WorkContext
) throws(Cancelled) -> (input: Tensor, scale: Tensor, shift: Tensor) {
  precondition(
    input.shape == outputGradient.shape, "gradient \(outputGradient.shape) for input \(input.shape)")
  let level = KernelLevel.current
  let sums = try input.elements.withSharedBuffer { input throws(Cancelled) in
    try channelTotals(of: outputGradient, work: work) { channel, range, gradient in
      pairOfSums {
        pointwise_products(
          level, gradient.start + range.lowerBound, input.start + range.lowerBound, range.count,
          statistics.mean[channel], $0)
      }
    }
  }
  let terms = NormalisationGradientTerms(sums, scale: scale, statistics: statistics)
  let gradient = try input.elements.withSharedBuffer { input throws(Cancelled) in
    try mapChunks(of: outputGradient, work: work) { channel, range, outputGradient, gradient in
      let c = terms.coefficients[channel]
      pointwise_combine(
        level, outputGradient.start + range.lowerBound, input.start + range.lowerBound,
        gradient.start + range.lowerBound, range.count, c.x, c.y, c.z)
    }
  }
  return (gradient, terms.scale, terms.shift)
}

/// The gradients of a batch normalisation with respect to scale and shift, and the coefficients of that of the input.
struct NormalisationGradientTerms: Sendable {
  /// Per channel, the gradient with respect to the input is x · output gradient + y · input + z, since normalised
  /// values are (input - mean) / standard deviation.
  private(set) var coefficients: [SIMD3<Float>] = []
  /// With respect to the scale and the shift, [C] each.
  private(set) var scale, shift: Tensor

  /// Computes them from the sums, per channel, of the output gradient and of its products with input - mean.
  init(_ sums: [SIMD2<Double>], scale: Tensor, statistics: BatchStatistics) {
    self.scale = Tensor(shape: [sums.count])
    shift = self.scale
    let count = Double(statistics.count)
    for (channel, sum) in sums.enumerated() {
      let inverse = Double(statistics.inverseStandardDeviation[channel])
      let normalisedSum = sum.y * inverse
      self.scale.elements[channel] = Float(normalisedSum)
      self.shift.elements[channel] = Float(sum.x)
      let factor = Double(scale.elements[channel]) * inverse
      let inputFactor = -factor * inverse * normalisedSum / count
      let shift = -factor * sum.x / count - inputFactor * Double(statistics.mean[channel])
      coefficients.append(SIMD3(Float(factor), Float(inputFactor), Float(shift)))
    }
  }
}

func batchStatistics(
  of input: Tensor, epsilon: Float, work: WorkContext
) throws(Cancelled) -> BatchStatistics {
  let count = Double(input.batch * input.extent.product)
  let level = KernelLevel.current
  let voxels = input.extent.product
  // Deviations from the channel's first value, because sums of squares would cancel where the mean is large compared
  // with the standard deviation.
  let pivots = (0..<input.channels).map { input.elements[$0 * voxels] }
  let totals = try channelTotals(of: input, work: work) { channel, range, elements in
    pairOfSums {
      pointwise_moments(level, elements.start + range.lowerBound, range.count, pivots[channel], $0)
    }
  }
  let means = zip(totals, pivots).map { $0.x / count + Double($1) }
  let variances = totals.map { total in
    let mean = total.x / count
    return max(0, total.y / count - mean * mean)
  }
  return BatchStatistics(
    mean: means.map { Float($0) }, biasedVariance: variances.map { Float($0) },
    inverseStandardDeviation: variances.map { Float(1 / ($0 + Double(epsilon)).squareRoot()) },
    count: Int(count))
}

private func normalise(
  _ input: Tensor, mean: [Float], inverseStandardDeviation: [Float], scale: Tensor, shift: Tensor,
  work: WorkContext
) throws(Cancelled) -> Tensor {
  precondition(
    mean.count == input.channels && scale.elements.count == input.channels
      && shift.elements.count == input.channels,
    "parameters for \(mean.count) channels, input of \(input.channels)")
  let affine = channelwiseAffine(mean, inverseStandardDeviation, scale: scale, shift: shift)
  let level = KernelLevel.current
  return try mapChunks(of: input, work: work) { channel, range, input, output in
    pointwise_affine(
      level, input.start + range.lowerBound, output.start + range.lowerBound, range.count,
      affine[channel].scale, affine[channel].shift)
  }
}

/// Per channel one scale and shift that normalise it and then apply `scale` and `shift`.
func channelwiseAffine(
  _ mean: [Float], _ inverseStandardDeviation: [Float], scale: Tensor, shift: Tensor
) -> [pointwise_gate] {
  mean.indices.map { channel in
    let factor = scale.elements[channel] * inverseStandardDeviation[channel]
    return pointwise_gate(scale: factor, shift: shift.elements[channel] - mean[channel] * factor)
  }
}
