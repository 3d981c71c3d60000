import Tensors
import Work

/// One step of a network before anything is known of its images: the layers that it stands for, and their weights.
struct FusedStep: Sendable {
  /// Nodes of the graph, each behind the one before; the last one's output is the step's.
  let nodes: [Int]
  /// The step that feeds this one; nil for the image.
  let source: Int?
  let preparation: any StepPreparation
}

extension ResolvedGraph {
  /// The steps that the given heads need, each behind the one that feeds it.
  func fusedSteps(forHeads heads: [Int], parameters: Parameters) -> [FusedStep] {
    func tensors(_ node: Int) -> LayerParameters { LayerParameters(nodes[node].layer.name, parameters) }
    let chains = chains(
      isNeeded: nodesNeeded(byHeads: heads), outputs: Set(heads.map { headNodes[$0] })
    ) { node in
      nodes[node].layer.operation.draft(tensors(node))
    } takeIn: { draft, node in
      nodes[node].layer.operation.follower(tensors(node)).map { draft.takeIn($0) } ?? false
    }
    var stepOfNode = [Int?](repeating: nil, count: nodes.count)
    for (step, chain) in chains.enumerated() {
      for node in chain.nodes { stepOfNode[node] = step }
    }
    return chains.map { chain in
      let source = nodes[chain.nodes[0]].source.map { source in
        guard let step = stepOfNode[source] else {
          preconditionFailure("node \(source) has no step before its reader \(chain.nodes[0])")
        }
        return step
      }
      return FusedStep(nodes: chain.nodes, source: source, preparation: chain.start.preparation)
    }
  }
}
