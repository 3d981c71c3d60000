import Tensors
import Work

/// One step of a training pass: a layer and the layers that are fused after it.
package protocol FusedTrainingStep: Sendable {
  /// Fuses the only reader of the step's output into the step; returns false where that is impossible or not faster.
  mutating func fuse(_ epilogue: TrainingEpilogue) -> Bool

  /// The forward pass of all layers.
  /// - Parameters:
  ///   - inputs: The inputs of the first layer; every other layer reads the one before it alone.
  ///   - layers: The first layer and the fused ones, in order.
  /// - Throws: `Cancelled`.
  func run(
    _ inputs: consuming [Tensor], by layers: [TrainingLayer], work: WorkContext
  ) throws(Cancelled) -> TrainingOutput
}

/// A layer as an epilogue that may be fused into the training step before it.
package enum TrainingEpilogue: Sendable {
  /// max(x, 0).
  case relu
  /// The maximum over each window.
  case maxPooling(PoolingGeometry)
  case pointwiseConvolution(outputs: Int, hasBias: Bool)
}

/// The ReLU and the max-pooling after it that are fused into a step.
struct ReLUPooling: Sendable {
  private(set) var appliesReLU = false
  private(set) var pooling: PoolingGeometry?

  /// Fuses the ReLU, then the max-pooling.
  mutating func fuse(_ epilogue: TrainingEpilogue) -> Bool {
    switch epilogue {
    case .relu where !appliesReLU: appliesReLU = true
    case .maxPooling(let geometry) where appliesReLU && pooling == nil: pooling = geometry
    case .relu, .maxPooling, .pointwiseConvolution: return false
    }
    return true
  }
}

/// A step of a single layer that fuses no other.
struct UnfusedTrainingStep: FusedTrainingStep {
  let operation: any NetworkOperation

  func fuse(_ epilogue: TrainingEpilogue) -> Bool { false }

  func run(
    _ inputs: consuming [Tensor], by layers: [TrainingLayer], work: WorkContext
  ) throws(Cancelled) -> TrainingOutput {
    try operation.forward(inputs, by: layers[0], work: work)
  }
}

/// A training step and the nodes that it computes, in order.
struct TrainingChain: Sendable {
  let nodes: [Int]
  let step: any FusedTrainingStep

  /// The node whose output is the step's output.
  var last: Int { nodes[nodes.count - 1] }
}

extension ResolvedGraph {
  /// The training steps of the needed nodes, in topological order.
  /// - Parameters:
  ///   - frozenLayers: Names of layers that are not trained.
  ///   - fuses: Whether layers are fused; otherwise every layer is a step.
  func trainingChains(isNeeded: [Bool], frozenLayers: Set<String>, fuses: Bool) -> [TrainingChain] {
    let outputs = fuses ? Set(headNodes.filter { isNeeded[$0] }) : Set(nodes.indices)
    return chains(isNeeded: isNeeded, outputs: outputs) { node in
      let layer = nodes[node].layer
      return frozenLayers.contains(layer.name)
        ? layer.operation.frozenTrainingStep : layer.operation.fusedTrainingStep
    } fuse: { step, node in
      nodes[node].layer.operation.trainingEpilogue.map { step.fuse($0) } ?? false
    }.map { TrainingChain(nodes: $0.nodes, step: $0.step) }
  }
}
