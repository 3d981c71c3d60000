import CKernels
import Work

/// One minus the mean soft Dice overlap between the softmax of `scores` and `labels`, and its gradient with respect to
/// the scores.
///
/// The overlap of a class c, taken over the whole batch, is (2 Σ p t + 1) / (Σ p + Σ t + 1) with the probabilities p and
/// the indicator t of the class (Milletari et al. 2016, sums instead of squares). Class 0, the background, and classes
/// that no counted voxel has are left out of the mean; where none is left, loss and gradient are 0.
///
/// - Parameters:
///   - scores: [N, C, D, H, W].
///   - labels: One per voxel, sample after sample; below C or `ignoredLabel`.
///   - ignoredLabel: A label whose voxels do not count.
/// - Throws: `Cancelled`.
package func softmaxDice(
  scores: Tensor, labels: [UInt8], ignoredLabel: UInt8? = nil, work: WorkContext
) throws(Cancelled) -> (loss: Double, gradient: Tensor) {
  let (channels, voxels) = (scores.channels, scores.extent.product)
  precondition(
    labels.count == scores.batch * voxels, "\(labels.count) labels for \(scores.batch * voxels) voxels")
  let chunks = Chunks(count: voxels)
  let count = scores.batch * chunks.number
  let level = KernelLevel.current
  let ignored = ignoredLabel.map(Int.init) ?? -1
  var gradient = scores
  var parts = [ClassOverlap](repeating: ClassOverlap(), count: count * channels)
  try gradient.elements.withDisjointBuffer { elements throws(Cancelled) in
    try labels.withSharedBuffer { labels throws(Cancelled) in
      @Sendable func chunk(_ index: Int) -> (UnsafeMutablePointer<Float>, UnsafePointer<UInt8>, count: Int) {
        let (sample, range) = (index / chunks.number, chunks.range(index % chunks.number))
        return (
          elements.start + sample * channels * voxels + range.lowerBound,
          labels.start + sample * voxels + range.lowerBound, range.count
        )
      }
      try parts.withDisjointBuffer { parts throws(Cancelled) in
        try work.forEach(count: count) { index, _ in
          let (values, labels, size) = chunk(index)
          pointwise_softmax(level, values, Int32(channels), voxels, size, nil)
          for channel in 1..<max(channels, 1) {
            var part = ClassOverlap()
            part.add(values + channel * voxels, labels, size, label: channel, ignored: ignored)
            parts[index * channels + channel] = part
          }
        }
      }
      var classes = [ClassOverlap](repeating: ClassOverlap(), count: channels)
      for (index, part) in parts.enumerated() { classes[index % channels].add(part) }
      parts = classes
      let slopes = OverlapSlopes(classes)
      try work.forEach(count: count) { index, _ in
        let (values, labels, size) = chunk(index)
        slopes.turnIntoGradient(values, labels, size, stride: voxels, ignored: ignored)
      }
    }
  }
  let present = parts.filter { $0.labelled > 0 }
  let loss = present.isEmpty ? 0 : 1 - present.reduce(0) { $0 + $1.dice } / Double(present.count)
  return (loss, gradient)
}

/// The sums of one class from which its soft Dice overlap is made.
private struct ClassOverlap: Sendable {
  var probability = 0.0
  var common = 0.0
  var labelled = 0.0

  var union: Double { probability + labelled + 1 }
  var dice: Double { (2 * common + 1) / union }

  mutating func add(_ other: ClassOverlap) {
    probability += other.probability
    common += other.common
    labelled += other.labelled
  }

  mutating func add(
    _ probabilities: UnsafePointer<Float>, _ labels: UnsafePointer<UInt8>, _ count: Int, label: Int,
    ignored: Int
  ) {
    for voxel in 0..<count where Int(labels[voxel]) != ignored {
      let value = Double(probabilities[voxel])
      probability += value
      if Int(labels[voxel]) == label {
        common += value
        labelled += 1
      }
    }
  }
}

/// Derivatives of the loss by the probability of each class: one inside the class's label, one outside.
private struct OverlapSlopes: Sendable {
  private var inside: [Float]
  private var outside: [Float]

  init(_ classes: [ClassOverlap]) {
    let present = Double(max(1, classes.count { $0.labelled > 0 }))
    outside = classes.map { $0.labelled > 0 ? Float($0.dice / $0.union / present) : 0 }
    inside = classes.map { $0.labelled > 0 ? Float(($0.dice - 2) / $0.union / present) : 0 }
  }

  /// Replaces probabilities p by p (g - Σ g p), the derivatives by the scores, with the slopes g.
  func turnIntoGradient(
    _ values: UnsafeMutablePointer<Float>, _ labels: UnsafePointer<UInt8>, _ count: Int, stride: Int,
    ignored: Int
  ) {
    for voxel in 0..<count {
      let label = Int(labels[voxel])
      func slope(_ channel: Int) -> Float { channel == label ? inside[channel] : outside[channel] }
      var mean: Float = 0
      for channel in inside.indices { mean += slope(channel) * values[channel * stride + voxel] }
      for channel in inside.indices {
        let offset = channel * stride + voxel
        values[offset] = label == ignored ? 0 : values[offset] * (slope(channel) - mean)
      }
    }
  }
}

/// The loss of ``softmaxDice(scores:labels:ignoredLabel:work:)``, in double precision.
package func softmaxDiceReference(
  scores: ReferenceTensor, labels: [UInt8], ignoredLabel: UInt8? = nil
) -> Double {
  let (channels, voxels) = (scores.channels, scores.extent.product)
  let probabilities = softmaxReference(scores)
  var overlaps: [Double] = []
  for channel in 1..<channels where labels.contains(UInt8(channel)) {
    var (common, sum) = (0.0, 0.0)
    for (index, label) in labels.enumerated() where label != ignoredLabel {
      let value = probabilities.elements[(index / voxels * channels + channel) * voxels + index % voxels]
      sum += value + (label == channel ? 1 : 0)
      common += label == channel ? value : 0
    }
    overlaps.append((2 * common + 1) / (sum + 1))
  }
  return overlaps.isEmpty ? 0 : 1 - overlaps.reduce(0, +) / Double(overlaps.count)
}
