import Tensors
import Work

/// Images with the label of every voxel.
package struct TrainingBatch: Sendable {
  /// The images, [N, channels, D, H, W].
  package let input: Tensor
  /// One label per voxel, sample after sample, x fastest.
  package let labels: [UInt8]

  /// A batch; there must be one label for each voxel of each image.
  package init(input: Tensor, labels: [UInt8]) {
    precondition(
      labels.count == input.batch * input.extent.product,
      "\(labels.count) labels for \(input.batch) images of \(input.extent.product) voxels")
    self.input = input
    self.labels = labels
  }
}

/// What counts in the loss of deep supervision, L = sum over heads of weight x (cross-entropy + overlap weight x
/// soft Dice loss).
package struct LossRule: Hashable, Sendable {
  /// Weight of each head's loss; a head of weight 0 and what only it needs do not run.
  package var headWeights: [Double]
  /// Weight of each class in the cross-entropy; nil for equal weights.
  package var classWeights: [Float]?
  /// A label whose voxels do not count.
  package var ignoredLabel: UInt8?
  /// Weight of the soft Dice loss beside the cross-entropy; the paper has none.
  package var overlapWeight: Double

  /// A rule.
  package init(
    headWeights: [Double], classWeights: [Float]? = nil, ignoredLabel: UInt8? = nil, overlapWeight: Double = 0
  ) {
    self.headWeights = headWeights
    self.classWeights = classWeights
    self.ignoredLabel = ignoredLabel
    self.overlapWeight = overlapWeight
  }
}

/// The loss of one batch and its derivatives.
package struct LossGradients: Sendable {
  /// The weighted sum over heads.
  package let loss: Double
  /// Loss of each head before its weight; 0 for heads that did not run.
  package let headLosses: [Double]
  /// The derivative by every trained tensor that takes part.
  package let gradients: [String: Tensor]
  /// What each batch normalisation measured, by layer name.
  package let statistics: [String: BatchStatistics]
}

extension ResolvedGraph {
  /// Runs the network with batch statistics, and the loss back through it.
  ///
  /// An activation is kept only while a layer behind it or its own gradient still needs it.
  /// - Parameter fuses: Whether layers run together where that is cheaper; without, the same up to rounding.
  /// - Throws: ``InputError`` when the images do not fit the network, or a label names no class; ``Cancelled``.
  package func lossGradients(
    _ batch: TrainingBatch, parameters: Parameters, rule: LossRule, fuses: Bool = true, work: WorkContext
  ) throws -> LossGradients {
    var pass = TrainingPass(graph: self, parameters: parameters, rule: rule, fuses: fuses)
    let labels = try CountedLabels(batch.labels, work: work.silent)
    try pass.check(batch, labels)
    try pass.forward(batch.input, work: work.part(0...0.33))
    let losses = try pass.losses(labels, work: work)
    try pass.backward(work: work.part(0.33...1))
    return LossGradients(
      loss: zip(losses, rule.headWeights).reduce(0) { $0 + $1.0 * $1.1 }, headLosses: losses,
      gradients: pass.gradients, statistics: pass.statistics)
  }
}
