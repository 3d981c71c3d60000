import Tensors
import Work

/// A layer in a training pass, as its operation sees it.
package struct TrainingLayer: Sendable {
  package let parameters: LayerParameters
  /// Whether the gradient of an input is needed by a layer before it.
  package let passesGradient: Bool
  /// The layer's own random numbers of this pass.
  package let generator: SplitMix64

  package init(
    parameters: LayerParameters, passesGradient: Bool, generator: SplitMix64 = SplitMix64(seed: 0)
  ) {
    self.parameters = parameters
    self.passesGradient = passesGradient
    self.generator = generator
  }

  /// The layer's tensor of the role `role`.
  package subscript(role: ParameterSlot.Role) -> Tensor { parameters[role] }
}

/// The output of a training step and its backward pass.
package struct TrainingOutput {
  /// Computes the gradients of the inputs and the parameters from the gradient of the output.
  package typealias Backward = (_ gradient: consuming Tensor, _ work: WorkContext) throws(Cancelled) ->
    LayerGradients

  package let output: Tensor
  /// Batch statistics, where the step's first layer is a batch normalisation.
  package let statistics: BatchStatistics?
  /// The backward pass; it holds the activations that it needs, which are freed with it.
  package let backward: Backward

  package init(_ output: Tensor, statistics: BatchStatistics? = nil, backward: @escaping Backward) {
    self.output = output
    self.statistics = statistics
    self.backward = backward
  }
}

/// The gradients of a loss with respect to the inputs and the parameters of a training step.
package struct LayerGradients {
  /// With respect to each input; nil where it is not needed.
  package var inputs: [Tensor?]
  /// With respect to the trained tensors of the step's first layer.
  package var parameters: [ParameterSlot.Role: Tensor]
  /// With respect to the trained tensors of the fused layers, in order; empty where none of them has any.
  package var epilogues: [[ParameterSlot.Role: Tensor]]

  package init(
    input: Tensor? = nil, parameters: [ParameterSlot.Role: Tensor] = [:],
    epilogues: [[ParameterSlot.Role: Tensor]] = []
  ) {
    inputs = [input]
    self.parameters = parameters
    self.epilogues = epilogues
  }

  /// The gradients of a layer with several inputs and no parameters.
  package init(inputs: [Tensor]) {
    self.inputs = inputs
    parameters = [:]
    epilogues = []
  }

  /// With respect to the only input; nil where it is not needed.
  package var input: Tensor? {
    get {
      precondition(inputs.count == 1, "\(inputs.count) inputs")
      return inputs[0]
    }
    set { inputs = [newValue] }
  }
}

extension [Tensor] {
  /// The input of a layer that has one; the array no longer refers to it, so that the layer may work in its memory.
  mutating func takeOnly() -> Tensor {
    precondition(count == 1, "\(count) inputs of a layer that has one")
    return removeLast()
  }
}
