import Tensors
import Work

/// What training runs at a time: a layer, and those behind it that it took in.
package protocol TrainedStep: Sendable {
  /// Takes in the layer behind, the only reader of the step's output; false where running it alone is as good.
  mutating func takeIn(_ follower: TrainedFollower) -> Bool

  /// Runs the layers, of which the first one's statistics and gradients are the step's own.
  /// - Parameter layers: The first layer and those that were taken in, in order.
  func run(
    _ input: consuming Tensor, by layers: [TrainedLayer], work: WorkContext
  ) throws(Cancelled) -> TrainedOutput
}

/// What a layer is to a training step in front of it.
package enum TrainedFollower: Sendable {
  /// max(x, 0).
  case rectification
  /// The maximum over each window.
  case maxPooling(PoolingGeometry)
  /// A pointwise convolution.
  case mixing(outputs: Int, hasBias: Bool)
}

/// A rectifier and a pooling behind it, as far as a step took them in.
struct RectifiedPooling: Sendable {
  private(set) var rectifies = false
  private(set) var pooling: PoolingGeometry?

  /// Takes in the rectifier, then the pooling.
  mutating func takeIn(_ follower: TrainedFollower) -> Bool {
    switch follower {
    case .rectification where !rectifies: rectifies = true
    case .maxPooling(let geometry) where rectifies && pooling == nil: pooling = geometry
    default: return false
    }
    return true
  }
}

/// A layer that takes nothing in.
struct SingleLayerStep: TrainedStep {
  let operation: any NetworkOperation

  func takeIn(_ follower: TrainedFollower) -> Bool { false }

  func run(
    _ input: consuming Tensor, by layers: [TrainedLayer], work: WorkContext
  ) throws(Cancelled) -> TrainedOutput {
    try operation.trained(input, by: layers[0], work: work)
  }
}

/// A training step with the nodes that it stands for, each behind the one before.
struct TrainedChain: Sendable {
  let nodes: [Int]
  let step: any TrainedStep

  /// The node whose output is the step's.
  var last: Int { nodes[nodes.count - 1] }
}

extension ResolvedGraph {
  /// The training steps of the nodes that are needed, each behind the one that feeds it.
  /// - Parameter takesIn: Whether steps take layers in; without, every layer is a step.
  func trainedChains(isNeeded: [Bool], takesIn: Bool) -> [TrainedChain] {
    let outputs = takesIn ? Set(headNodes.filter { isNeeded[$0] }) : Set(nodes.indices)
    return chains(isNeeded: isNeeded, outputs: outputs) { node in
      nodes[node].layer.operation.trainedStep
    } takeIn: { step, node in
      nodes[node].layer.operation.trainedFollower.map { step.takeIn($0) } ?? false
    }.map { TrainedChain(nodes: $0.nodes, step: $0.start) }
  }
}
