/// The loss of deep supervision,
/// L = sum over heads of head weight · loss of the head.
package struct LossConfiguration: Hashable, Sendable {
  /// Weight of each head's loss.
  ///
  /// A head of weight 0 is not computed, nor are layers that only it needs.
  package var headWeights: [Double]
  /// The loss of each head.
  package var loss: Loss
  /// Weight of each class in the cross-entropy and the focal loss; nil for equal weights.
  package var classWeights: [Float]?
  /// A label whose voxels are excluded from the loss, as PyTorch's `ignore_index`.
  package var ignoredLabel: UInt8?

  /// Names of layers that are not trained: they get no gradient, and batch normalisations among them use their running
  /// statistics, which stay.
  package var frozenLayers: Set<String>

  /// A configuration; by default the cross-entropy of the paper.
  package init(
    headWeights: [Double], loss: Loss = .crossEntropy, classWeights: [Float]? = nil,
    ignoredLabel: UInt8? = nil, frozenLayers: Set<String> = []
  ) {
    self.headWeights = headWeights
    self.loss = loss
    self.classWeights = classWeights
    self.ignoredLabel = ignoredLabel
    self.frozenLayers = frozenLayers
  }
}
