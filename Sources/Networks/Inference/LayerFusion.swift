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
  ///
  /// A layer whose output has a single reader and is no head's is followed by that reader in one step where the step
  /// can take it in.
  func fusedSteps(forHeads heads: [Int], parameters: Parameters) -> [FusedStep] {
    let isNeeded = nodesNeeded(byHeads: heads)
    let outputs = Set(heads.map { headNodes[$0] })
    var readers = [[Int]](repeating: [], count: nodes.count)
    for index in nodes.indices where isNeeded[index] {
      if let source = nodes[index].source { readers[source].append(index) }
    }
    var steps: [FusedStep] = []
    var stepOfNode = [Int?](repeating: nil, count: nodes.count)
    for start in nodes.indices where isNeeded[start] && stepOfNode[start] == nil {
      var taken = [start]
      var draft = nodes[start].layer.operation.draft(LayerParameters(nodes[start].layer.name, parameters))
      while let last = taken.last, !outputs.contains(last), readers[last].count == 1 {
        let layer = nodes[readers[last][0]].layer
        guard let follower = layer.operation.follower(LayerParameters(layer.name, parameters)),
          draft.takeIn(follower)
        else { break }
        taken.append(readers[last][0])
      }
      for node in taken { stepOfNode[node] = steps.count }
      let source = nodes[start].source.map { source in
        guard let step = stepOfNode[source] else {
          preconditionFailure("node \(source) has no step before its reader \(start)")
        }
        return step
      }
      steps.append(FusedStep(nodes: taken, source: source, preparation: draft.preparation))
    }
    return steps
  }
}
