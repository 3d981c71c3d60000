/// The weights of the loss of deep supervision:
/// L = sum over heads of head weight · (cross-entropy + overlap weight · soft Dice loss).
package struct LossConfiguration: Hashable, Sendable {
  /// Weight of each head's loss.
  ///
  /// A head of weight 0 is not computed, nor are layers that only it needs.
  package var headWeights: [Double]
  /// Weight of each class in the cross-entropy; nil for equal weights.
  package var classWeights: [Float]?
  /// A label whose voxels are excluded from the loss, as PyTorch's `ignore_index`.
  package var ignoredLabel: UInt8?
  /// Weight of the soft Dice loss beside the cross-entropy; 0 in the paper.
  package var overlapWeight: Double

  /// A configuration; by default the cross-entropy of the paper.
  package init(
    headWeights: [Double], classWeights: [Float]? = nil, ignoredLabel: UInt8? = nil, overlapWeight: Double = 0
  ) {
    self.headWeights = headWeights
    self.classWeights = classWeights
    self.ignoredLabel = ignoredLabel
    self.overlapWeight = overlapWeight
  }
}
