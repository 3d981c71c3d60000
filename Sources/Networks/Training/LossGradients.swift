import Tensors
import Work

/// The loss of one batch and its gradients.
package struct LossGradients: Sendable {
  /// The weighted sum of the losses of all heads.
  package let loss: Double
  /// Loss of each head before its weight; 0 for heads of weight 0.
  package let headLosses: [Double]
  /// The gradients with respect to the trained tensors, by tensor name.
  package let gradients: [String: Tensor]
  /// The batch statistics of each batch normalisation, by layer name.
  package let statistics: [String: BatchStatistics]
}

extension ResolvedGraph {
  /// One forward and backward pass of a batch, with batch statistics in batch normalisations.
  ///
  /// An activation is freed as soon as no layer and no gradient needs it.
  /// - Parameters:
  ///   - generator: Decides what dropout drops.
  ///   - fuses: Whether layers are fused where that is cheaper; the results differ by rounding only.
  /// - Throws: ``InputError`` when the images do not fit the network, or a label names no class; ``Cancelled``.
  package func lossGradients(
    _ batch: TrainingBatch, parameters: Parameters, configuration: LossConfiguration,
    generator: SplitMix64 = SplitMix64(seed: 0), fuses: Bool = true, work: WorkContext
  ) throws -> LossGradients {
    var pass = TrainingPass(
      graph: self, parameters: parameters, configuration: configuration, generator: generator, fuses: fuses)
    let labels = try LabelsWithHistogram(batch.labels, work: work.withoutProgress)
    try pass.check(batch, labels)
    try pass.forward(batch.input, work: work.part(0...0.33))
    let losses = try pass.losses(labels, work: work)
    try pass.backward(work: work.part(0.33...1))
    return LossGradients(
      loss: zip(losses, configuration.headWeights).reduce(0) { $0 + $1.0 * $1.1 }, headLosses: losses,
      gradients: pass.gradients, statistics: pass.statistics)
  }
}
