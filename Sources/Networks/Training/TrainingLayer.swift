import Tensors
import Work

/// A layer in a training pass, as its operation sees it.
package struct TrainingLayer: Sendable {
  package let parameters: LayerParameters
  /// Whether the gradient of its input is needed by a layer before it.
  package let passesGradient: Bool

  package init(parameters: LayerParameters, passesGradient: Bool) {
    self.parameters = parameters
    self.passesGradient = passesGradient
  }

  /// The layer's tensor of the role `role`.
  package subscript(role: ParameterSlot.Role) -> Tensor { parameters[role] }
}

/// The output of a training step and its backward pass.
package struct TrainingOutput {
  /// Computes the gradients of the input and the parameters from the gradient of the output.
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

/// The gradients of a loss with respect to the input and the parameters of a training step.
package struct LayerGradients {
  /// With respect to the input; nil where it is not needed.
  package var input: Tensor?
  /// With respect to the trained tensors of the step's first layer.
  package var parameters: [ParameterSlot.Role: Tensor]
  /// With respect to the trained tensors of the fused layers, in order; empty where none of them has any.
  package var epilogues: [[ParameterSlot.Role: Tensor]]

  package init(
    input: Tensor? = nil, parameters: [ParameterSlot.Role: Tensor] = [:],
    epilogues: [[ParameterSlot.Role: Tensor]] = []
  ) {
    self.input = input
    self.parameters = parameters
    self.epilogues = epilogues
  }
}
