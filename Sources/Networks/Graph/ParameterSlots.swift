import Tensors

/// The place of one named tensor in a network.
package struct ParameterSlot: Hashable, Sendable {
  /// What the tensor is to its layer; the raw value ends its name.
  package enum Role: String, Sendable {
    /// Weights of a convolution, or the per-channel scale of a batch normalisation.
    case weight
    /// Per-channel offset.
    case bias
    /// Mean that batch normalisation uses at inference.
    case runningMean = "running_mean"
    /// Variance that batch normalisation uses at inference.
    case runningVariance = "running_var"

    /// Whether the optimiser changes it; the running statistics follow the batches instead.
    package var isTrained: Bool { self == .weight || self == .bias }
  }

  /// "conv1a.weight", "bn1a.running_var".
  package let name: String
  /// What it is.
  package let role: Role
  /// Its shape.
  package let shape: [Int]
}

extension ResolvedGraph {
  /// Every tensor of the network, in the order of its layers.
  package var parameterSlots: [ParameterSlot] { nodes.flatMap(\.parameterSlots) }
}

extension ResolvedGraph.Node {
  /// The tensors of this layer.
  package var parameterSlots: [ParameterSlot] {
    func slot(_ role: ParameterSlot.Role, _ shape: [Int]) -> ParameterSlot {
      ParameterSlot(name: "\(layer.name).\(role.rawValue)", role: role, shape: shape)
    }
    switch layer.kind {
    case .convolution(let geometry, let outputChannels, let hasBias):
      let kernel = geometry.kernel
      return [slot(.weight, [outputChannels, inputChannels, kernel.d, kernel.h, kernel.w])]
        + (hasBias ? [slot(.bias, [outputChannels])] : [])
    case .transposedConvolution(let geometry, let outputChannels, let hasBias):
      let kernel = geometry.kernel
      return [slot(.weight, [inputChannels, outputChannels, kernel.d, kernel.h, kernel.w])]
        + (hasBias ? [slot(.bias, [outputChannels])] : [])
    case .batchNormalisation:
      let shape = [inputChannels]
      return [
        slot(.weight, shape), slot(.bias, shape), slot(.runningMean, shape), slot(.runningVariance, shape),
      ]
    case .maxPooling, .rectifier:
      return []
    }
  }
}
