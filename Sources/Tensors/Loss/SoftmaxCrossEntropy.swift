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
  try meanOfVoxels(
    logits: logits, labels: labels, ignoredLabel: ignoredLabel, classWeights: classWeights,
    gradientFactor: gradientFactor, work: work
  ) { voxels, weights in
    pointwise_cross_entropy(
      voxels.level, voxels.logits, voxels.channels, voxels.stride, voxels.count, voxels.labels, weights)
  }
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
