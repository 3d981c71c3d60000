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
///   - gradientFactor: Multiplies the gradient, not the loss.
/// - Throws: `Cancelled`.
package func softmaxDice(
  scores: Tensor, labels: CountedLabels, ignoredLabel: UInt8? = nil, gradientFactor: Double = 1,
  work: WorkContext
) throws(Cancelled) -> (loss: Double, gradient: Tensor) {
  let (channels, voxels) = (scores.channels, scores.extent.product)
  precondition(
    labels.labels.count == scores.batch * voxels,
    "\(labels.labels.count) labels for \(scores.batch * voxels) voxels")
  let chunks = Chunks(count: voxels)
  let count = scores.batch * chunks.number
  let level = KernelLevel.current
  let ignored = Int32(ignoredLabel.map(Int.init) ?? -1)
  var parts = [SIMD2<Double>](repeating: .zero, count: count * channels)
  var loss = 0.0
  let gradient = try filledTensor(shape: scores.shape) { elements throws(Cancelled) in
    try labels.labels.withSharedBuffer { places throws(Cancelled) in
      @Sendable func chunk(_ index: Int) -> (start: Int, labels: UnsafePointer<UInt8>, count: Int) {
        let (sample, range) = (index / chunks.number, chunks.range(index % chunks.number))
        return (
          sample * channels * voxels + range.lowerBound, places.start + sample * voxels + range.lowerBound,
          range.count
        )
      }
      try parts.withDisjointBuffer { parts throws(Cancelled) in
        try scores.elements.withSharedBuffer { scores throws(Cancelled) in
          try work.forEach(count: count) { index, _ in
            let (start, labels, size) = chunk(index)
            for channel in 0..<channels {
              let offset = start + channel * voxels
              (elements.start + offset).initialize(from: scores.start + offset, count: size)
            }
            pointwise_softmax(level, elements.start + start, Int32(channels), voxels, size, nil)
            for channel in 0..<channels {
              parts[index * channels + channel] = pairOfSums {
                pointwise_class_sums(
                  level, elements.start + start + channel * voxels, size, labels, Int32(channel), ignored, $0)
              }
            }
          }
        }
      }
      let overlaps = (0..<channels).map { channel in
        let sums = stride(from: channel, to: parts.count, by: channels).reduce(.zero) { $0 + parts[$1] }
        // Nothing for the background.
        let counts = channel > 0 && ignored != channel
        return ClassOverlap(sums, labelled: counts ? labels.counts[channel] : 0)
      }
      let present = overlaps.filter { $0.labelled > 0 }
      guard !present.isEmpty else {
        return elements.start.initialize(repeating: 0, count: elements.count)
      }
      loss = 1 - present.reduce(0) { $0 + $1.dice } / Double(present.count)
      let factor = gradientFactor / Double(present.count)
      try overlaps.map { Float($0.slopeInside * factor) }.withSharedBuffer { inside throws(Cancelled) in
        try overlaps.map { Float($0.slopeOutside * factor) }.withSharedBuffer { outside throws(Cancelled) in
          try work.forEach(count: count) { index, _ in
            let (start, labels, size) = chunk(index)
            pointwise_softmax_gradient(
              level, elements.start + start, Int32(channels), voxels, size, labels, ignored, inside.start,
              outside.start)
          }
        }
      }
    }
  }
  return (loss, gradient)
}

/// The sums of one class from which its soft Dice overlap is made, all 0 for a class that no counted voxel has.
private struct ClassOverlap: Sendable {
  private var common = 0.0
  private var union = 1.0
  private(set) var labelled = 0

  /// - Parameter sums: The class's probabilities over all counted voxels, and over those of the class.
  init(_ sums: SIMD2<Double>, labelled: Int) {
    guard labelled > 0 else { return }
    common = sums.y
    union = sums.x + Double(labelled) + 1
    self.labelled = labelled
  }

  var dice: Double { (2 * common + 1) / union }

  /// Derivatives of 1 - dice by the probability of one voxel that has the class's label, and of one that has not.
  var slopeInside: Double { labelled > 0 ? (dice - 2) / union : 0 }
  var slopeOutside: Double { labelled > 0 ? dice / union : 0 }
}

/// The loss of ``softmaxDice(scores:labels:ignoredLabel:gradientFactor:work:)``, in double precision.
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
