import Tensors
import Work

/// What an operation is told of its layer in a training pass.
package struct TrainedLayer: Sendable {
  /// The layer's tensors.
  package let parameters: LayerParameters
  /// Whether a layer in front of it needs the gradient by its input.
  package let passesGradient: Bool

  package init(parameters: LayerParameters, passesGradient: Bool) {
    self.parameters = parameters
    self.passesGradient = passesGradient
  }

  /// The layer's tensor of that role.
  package subscript(role: ParameterSlot.Role) -> Tensor { parameters[role] }
}

/// What a layer, or a step of several, made of its input in training, and how to go back.
package struct TrainedOutput {
  /// From the gradient by the output to those by the input and the parameters.
  package typealias Backward = (_ gradient: consuming Tensor, _ work: WorkContext) throws(Cancelled) ->
    LayerGradients

  /// The layer's output.
  package let output: Tensor
  /// What a batch normalisation, the step's first layer, measured.
  package let statistics: BatchStatistics?
  /// Holds whatever it needs of the way forward, which is freed with it.
  package let backward: Backward

  package init(_ output: Tensor, statistics: BatchStatistics? = nil, backward: @escaping Backward) {
    self.output = output
    self.statistics = statistics
    self.backward = backward
  }
}

/// Gradients of a loss by what entered a layer.
package struct LayerGradients {
  /// By the layer's input; nil where nobody asked for it.
  package var input: Tensor?
  /// By the layer's trained tensors.
  package var parameters: [ParameterSlot.Role: Tensor]
  /// By those of the layers that the layer's step took in, in order; empty where none of them has any.
  package var followers: [[ParameterSlot.Role: Tensor]]

  package init(
    input: Tensor? = nil, parameters: [ParameterSlot.Role: Tensor] = [:],
    followers: [[ParameterSlot.Role: Tensor]] = []
  ) {
    self.input = input
    self.parameters = parameters
    self.followers = followers
  }
}
