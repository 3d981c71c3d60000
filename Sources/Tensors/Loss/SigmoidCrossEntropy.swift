import CKernels
import Foundation
import Work

/// The mean binary cross-entropy between the sigmoid of `logits` and the regions of labels, and its gradient with respect
/// to the logits, as PyTorch's `binary_cross_entropy_with_logits`.
///
/// Each region is weighted; the mean over voxels and regions divides by the sum of the weights. Loss and gradient are 0
/// where that sum is 0.
///
/// - Parameters:
///   - logits: [N, regions, D, H, W]; the gradient reuses their memory where no other reference exists.
///   - labels: One per voxel, [N, D, H, W].
///   - regions: The labels of each channel's region.
///   - ignoredLabel: A label whose voxels are excluded.
///   - regionWeights: One per region; 1 for each where nil.
///   - gradientFactor: Multiplies the gradient, not the loss.
/// - Throws: `Cancelled`.
package func sigmoidCrossEntropy(
  logits: consuming Tensor, labels: LabelsWithHistogram, regions: LabelRegions,
  ignoredLabel: UInt8? = nil,
  regionWeights: [Float]? = nil, gradientFactor: Double = 1, work: WorkContext
) throws(Cancelled) -> (loss: Double, gradient: Tensor) {
  var gradient = consume logits
  let weights = regionWeights ?? [Float](repeating: 1, count: regions.count)
  precondition(
    weights.count == regions.count, "\(weights.count) weights for \(regions.count) regions")
  let voxels = regions.voxelCounts(of: labels, ignoredLabel: ignoredLabel).all
  let total = weights.reduce(0) { $0 + Double($1) } * Double(voxels)
  guard total > 0 else { return (0, Tensor(shape: gradient.shape)) }
  let voxelWeights = weights.map { Float(Double($0) / total * gradientFactor) }
  let level = KernelLevel.current
  let losses = try regions.map(
    &gradient, labels: labels.labels, ignoredLabel: ignoredLabel, initial: 0.0, work: work
  ) { region, logits, targets in
    let (start, weight) = (logits.baseAddress!, voxelWeights[region])
    var loss = 0.0
    withUnsafeTemporaryAllocation(of: Float.self, capacity: logits.count) { softplus in
      // -log p = softplus(x) - x inside of the region and -log(1 - p) = softplus(x) outside.
      activation_apply(
        level, Activation.softplus.kernel, start, softplus.baseAddress!, logits.count)
      for voxel in logits.indices where targets[voxel] != LabelRegions.Target.ignored {
        loss += Double(
          softplus[voxel] - (targets[voxel] == LabelRegions.Target.inside ? logits[voxel] : 0))
      }
    }
    activation_apply(level, Activation.sigmoid.kernel, start, start, logits.count)
    for voxel in logits.indices {
      let difference = logits[voxel] - Float(targets[voxel])
      logits[voxel] = targets[voxel] == LabelRegions.Target.ignored ? 0 : weight * difference
    }
    return loss
  }
  let loss = zip(weights, losses).reduce(0) { $0 + Double($1.0) * $1.1.reduce(0, +) }
  return (loss / total, gradient)
}

/// The loss of ``sigmoidCrossEntropy(logits:labels:regions:ignoredLabel:regionWeights:gradientFactor:work:)``, in double
/// precision.
package func sigmoidCrossEntropyReference(
  logits: ReferenceTensor, labels: [UInt8], regions: LabelRegions, ignoredLabel: UInt8? = nil,
  regionWeights: [Double]? = nil
) -> Double {
  let (channels, voxels) = (logits.channels, logits.extent.product)
  let weights = regionWeights ?? [Double](repeating: 1, count: channels)
  var (loss, total) = (0.0, 0.0)
  for (index, label) in labels.enumerated() where label != ignoredLabel {
    for (channel, region) in regions.labels.enumerated() {
      let logit = logits.elements[(index / voxels * channels + channel) * voxels + index % voxels]
      let probability = 1 / (1 + exp(region.contains(label) ? -logit : logit))
      loss -= weights[channel] * log(probability)
      total += weights[channel]
    }
  }
  return total > 0 ? loss / total : 0
}
