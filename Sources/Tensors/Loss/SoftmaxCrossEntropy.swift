import CKernels
import Foundation
import Work

/// The mean cross-entropy between the softmax of `logits` and `labels`, and its gradient with respect to the
/// logits, as PyTorch's `cross_entropy(weight=, ignore_index=)`.
///
/// Each voxel is weighted by its label's class weight, and the mean divides by the sum of the weights. Loss and
/// gradient are 0 where that sum is 0.
///
/// - Parameters:
///   - logits: [N, C, D, H, W]; the gradient reuses their memory where no other reference exists.
///   - labels: One per voxel, [N, D, H, W]; below C or `ignoredLabel`.
///   - ignoredLabel: A label whose voxels are excluded.
///   - classWeights: One per class; 1 for each where nil.
///   - gradientFactor: Multiplies the gradient, not the loss.
/// - Throws: `Cancelled`.
package func softmaxCrossEntropy(
  logits: consuming Tensor, labels: LabelsWithHistogram, ignoredLabel: UInt8? = nil,
  classWeights: [Float]? = nil,
  gradientFactor: Double = 1, work: WorkContext
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
            losses[index] = pointwise_cross_entropy(
              level, elements.start + sample * channels * voxels + range.lowerBound, Int32(channels), voxels,
              range.count, labels.start + sample * voxels + range.lowerBound, voxelWeights.start)
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

/// The definition of ``softmaxCrossEntropy(logits:labels:ignoredLabel:classWeights:gradientFactor:work:)``, in double
/// precision.
package func softmaxCrossEntropyReference(
  logits: ReferenceTensor, labels: [UInt8], ignoredLabel: UInt8? = nil, classWeights: [Double]? = nil
) -> (loss: Double, gradient: ReferenceTensor) {
  let (channels, voxels) = (logits.channels, logits.extent.product)
  let weights = classWeights ?? [Double](repeating: 1, count: channels)
  let probabilities = softmaxReference(logits)
  let counted = labels.indices.filter { labels[$0] != ignoredLabel }
  let total = counted.reduce(0) { $0 + weights[Int(labels[$1])] }
  var gradient = ReferenceTensor(shape: logits.shape)
  guard total > 0 else { return (0, gradient) }
  var loss = 0.0
  for index in counted {
    let (label, start) = (Int(labels[index]), index / voxels * channels * voxels + index % voxels)
    loss -= weights[label] * log(probabilities.elements[start + label * voxels])
    for channel in 0..<channels {
      gradient.elements[start + channel * voxels] =
        weights[label] / total
        * (probabilities.elements[start + channel * voxels] - (channel == label ? 1 : 0))
    }
  }
  return (loss / total, gradient)
}
