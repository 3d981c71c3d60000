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

  /// What its values are before any training.
  package enum Start: Hashable, Sendable {
    case zeros
    case ones
    /// Random, for a layer that sums up `fanIn` products per output on average.
    case random(fanIn: Double)
  }

  /// "conv1a.weight", "bn1a.running_var".
  package let name: String
  /// What it is.
  package let role: Role
  /// Its shape.
  package let shape: [Int]
  /// How it starts.
  package let start: Start

  /// The place of a tensor of the layer called `layer`.
  package init(layer: String, _ role: Role, _ shape: [Int], start: Start) {
    name = "\(layer).\(role.rawValue)"
    self.role = role
    self.shape = shape
    self.start = start
  }
}

extension ResolvedGraph {
  /// Every tensor of the network, in the order of its layers.
  package var parameterSlots: [ParameterSlot] { nodes.flatMap(\.parameterSlots) }
}

extension ResolvedGraph.Node {
  /// The tensors of this layer.
  package var parameterSlots: [ParameterSlot] {
    layer.operation.parameterSlots(layer: layer.name, inputChannels: inputChannels)
  }
}
