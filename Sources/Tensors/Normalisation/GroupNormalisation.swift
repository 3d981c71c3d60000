import CKernels
import Work

/// Group normalisation: (x - mean) / sqrt(variance + epsilon) · scale + shift, with the mean and the biased variance of
/// each group of channels of each sample over the whole image.
///
/// With a group for each channel it is instance normalisation. ONNX's `GroupNormalization` (version 21) and
/// `InstanceNormalization`, PyTorch's `GroupNorm` and `InstanceNorm3d`.
package struct GroupNormalisation: Sendable {
  /// Groups of consecutive channels, a divisor of their number; nil for a group for each channel.
  package let groups: Int?
  /// Added to the variance.
  package let epsilon: Float
  /// [C] each; nil for 1 and 0.
  private let scale, shift: [Float]?

  package init(groups: Int?, epsilon: Float, scale: Tensor?, shift: Tensor?) {
    self.groups = groups
    self.epsilon = epsilon
    self.scale = scale?.elements
    self.shift = shift?.elements
  }

  /// Bytes of scale and shift.
  var weightBytes: Int { ((scale?.count ?? 0) + (shift?.count ?? 0)) * MemoryLayout<Float>.stride }

  /// The statistics of `input`, [N, C, D, H, W].
  /// - Throws: `Cancelled`.
  package func statistics(of input: Tensor, work: WorkContext) throws(Cancelled) -> GroupStatistics {
    try input.withWindow { window throws(Cancelled) in try statistics(of: window, work: work) }
  }

  /// The statistics of `input`, which holds all planes.
  func statistics(of input: ActivationWindow, work: WorkContext) throws(Cancelled) -> GroupStatistics {
    try GroupStatistics(of: input, groups: groups ?? input.channels, epsilon: epsilon, work: work)
  }

  /// The normalised `input`, [N, C, D, H, W], given its statistics.
  /// - Throws: `Cancelled`.
  package func output(
    of input: Tensor, _ statistics: GroupStatistics, work: WorkContext
  ) throws(Cancelled) -> Tensor {
    try input.withWindow { input throws(Cancelled) in
      let shape = [input.batch, input.channels, input.extent.d, input.extent.h, input.extent.w]
      return try Tensor(shape: shape) { output throws(Cancelled) in
        try write(input, statistics, negativeSlope: 1, into: output, work: work)
      }
    }
  }

  /// Writes the planes of `output`, which may be a part of `input`; negative results are multiplied by `negativeSlope`.
  func write(
    _ input: ActivationWindow, _ statistics: GroupStatistics, negativeSlope: Float,
    into output: ActivationWindow, work: WorkContext
  ) throws(Cancelled) {
    let level = KernelLevel.current
    try work.forEachChunk(of: output, reading: input) { sample, channel, range, source, target in
      let (mean, inverseDeviation) = statistics(sample: sample, channel: channel)
      let centre = Float(mean)
      let factor = inverseDeviation * Double(scale?[channel] ?? 1)
      elementwise_normalise(
        level, source, target, range.count,
        elementwise_normalisation(
          centre: centre, scale: Float(factor),
          // What rounding the mean to a float leaves.
          shift: Float((Double(centre) - mean) * factor + Double(shift?[channel] ?? 0)),
          negative_slope: negativeSlope))
    }
  }

  /// The gradients of a loss with respect to the input, the scale and the shift, given that of the output; it
  /// differentiates through mean and variance.
  /// - Throws: `Cancelled`.
  package func gradients(
    input: Tensor, outputGradient: Tensor, _ statistics: GroupStatistics, work: WorkContext
  ) throws(Cancelled) -> (input: Tensor, scale: Tensor, shift: Tensor) {
    precondition(
      input.shape == outputGradient.shape, "gradient \(outputGradient.shape) for input \(input.shape)")
    return try input.withWindow { input throws(Cancelled) in
      try outputGradient.withWindow { gradient throws(Cancelled) in
        let sums = try gradientSums(input, gradient, statistics, work: work)
        let terms = terms(sums, statistics, channels: input.channels)
        let level = KernelLevel.current
        let shape = [input.batch, input.channels, input.extent.d, input.extent.h, input.extent.w]
        let inputGradient = try Tensor(shape: shape) { output throws(Cancelled) in
          try work.forEachChunk(of: output, reading: gradient) { sample, channel, range, gradient, target in
            let term = terms.coefficients[sample * input.channels + channel]
            let values = input.start(sample: sample, channel: channel) + range.lowerBound
            let centre = Float(statistics(sample: sample, channel: channel).mean)
            elementwise_centred_combine(
              level, gradient, values, target, range.count, term.x, term.y, centre, term.z)
          }
        }
        return (inputGradient, terms.scale, terms.shift)
      }
    }
  }

  /// Per sample and channel the sums of the gradient and of its products with the normalised values.
  private func gradientSums(
    _ input: ActivationWindow, _ gradient: ActivationWindow, _ statistics: GroupStatistics,
    work: WorkContext
  ) throws(Cancelled) -> [SIMD2<Double>] {
    let chunks = Chunks(count: input.extent.product)
    let level = KernelLevel.current
    var parts = [SIMD2<Double>](repeating: .zero, count: input.batch * input.channels * chunks.number)
    try parts.withDisjointBuffer { parts throws(Cancelled) in
      try work.forEach(count: parts.count) { index, _ in
        let (plane, range) = (index / chunks.number, chunks.range(index % chunks.number))
        let (sample, channel) = (plane / input.channels, plane % input.channels)
        let (mean, inverseDeviation) = statistics(sample: sample, channel: channel)
        let sums = pairOfSums {
          pointwise_products(
            level, gradient.start(sample: sample, channel: channel) + range.lowerBound,
            input.start(sample: sample, channel: channel) + range.lowerBound, range.count, Float(mean), $0)
        }
        let rest = Double(Float(mean)) - mean
        parts[index] = SIMD2(sums.x, (sums.y + rest * sums.x) * inverseDeviation)
      }
    }
    return (0..<input.batch * input.channels).map { plane in
      parts[plane * chunks.number..<(plane + 1) * chunks.number].reduce(.zero, +)
    }
  }

  /// The gradients of scale and shift, and per sample and channel the coefficients of the input's:
  /// x · output gradient + y · (input - mean) + z.
  private func terms(
    _ sums: [SIMD2<Double>], _ statistics: GroupStatistics, channels: Int
  ) -> (coefficients: [SIMD3<Float>], scale: Tensor, shift: Tensor) {
    var scaleGradient = [Double](repeating: 0, count: channels)
    var shiftGradient = scaleGradient
    var coefficients: [SIMD3<Float>] = []
    for first in stride(from: 0, to: sums.count, by: statistics.groupChannels) {
      let group = first..<first + statistics.groupChannels
      var total = SIMD2<Double>.zero
      for plane in group {
        let channel = plane % channels
        shiftGradient[channel] += sums[plane].x
        scaleGradient[channel] += sums[plane].y
        total += Double(scale?[channel] ?? 1) * sums[plane]
      }
      let (mean, inverse) = statistics(sample: first / channels, channel: first % channels)
      let mid = total / statistics.count
      let inputFactor = -inverse * inverse * mid.y
      // What rounding the mean to a float leaves.
      let shift = -inverse * mid.x + inputFactor * (Double(Float(mean)) - mean)
      for plane in group {
        let factor = Double(scale?[plane % channels] ?? 1) * inverse
        coefficients.append(SIMD3(Float(factor), Float(inputFactor), Float(shift)))
      }
    }
    func tensor(_ values: [Double]) -> Tensor {
      Tensor(shape: [channels], elements: values.map { Float($0) })
    }
    return (coefficients, tensor(scaleGradient), tensor(shiftGradient))
  }
}

