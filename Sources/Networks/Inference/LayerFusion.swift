import Tensors
import Work

/// One step of inference before the image size is known: fused layers and their weights.
struct FusedStep: Sendable {
  /// The fused nodes in order; the output of the last one is the step's output.
  let nodes: [Int]
  /// For each input the index of the step whose output it is; nil for the image.
  let sources: [Int?]
  /// Prepares the step's weights for an input extent.
  let preparation: any StepPreparation
}

extension ResolvedGraph {
  /// The steps that the given heads need, in topological order.
  func fusedSteps(forHeads heads: [Int], parameters: Parameters) -> [FusedStep] {
    func tensors(_ node: Int) -> LayerParameters { LayerParameters(nodes[node].layer.name, parameters) }
    let chains = chains(
      isNeeded: nodesNeeded(byHeads: heads), outputs: Set(heads.map { headNodes[$0] })
    ) { node in
      nodes[node].layer.operation.stepBuilder(tensors(node))
    } fuse: { builder, node in
      let operation = nodes[node].layer.operation
      return operation.isIdentityAtInference
        || operation.inferenceEpilogue(tensors(node)).map { builder.fuse($0) } ?? false
    }
    var stepOfNode = [Int?](repeating: nil, count: nodes.count)
    for (step, chain) in chains.enumerated() {
      for node in chain.nodes { stepOfNode[node] = step }
    }
    return chains.map { chain in
      let sources = nodes[chain.nodes[0]].readSources.map { source -> Int? in
        guard let source else { return nil }
        guard let step = stepOfNode[source] else {
          preconditionFailure("node \(source) has no step before its reader \(chain.nodes[0])")
        }
        return step
      }
      return FusedStep(nodes: chain.nodes, sources: sources, preparation: chain.step.preparation)
    }
  }
}
