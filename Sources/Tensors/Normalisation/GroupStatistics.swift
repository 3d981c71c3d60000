import CKernels
import Work

/// The number, the mean and the sum of squared deviations from the mean of some values.
struct Moments: Sendable {
  var count = 0.0
  var mean = 0.0
  var squares = 0.0

  init() {}

  /// Those of `count` > 0 floats, which are read twice: deviations from their own mean do not cancel, whatever the mean.
  init(_ values: UnsafePointer<Float>, count: Int, level: kernels_level) {
    let number = Double(count)
    func sums(_ pivot: Float) -> SIMD2<Double> {
      pairOfSums { pointwise_moments(level, values, count, pivot, $0) }
    }
    let pivot = Float(Double(values[0]) + sums(values[0]).x / number)
    let deviations = sums(pivot)
    self.count = number
    mean = Double(pivot) + deviations.x / number
    squares = max(0, deviations.y - deviations.x * deviations.x / number)
  }

  /// Adds the values of `other` (Chan, Golub and LeVeque 1983).
  mutating func merge(_ other: Moments) {
    let total = count + other.count
    guard total > 0 else { return }
    let difference = other.mean - mean
    squares += other.squares + difference * difference * count * other.count / total
    mean += difference * other.count / total
    count = total
  }
}

/// The mean and the standard deviation of each group of channels of each sample.
package struct GroupStatistics: Sendable {
  /// Channels of one group.
  let groupChannels: Int
  /// Channels of a sample.
  private let channels: Int
  /// Values of one group of one sample.
  let count: Double
  /// Per sample and group.
  private let means, inverseDeviations: [Double]

  /// Those of `groups` groups of the channels of `input`, which holds all planes; deviations are
  /// sqrt(biased variance + epsilon).
  ///
  /// One pass over memory; sums are in double precision between chunks that stay in the cache.
  init(
    of input: ActivationWindow, groups: Int, epsilon: Float, work: WorkContext
  ) throws(Cancelled) {
    precondition(
      groups > 0 && input.channels % groups == 0 && input.planes == 0..<input.extent.d,
      "\(groups) groups of \(input.channels) channels, planes \(input.planes) of \(input.extent)")
    channels = input.channels
    groupChannels = channels / groups
    let chunks = Chunks(count: input.extent.product)
    let level = KernelLevel.current
    var parts = [Moments](repeating: Moments(), count: input.batch * channels * chunks.number)
    try parts.withDisjointBuffer { parts throws(Cancelled) in
      try work.forEach(count: parts.count) { index, _ in
        let (plane, range) = (index / chunks.number, chunks.range(index % chunks.number))
        let start = input.start(sample: plane / input.channels, channel: plane % input.channels)
        parts[index] = Moments(start + range.lowerBound, count: range.count, level: level)
      }
    }
    let partsPerGroup = groupChannels * chunks.number
    let moments = (0..<input.batch * groups).map { group in
      parts[group * partsPerGroup..<(group + 1) * partsPerGroup].reduce(into: Moments()) { $0.merge($1) }
    }
    count = Double(groupChannels * input.extent.product)
    means = moments.map(\.mean)
    inverseDeviations = moments.map { 1 / ($0.squares / $0.count + Double(epsilon)).squareRoot() }
  }

  /// Mean and inverse standard deviation of the group of a channel of a sample.
  func callAsFunction(sample: Int, channel: Int) -> (mean: Double, inverseDeviation: Double) {
    let group = (sample * channels + channel) / groupChannels
    return (means[group], inverseDeviations[group])
  }
}
