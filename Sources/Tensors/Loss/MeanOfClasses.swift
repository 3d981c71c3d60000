import CKernels
import Work

/// The sums of one class's probabilities p, over the voxels of a batch that are not ignored.
struct ClassSums {
  /// Σ p.
  let all: Double
  /// Σ p over the voxels of the class.
  let own: Double
  /// Σ p².
  let squares: Double
  /// Voxels of the class, 1 or more.
  let labelled: Double
}

/// The loss of one class and its derivative with respect to the probability p of a voxel.
struct ClassLoss {
  let loss: Double
  /// The derivative less ``slope`` · p at voxels of the class, and at all others.
  let inside, outside: Double
  /// The part of the derivative that grows with p.
  var slope = 0.0
}

/// The mean over classes of a loss that depends on sums over the whole batch, and its gradient with respect to the
/// logits.
///
/// Class 0, the background, and classes without voxels are excluded from the mean; loss and gradient are 0 where no
/// class remains.
///
/// - Parameters:
///   - logits: [N, C, D, H, W]; the gradient reuses their memory where no other reference exists.
///   - labels: One per voxel, [N, D, H, W]; below C or `ignoredLabel`.
///   - ignoredLabel: A label whose voxels are excluded.
///   - gradientFactor: Multiplies the gradient, not the loss.
/// - Throws: `Cancelled`.
func meanOfClasses(
  logits: consuming Tensor, labels: LabelsWithHistogram, ignoredLabel: UInt8?, gradientFactor: Double,
  work: WorkContext, _ classLoss: (ClassSums) -> ClassLoss
) throws(Cancelled) -> (loss: Double, gradient: Tensor) {
  var gradient = consume logits
  let (channels, voxels, samples) = (gradient.channels, gradient.extent.product, gradient.batch)
  precondition(
    labels.labels.count == samples * voxels, "\(labels.labels.count) labels for \(samples * voxels) voxels")
  let ignored = Int32(ignoredLabel.map(Int.init) ?? -1)
  let present = (1..<max(channels, 1)).filter { labels.counts[$0] > 0 && $0 != ignored }
  guard !present.isEmpty else { return (0, Tensor(shape: gradient.shape)) }

  let chunks = Chunks(count: voxels)
  let count = samples * chunks.number
  let level = KernelLevel.current
  var parts = [class_sums](repeating: class_sums(), count: count * channels)
  var loss = 0.0
  try gradient.elements.withDisjointBuffer { elements throws(Cancelled) in
    try labels.labels.withSharedBuffer { labelBuffer throws(Cancelled) in
      @Sendable func chunk(
        _ index: Int
      ) -> (voxels: UnsafeMutablePointer<Float>, labels: UnsafePointer<UInt8>, count: Int) {
        let (sample, range) = (index / chunks.number, chunks.range(index % chunks.number))
        return (
          elements.start + sample * channels * voxels + range.lowerBound,
          labelBuffer.start + sample * voxels + range.lowerBound, range.count
        )
      }
      try parts.withDisjointBuffer { parts throws(Cancelled) in
        try work.forEach(count: count) { index, _ in
          let (start, labels, size) = chunk(index)
          pointwise_softmax(level, start, Int32(channels), voxels, size, nil)
          for channel in 0..<channels {
            parts[index * channels + channel] = pointwise_class_sums(
              level, start + channel * voxels, size, labels, Int32(channel), ignored)
          }
        }
      }
      var derivatives = [class_derivative](repeating: class_derivative(), count: channels)
      let factor = gradientFactor / Double(present.count)
      for channel in present {
        let own = stride(from: channel, to: parts.count, by: channels).map { parts[$0] }
        let found = classLoss(
          ClassSums(
            all: own.reduce(0) { $0 + $1.all }, own: own.reduce(0) { $0 + $1.own },
            squares: own.reduce(0) { $0 + $1.squares }, labelled: Double(labels.counts[channel])))
        loss += found.loss
        derivatives[channel] = class_derivative(
          inside: Float(found.inside * factor), outside: Float(found.outside * factor),
          slope: Float(found.slope * factor))
      }
      try derivatives.withSharedBuffer { derivatives throws(Cancelled) in
        try work.forEach(count: count) { index, _ in
          let (start, labels, size) = chunk(index)
          pointwise_softmax_gradient(
            level, start, Int32(channels), voxels, size, labels, ignored, derivatives.start)
        }
      }
    }
  }
  return (loss / Double(present.count), gradient)
}

/// The mean over the classes above 0 that have voxels of a loss of one class's probabilities p and indicators t, in double
/// precision; 0 where no class has any.
/// - Parameter classLoss: The loss of p and t over all voxels that are not ignored.
func meanOfClassesReference(
  logits: ReferenceTensor, labels: [UInt8], ignoredLabel: UInt8?,
  _ classLoss: (_ p: [Double], _ t: [Double]) -> Double
) -> Double {
  let (channels, voxels) = (logits.channels, logits.extent.product)
  let probabilities = softmaxReference(logits)
  let counted = labels.indices.filter { labels[$0] != ignoredLabel }
  func values(ofClass channel: Int) -> (p: [Double], t: [Double]) {
    let offsets = counted.map { ($0 / voxels * channels + channel) * voxels + $0 % voxels }
    return (offsets.map { probabilities.elements[$0] }, counted.map { labels[$0] == channel ? 1 : 0 })
  }
  let present = (1..<channels).map(values).filter { $0.t.contains(1) }
  guard !present.isEmpty else { return 0 }
  return present.reduce(0) { $0 + classLoss($1.p, $1.t) } / Double(present.count)
}
