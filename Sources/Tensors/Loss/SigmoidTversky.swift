import CKernels
import Foundation
import Work

/// One minus the mean Tversky index between the sigmoid of `logits` and the regions of labels, and its gradient with
/// respect to the logits.
///
/// The index of a region is that of a class in ``softmaxTversky(logits:labels:alpha:beta:ignoredLabel:gradientFactor:work:)``.
/// Regions without voxels are excluded from the mean; loss and gradient are 0 where no region remains.
///
/// - Parameters:
///   - logits: [N, regions, D, H, W]; the gradient reuses their memory where no other reference exists.
///   - labels: One per voxel, [N, D, H, W].
///   - regions: The labels of each channel's region.
///   - alpha: The weight of false positives, 0 or more; ½ for both is the soft Dice overlap.
///   - beta: The weight of false negatives, 0 or more.
///   - ignoredLabel: A label whose voxels are excluded.
///   - gradientFactor: Multiplies the gradient, not the loss.
/// - Throws: `Cancelled`.
package func sigmoidTversky(
  logits: consuming Tensor, labels: LabelsWithHistogram, regions: LabelRegions, alpha: Double,
  beta: Double,
  ignoredLabel: UInt8? = nil, gradientFactor: Double = 1, work: WorkContext
) throws(Cancelled) -> (loss: Double, gradient: Tensor) {
  precondition(alpha >= 0 && beta >= 0, "a Tversky index of alpha \(alpha) and beta \(beta)")
  var gradient = consume logits
  let counts = regions.voxelCounts(of: labels, ignoredLabel: ignoredLabel).regions
  let present = counts.indices.filter { counts[$0] > 0 }
  guard !present.isEmpty else { return (0, Tensor(shape: gradient.shape)) }
  let level = KernelLevel.current
  let sums = try regions.map(
    &gradient, labels: labels.labels, ignoredLabel: ignoredLabel, initial: class_sums(), work: work
  ) { region, values, targets in
    activation_apply(
      level, Activation.sigmoid.kernel, values.baseAddress!, values.baseAddress!, values.count)
    return pointwise_class_sums(
      level, values.baseAddress!, values.count, targets, Int32(LabelRegions.Target.inside),
      Int32(LabelRegions.Target.ignored))
  }
  var loss = 0.0
  // The derivatives with respect to the probability inside and outside of each region.
  var derivatives = [(inside: Float, outside: Float)](repeating: (0, 0), count: regions.count)
  let factor = gradientFactor / Double(present.count)
  for region in present {
    let found = ClassLoss.tversky(
      ClassSums(
        all: sums[region].reduce(0) { $0 + $1.all }, own: sums[region].reduce(0) { $0 + $1.own },
        squares: sums[region].reduce(0) { $0 + $1.squares }, labelled: Double(counts[region])),
      alpha: alpha, beta: beta)
    loss += found.loss
    derivatives[region] = (Float(found.inside * factor), Float(found.outside * factor))
  }
  _ = try regions.map(
    &gradient, labels: labels.labels, ignoredLabel: ignoredLabel, initial: 0, work: work
  ) { [derivatives] region, values, targets in
    let (inside, outside) = derivatives[region]
    for voxel in values.indices {
      let derivative = targets[voxel] == LabelRegions.Target.inside ? inside : outside
      let change = derivative * values[voxel] * (1 - values[voxel])
      values[voxel] = targets[voxel] == LabelRegions.Target.ignored ? 0 : change
    }
    return 0
  }
  return (loss / Double(present.count), gradient)
}

/// The loss of ``sigmoidTversky(logits:labels:regions:alpha:beta:ignoredLabel:gradientFactor:work:)``, in double
/// precision.
package func sigmoidTverskyReference(
  logits: ReferenceTensor, labels: [UInt8], regions: LabelRegions, alpha: Double, beta: Double,
  ignoredLabel: UInt8? = nil
) -> Double {
  let (channels, voxels) = (logits.channels, logits.extent.product)
  let counted = labels.indices.filter { labels[$0] != ignoredLabel }
  var losses: [Double] = []
  for (channel, region) in regions.labels.enumerated() {
    var (truePositives, falsePositives, falseNegatives) = (0.0, 0.0, 0.0)
    for index in counted {
      let logit = logits.elements[(index / voxels * channels + channel) * voxels + index % voxels]
      let probability = 1 / (1 + exp(-logit))
      if region.contains(labels[index]) {
        truePositives += probability
        falseNegatives += 1 - probability
      } else {
        falsePositives += probability
      }
    }
    guard counted.contains(where: { region.contains(labels[$0]) }) else { continue }
    losses.append(
      1 - (truePositives + 0.5)
        / (truePositives + alpha * falsePositives + beta * falseNegatives + 0.5))
  }
  return losses.isEmpty ? 0 : losses.reduce(0, +) / Double(losses.count)
}
