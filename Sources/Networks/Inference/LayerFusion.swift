import Tensors
import Work

/// One step of inference before the image size is known: fused layers and their weights.
struct FusedStep: Sendable {
  /// The fused nodes in order; the output of the last one is the step's output.
  let nodes: [Int]
  /// For each input, those of the first node and then what later ones join, the index of the step whose output it is; nil
  /// for the image.
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
      guard nodes[node].sources.count == 1 || joinsPairOfEqualShape(node) else { return false }
      return operation.isIdentityAtInference
        || operation.inferenceEpilogue(tensors(node)).map { builder.fuse($0) } ?? false
    }
    var stepOfNode = [Int?](repeating: nil, count: nodes.count)
    for (step, chain) in chains.enumerated() {
      for node in chain.nodes { stepOfNode[node] = step }
    }
    return chains.map { chain in
      let joined = zip(chain.nodes, chain.nodes.dropFirst()).flatMap { before, node in
        nodes[node].sources.filter { $0 != before }
      }
      let sources = (nodes[chain.nodes[0]].readSources + joined).map { source -> Int? in
        guard let source else { return nil }
        guard let step = stepOfNode[source] else {
          preconditionFailure("node \(source) has no step before its reader \(chain.nodes[0])")
        }
        return step
      }
      return FusedStep(nodes: chain.nodes, sources: sources, preparation: chain.step.preparation)
    }
  }

  /// Whether a node has two inputs of one shape, whatever the image.
  private func joinsPairOfEqualShape(_ index: Int) -> Bool {
    let node = nodes[index]
    return node.sources.count == 2 && node.inputChannels[0] == node.inputChannels[1]
      && gridInputs(of: node).count == 2
  }
}
