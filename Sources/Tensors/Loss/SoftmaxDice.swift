import CKernels
import Work

/// One minus the mean soft Dice overlap between the softmax of `logits` and `labels`, and its gradient with respect to
/// the logits.
///
/// The overlap of a class c, taken over the whole batch, is (2 Σ p t + 1) / (Σ p + Σ t + 1) with the probabilities p
/// and the indicator t of the class (Milletari et al. 2016, sums instead of squares). Class 0, the background, and
/// classes without voxels are excluded from the mean; loss and gradient are 0 where no class remains.
///
/// - Parameters:
///   - logits: [N, C, D, H, W].
///   - labels: One per voxel, [N, D, H, W]; below C or `ignoredLabel`.
///   - ignoredLabel: A label whose voxels are excluded.
///   - gradientFactor: Multiplies the gradient, not the loss.
/// - Throws: `Cancelled`.
package func softmaxDice(
  logits: Tensor, labels: LabelsWithHistogram, ignoredLabel: UInt8? = nil, gradientFactor: Double = 1,
  work: WorkContext
) throws(Cancelled) -> (loss: Double, gradient: Tensor) {
  let (channels, voxels) = (logits.channels, logits.extent.product)
  precondition(
    labels.labels.count == logits.batch * voxels,
    "\(labels.labels.count) labels for \(logits.batch * voxels) voxels")
  let chunks = Chunks(count: voxels)
  let count = logits.batch * chunks.number
  let level = KernelLevel.current
  let ignored = Int32(ignoredLabel.map(Int.init) ?? -1)
  var parts = [SIMD2<Double>](repeating: .zero, count: count * channels)
  var loss = 0.0
  let gradient = try filledTensor(shape: logits.shape) { elements throws(Cancelled) in
    try labels.labels.withSharedBuffer { labelBuffer throws(Cancelled) in
      @Sendable func chunk(_ index: Int) -> (start: Int, labels: UnsafePointer<UInt8>, count: Int) {
        let (sample, range) = (index / chunks.number, chunks.range(index % chunks.number))
        return (
          sample * channels * voxels + range.lowerBound,
          labelBuffer.start + sample * voxels + range.lowerBound,
          range.count
        )
      }
      try parts.withDisjointBuffer { parts throws(Cancelled) in
        try logits.elements.withSharedBuffer { logits throws(Cancelled) in
          try work.forEach(count: count) { index, _ in
            let (start, labels, size) = chunk(index)
            for channel in 0..<channels {
              let offset = start + channel * voxels
              (elements.start + offset).initialize(from: logits.start + offset, count: size)
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
        // The background has no Dice.
        let counts = channel > 0 && ignored != channel
        return ClassOverlap(sums, labelled: counts ? labels.counts[channel] : 0)
      }
      let present = overlaps.filter { $0.labelled > 0 }
      guard !present.isEmpty else {
        return elements.start.initialize(repeating: 0, count: elements.count)
      }
      loss = 1 - present.reduce(0) { $0 + $1.dice } / Double(present.count)
      let factor = gradientFactor / Double(present.count)
      try overlaps.map { Float($0.derivativeInside * factor) }.withSharedBuffer { inside throws(Cancelled) in
        try overlaps.map { Float($0.derivativeOutside * factor) }.withSharedBuffer {
          outside throws(Cancelled) in
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

/// The sums of one class that its soft Dice overlap is computed from; all 0 for a class without voxels.
private struct ClassOverlap: Sendable {
  private var common = 0.0
  private var union = 1.0
  private(set) var labelled = 0

  /// - Parameter sums: The sum of the class's probabilities over all voxels that are not ignored, and over its own
  ///   voxels.
  init(_ sums: SIMD2<Double>, labelled: Int) {
    guard labelled > 0 else { return }
    common = sums.y
    union = sums.x + Double(labelled) + 1
    self.labelled = labelled
  }

  var dice: Double { (2 * common + 1) / union }

  /// Derivatives of 1 - dice with respect to the probability of a voxel with the class's label, and of any other voxel.
  var derivativeInside: Double { labelled > 0 ? (dice - 2) / union : 0 }
  var derivativeOutside: Double { labelled > 0 ? dice / union : 0 }
}

/// The loss of ``softmaxDice(logits:labels:ignoredLabel:gradientFactor:work:)``, in double precision.
package func softmaxDiceReference(
  logits: ReferenceTensor, labels: [UInt8], ignoredLabel: UInt8? = nil
) -> Double {
  let (channels, voxels) = (logits.channels, logits.extent.product)
  let probabilities = softmaxReference(logits)
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
