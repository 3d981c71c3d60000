import CKernels
import Work

/// Consecutive voxels of one image, whose logits a kernel replaces by gradients.
struct VoxelLogits {
  let level: kernels_level
  /// The logits of class 0; those of each further class lie ``stride`` floats after the class before.
  let logits: UnsafeMutablePointer<Float>
  let channels: Int32
  let stride: Int
  let count: Int
  let labels: UnsafePointer<UInt8>
}

/// The mean of a loss of single voxels, weighted by the class weights of their labels, and its gradient with respect to
/// the logits.
///
/// Loss and gradient are 0 where the sum of the weights is 0.
///
/// - Parameters:
///   - logits: [N, C, D, H, W]; the gradient reuses their memory where no other reference exists.
///   - labels: One per voxel, [N, D, H, W]; below C or `ignoredLabel`.
///   - ignoredLabel: A label whose voxels are excluded.
///   - classWeights: One per class; 1 for each where nil.
///   - gradientFactor: Multiplies the gradient, not the loss.
///   - kernel: Replaces the logits of some voxels by the gradient of the sum of their losses, each times the weight of
///     its label's class, and returns the sum; called concurrently.
/// - Throws: `Cancelled`.
func meanOfVoxels(
  logits: consuming Tensor, labels: LabelsWithHistogram, ignoredLabel: UInt8?, classWeights: [Float]?,
  gradientFactor: Double, work: WorkContext,
  _ kernel: @Sendable (_ voxels: VoxelLogits, _ weights: UnsafePointer<Float>) -> Double
) throws(Cancelled) -> (loss: Double, gradient: Tensor) {
  var gradient = consume logits
  let (channels, voxels, samples) = (gradient.channels, gradient.extent.product, gradient.batch)
  precondition(
    labels.labels.count == samples * voxels, "\(labels.labels.count) labels for \(samples * voxels) voxels")
  let weights = classWeights ?? [Float](repeating: 1, count: channels)
  precondition(weights.count == channels, "\(weights.count) class weights for \(channels) classes")
  let total = countedWeight(labels.counts, ignoredLabel: ignoredLabel, weights: weights)
  guard total > 0 else { return (0, Tensor(shape: gradient.shape)) }

  let chunks = Chunks(count: voxels)
  // Weight of one voxel of each class in the mean; 0 for the ignored label, which may be a class.
  let voxelWeights = weights.indices.map {
    ignoredLabel.map(Int.init) == $0 ? 0 : Float(Double(weights[$0]) / total * gradientFactor)
  }
  var losses = [Double](repeating: 0, count: samples * chunks.number)
  let level = KernelLevel.current
  try gradient.elements.withDisjointBuffer { elements throws(Cancelled) in
    try losses.withDisjointBuffer { losses throws(Cancelled) in
      try labels.labels.withSharedBuffer { labels throws(Cancelled) in
        try voxelWeights.withSharedBuffer { voxelWeights throws(Cancelled) in
          try work.forEach(count: losses.count) { index, _ in
            let (sample, range) = (index / chunks.number, chunks.range(index % chunks.number))
            losses[index] = kernel(
              VoxelLogits(
                level: level, logits: elements.start + sample * channels * voxels + range.lowerBound,
                channels: Int32(channels), stride: voxels, count: range.count,
                labels: labels.start + sample * voxels + range.lowerBound),
              voxelWeights.start)
          }
        }
      }
    }
  }
  return (losses.reduce(0, +) / gradientFactor, gradient)
}

/// The sum of the class weights of all voxels that are not ignored.
private func countedWeight(_ counts: [Int], ignoredLabel: UInt8?, weights: [Float]) -> Double {
  var total = 0.0
  for (label, count) in counts.enumerated() where count > 0 && label != ignoredLabel.map(Int.init) {
    precondition(label < weights.count, "label \(label) among \(weights.count) classes")
    total += Double(count) * Double(weights[label])
  }
  return total
}