/// A group normalisation at inference, with a ReLU or leaky ReLU fused after it.
package struct PreparedGroupNormalisation: SingleInputOperation {
  private let normalisation: GroupNormalisation
  /// The factor of negative results: 1 without an activation, 0 for a ReLU.
  private let negativeSlope: Float

  package init(_ normalisation: GroupNormalisation, negativeSlope: Float = 1) {
    self.normalisation = normalisation
    self.negativeSlope = negativeSlope
  }

  package var kernelName: String {
    let activation = negativeSlope == 1 ? "" : negativeSlope == 0 ? ", relu" : ", leaky relu"
    return (normalisation.groups == nil ? "instance normalisation" : "group normalisation") + activation
  }
  package var worksInPlace: Bool { true }
  package var weightBytes: Int { normalisation.weightBytes }
  package func outputChannels(_ channels: Int) -> Int { channels }
  package func outputExtent(_ input: Extent3) -> Extent3? { input }
  package func inputPlanes(for planes: Range<Int>, inputDepth: Int) -> Range<Int> {
    planes.isEmpty ? 0..<0 : 0..<inputDepth
  }
  package func operationCount(input: Extent3, channels: Int) -> Double {
    8 * Double(channels * input.product)
  }
  package func scratchCount(planes: Int, input: Extent3, channels: Int, batch: Int, threadCount: Int) -> Int {
    0
  }

  package func run(
    _ input: ActivationWindow, into output: ActivationWindow, scratch: DisjointBuffer<Float>,
    work: WorkContext
  ) throws(Cancelled) {
    let statistics = try normalisation.statistics(of: input, work: work)
    try normalisation.write(
      input, statistics, negativeSlope: negativeSlope, into: output, work: work)
  }
}
