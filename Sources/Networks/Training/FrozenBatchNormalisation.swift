import Tensors
import Work

extension BatchNormalisationOperation {
  package var frozenTrainingStep: any FusedTrainingStep { FrozenBatchNormalisationStep(operation: self) }
}

/// A batch normalisation by its running statistics, which passes gradients on and has none of its own.
private struct FrozenBatchNormalisationStep: FusedTrainingStep {
  let operation: BatchNormalisationOperation

  func fuse(_ epilogue: TrainingEpilogue) -> Bool { false }

  func run(
    _ inputs: consuming [Tensor], by layers: [TrainingLayer], work: WorkContext
  ) throws(Cancelled) -> TrainingOutput {
    let layer = layers[0]
    let zeros = Tensor(shape: layer[.bias].shape)
    @Sendable func normalised(
      _ values: Tensor, mean: Tensor, shift: Tensor, work: WorkContext
    ) throws(Cancelled) -> Tensor {
      try batchNormalisation(
        values, scale: layer[.weight], shift: shift, mean: mean, variance: layer[.runningVariance],
        epsilon: operation.epsilon, work: work)
    }
    let output = try normalised(
      inputs.takeOnly(), mean: layer[.runningMean], shift: layer[.bias], work: work)
    return TrainingOutput(output) { gradient, work throws(Cancelled) in
      guard layer.passesGradient else { return LayerGradients() }
      // The derivative is the scale alone.
      return LayerGradients(input: try normalised(gradient, mean: zeros, shift: zeros, work: work))
    }
  }
}
