import CKernels
import Foundation
import Work

/// The mean focal loss between the softmax of `logits` and `labels`, and its gradient with respect to the logits.
///
/// The loss of a voxel is -(1 - p)^gamma log p for the probability p of its label (Lin and others 2017). With gamma 0 it is the cross-entropy. Each voxel is weighted by its label's class weight, and the mean divides by the
/// sum of the weights, as in ``softmaxCrossEntropy(logits:labels:ignoredLabel:classWeights:gradientFactor:work:)``. Loss
/// and gradient are 0 where that sum is 0.
///
/// - Parameters:
///   - logits: [N, C, D, H, W]; the gradient reuses their memory where no other reference exists.
///   - labels: One per voxel, [N, D, H, W]; below C or `ignoredLabel`.
///   - gamma: 0 or more; voxels that are almost right count less the larger it is.
///   - ignoredLabel: A label whose voxels are excluded.
///   - classWeights: One per class; 1 for each where nil.
///   - gradientFactor: Multiplies the gradient, not the loss.
/// - Throws: `Cancelled`.
package func softmaxFocal(
  logits: consuming Tensor, labels: LabelsWithHistogram, gamma: Double, ignoredLabel: UInt8? = nil,
  classWeights: [Float]? = nil, gradientFactor: Double = 1, work: WorkContext
) throws(Cancelled) -> (loss: Double, gradient: Tensor) {
  precondition(gamma >= 0, "a focal loss of gamma \(gamma)")
  let gamma = Float(gamma)
  return try meanOfVoxels(
    logits: logits, labels: labels, ignoredLabel: ignoredLabel, classWeights: classWeights,
    gradientFactor: gradientFactor, work: work
  ) { voxels, weights in
    pointwise_focal(
      voxels.level, voxels.logits, voxels.channels, voxels.stride, voxels.count, voxels.labels, weights, gamma
    )
  }
}

/// The loss of ``softmaxFocal(logits:labels:gamma:ignoredLabel:classWeights:gradientFactor:work:)``, in double
/// precision.
package func softmaxFocalReference(
  logits: ReferenceTensor, labels: [UInt8], gamma: Double, ignoredLabel: UInt8? = nil,
  classWeights: [Double]? = nil
) -> Double {
  let (channels, voxels) = (logits.channels, logits.extent.product)
  let weights = classWeights ?? [Double](repeating: 1, count: channels)
  let probabilities = softmaxReference(logits)
  var (loss, total) = (0.0, 0.0)
  for (index, label) in labels.enumerated() where label != ignoredLabel {
    let start = index / voxels * channels * voxels + index % voxels
    let probability = probabilities.elements[start + Int(label) * voxels]
    loss -= weights[Int(label)] * pow(1 - probability, gamma) * log(probability)
    total += weights[Int(label)]
  }
  return total > 0 ? loss / total : 0
}
