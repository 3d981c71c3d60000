/// The name, role, shape and initial values of one tensor of a network.
package struct ParameterSlot: Hashable, Sendable {
  /// The use of the tensor in its layer; the raw value is the last part of its name, as in PyTorch.
  package enum Role: String, Sendable {
    /// Weights of a convolution, the per-channel scale of a batch normalisation, or the slopes of a parametric ReLU.
    case weight
    /// Per-channel shift.
    case bias
    /// Mean that batch normalisation uses at inference.
    case runningMean = "running_mean"
    /// Variance that batch normalisation uses at inference.
    case runningVariance = "running_var"

    /// Whether the optimiser changes it.
    ///
    /// Running statistics are updated from the batches instead.
    package var isTrained: Bool { self == .weight || self == .bias }
  }

  /// Initial values.
  package enum Start: Hashable, Sendable {
    case zeros
    case ones
    case constant(Float)
    /// Random, for a layer whose outputs are sums of `fanIn` products on average.
    case random(fanIn: Double)
    /// Weights [in, out / groups, z, y, x] of a transposed convolution that interpolates every channel linearly, as long
    /// as the kernel is twice its stride, less one where the stride is odd.
    case linearInterpolation
  }

  /// "conv1a.weight", "bn1a.running_var".
  package let name: String
  /// Its use in the layer.
  package let role: Role
  /// Extents, slowest first.
  package let shape: [Int]
  package let start: Start

  /// The slot of a tensor of the layer called `layer`.
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
  package var parameterSlots: [ParameterSlot] {
    layer.operation.parameterSlots(layer: layer.name, inputChannels: inputChannels[0])
  }
}
