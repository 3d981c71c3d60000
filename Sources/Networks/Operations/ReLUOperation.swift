import Tensors
import Work

/// ReLU: max(x, 0).
///
/// NaN stays NaN.
package struct ReLUOperation: NetworkOperation {
  package static let kind = "relu"
  package static let earlierKinds = ["rectifier"]

  package init() {}

  package var initialisationGain: InitialisationGain { .relu }

  package func forward(
    _ inputs: consuming [Tensor], by layer: TrainingLayer, work: WorkContext
  ) throws(Cancelled) -> TrainingOutput {
    var input = inputs.takeOnly()
    try Tensors.relu(&input, work: work)
    let output = input
    return TrainingOutput(output) { gradient, work throws(Cancelled) in
      var gradient = consume gradient
      try reluGradient(&gradient, output: output, work: work)
      return LayerGradients(input: gradient)
    }
  }

  package var fusedTrainingStep: any FusedTrainingStep { ReLUStep(operation: self) }
  package var trainingEpilogue: TrainingEpilogue? { .relu }

  package func stepBuilder(_ parameters: LayerParameters) -> any StepBuilder {
    FixedStepBuilder(operation: PreparedReLU())
  }

  package func inferenceEpilogue(_ parameters: LayerParameters) -> InferenceEpilogue? { .activation(.relu) }
}

/// A ReLU in training, fused with the max-pooling after it: both commute, so that the ReLU is applied to the fewer
/// pooled values.
private struct ReLUStep: FusedTrainingStep {
  let operation: ReLUOperation
  var pooling: PoolingGeometry?

  mutating func fuse(_ epilogue: TrainingEpilogue) -> Bool {
    guard pooling == nil, case .maxPooling(let geometry) = epilogue else { return false }
    pooling = geometry
    return true
  }

  func run(
    _ inputs: consuming [Tensor], by layers: [TrainingLayer], work: WorkContext
  ) throws(Cancelled) -> TrainingOutput {
    guard let pooling else { return try operation.forward(inputs, by: layers[0], work: work) }
    let input = inputs.takeOnly()
    let extent = input.extent
    let (maxima, argMaxIndices) = try maxPooling(input, geometry: pooling, work: work)
    var output = maxima
    try Tensors.relu(&output, work: work)
    let reluOutput = output
    return TrainingOutput(reluOutput) { gradient, work throws(Cancelled) in
      LayerGradients(
        input: try maxPoolingInputGradient(
          gradient, argMaxIndices: argMaxIndices, geometry: pooling, reluOutput: reluOutput,
          inputExtent: extent, work: work
        ))
    }
  }
}

extension NetworkOperation where Self == ReLUOperation {
  package static var relu: ReLUOperation { ReLUOperation() }
}

extension ReLUOperation {
  package init(from decoder: any Decoder) throws {}
  package func encode(to encoder: any Encoder) throws {}
}
