import Tensors
import Work

/// The product of two inputs voxel by voxel: gates of channels, [N, C, 1, 1, 1], as in squeeze-and-excitation, and of
/// voxels, [N, 1, D, H, W], as in attention.
package struct MultiplyOperation: VoxelwiseJoinOperation {
  package static let kind = "multiply"

  package init() {}

  package var inputCounts: ClosedRange<Int> { 2...2 }

  package func forward(
    _ inputs: consuming [Tensor], by layer: TrainingLayer, work: WorkContext
  ) throws(Cancelled) -> TrainingOutput {
    let (first, second) = (inputs[0], inputs[1])
    let output = try PreparedMultiply()([first, second], work: work)
    return TrainingOutput(output) { gradient, work throws(Cancelled) in
      LayerGradients(inputs: [
        try joinGradient(gradient, times: second, shape: first.shape, work: work),
        try joinGradient(gradient, times: first, shape: second.shape, work: work),
      ])
    }
  }

  package func stepBuilder(_ parameters: LayerParameters) -> any StepBuilder {
    FixedStepBuilder(operation: PreparedMultiply())
  }
}

extension NetworkOperation where Self == MultiplyOperation {
  package static var multiply: MultiplyOperation { MultiplyOperation() }
}

extension MultiplyOperation {
  package init(from decoder: any Decoder) throws {}
  package func encode(to encoder: any Encoder) throws {}
}
