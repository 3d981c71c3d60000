import Tensors
import Work

/// The sum of its inputs voxel by voxel: residual connections.
package struct AddOperation: VoxelwiseJoinOperation {
  package static let kind = "add"

  package init() {}

  package var inputCounts: ClosedRange<Int> { 2...GraphLimit.inputs }

  package var initialisationGain: InitialisationGain { .ofReaders }

  package func forward(
    _ inputs: consuming [Tensor], by layer: TrainingLayer, work: WorkContext
  ) throws(Cancelled) -> TrainingOutput {
    let shapes = inputs.map(\.shape)
    guard shapes.allSatisfy({ $0 == shapes[0] }) else {
      let sum = try PreparedAdd()(inputs, work: work)
      return TrainingOutput(sum) { gradient, work throws(Cancelled) in
        var gradients: [Tensor] = []
        for shape in shapes {
          gradients.append(try joinGradient(gradient, times: nil, shape: shape, work: work))
        }
        return LayerGradients(inputs: gradients)
      }
    }
    var sum = inputs.removeFirst()
    for other in inputs { try Tensors.add(other, to: &sum, work: work) }
    return TrainingOutput(sum) { gradient, _ throws(Cancelled) in
      LayerGradients(inputs: [Tensor](repeating: gradient, count: shapes.count))
    }
  }

  package func stepBuilder(_ parameters: LayerParameters) -> any StepBuilder { AddStepBuilder() }
  package func inferenceEpilogue(_ parameters: LayerParameters) -> InferenceEpilogue? { .sum }
}

/// A sum with the activation fused after it.
private struct AddStepBuilder: StepBuilder {
  var activation = PiecewiseLinear.identity

  mutating func fuse(_ epilogue: InferenceEpilogue) -> Bool {
    guard case .activation(let function) = epilogue, activation == .identity else { return false }
    activation = function
    return true
  }

  func variant(for input: Extent3, slabDepth: Int) -> Bool { true }

  func operations(_ variant: Bool, work: WorkContext) -> [any PreparedOperation] {
    [PreparedAdd(activation: activation)]
  }
}

extension NetworkOperation where Self == AddOperation {
  package static var add: AddOperation { AddOperation() }
}

extension AddOperation {
  package init(from decoder: any Decoder) throws {}
  package func encode(to encoder: any Encoder) throws {}
}
