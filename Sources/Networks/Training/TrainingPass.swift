import Tensors
import Work

/// One run forward and backward, with what is kept in between.
struct TrainingPass {
  let graph: ResolvedGraph
  let parameters: Parameters
  let rule: LossRule
  private let isNeeded: [Bool]
  private let chains: [TrainedChain]
  /// Outputs that a layer or a head still has to read.
  private var values: [Tensor?]
  /// The way back through each step, with what it needs of the way forward.
  private var backwards: [TrainedOutput.Backward?]
  private var outputGradients: [Tensor?]
  var gradients: [String: Tensor] = [:]
  var statistics: [String: BatchStatistics] = [:]

  /// - Parameter fuses: Whether layers run together where that is cheaper.
  init(graph: ResolvedGraph, parameters: Parameters, rule: LossRule, fuses: Bool) {
    precondition(
      rule.headWeights.count == graph.headNodes.count,
      "\(rule.headWeights.count) head weights for \(graph.headNodes.count) heads")
    self.graph = graph
    self.parameters = parameters
    self.rule = rule
    isNeeded = graph.nodesNeeded(byHeads: rule.headWeights.indices.filter { rule.headWeights[$0] > 0 })
    chains = graph.trainedChains(isNeeded: isNeeded, takesIn: fuses)
    let count = graph.nodes.count
    values = [Tensor?](repeating: nil, count: count)
    backwards = [TrainedOutput.Backward?](repeating: nil, count: chains.count)
    outputGradients = [Tensor?](repeating: nil, count: count)
  }

  /// - Parameter labels: The batch's.
  func check(_ batch: TrainingBatch, _ labels: CountedLabels) throws(InputError) {
    guard batch.input.channels == graph.graph.inputChannels, batch.input.batch > 0 else {
      throw InputError(
        "training images", "shape", found: "\(batch.input.shape)",
        expected: "[n, \(graph.graph.inputChannels), z, y, x] for this network")
    }
    let classes = graph.classCount
    let isUnknown = { (label: Int) in label >= classes && label != rule.ignoredLabel.map(Int.init) }
    if let label = labels.counts.indices.first(where: { labels.counts[$0] > 0 && isUnknown($0) }) {
      throw InputError(
        "training labels", "a label", found: "\(label)", expected: "0 to \(classes - 1), or the ignored label"
      )
    }
    if let weights = rule.classWeights, weights.count != classes {
      throw InputError("class weights", "count", found: "\(weights.count)", expected: "\(classes)")
    }
    let extents = try graph.outputExtents(input: batch.input.extent, subject: "training images")
    for (head, node) in zip(graph.graph.heads, graph.headNodes) where extents[node] != batch.input.extent {
      throw InputError(
        "training images", "head \(head.name) gives scores on another grid",
        found: "\(extents[node]) for an image of \(batch.input.extent)",
        expected: "equal extents (multiples of the network's total stride)")
    }
  }

  mutating func forward(_ input: Tensor, work: WorkContext) throws(Cancelled) {
    var remaining = [Int](repeating: 0, count: graph.nodes.count)
    for chain in chains {
      if let source = graph.nodes[chain.nodes[0]].source { remaining[source] += 1 }
    }
    for node in graph.headNodes where isNeeded[node] { remaining[node] += 1 }
    for (index, chain) in chains.enumerated() {
      let source = graph.nodes[chain.nodes[0]].source
      // Given away where nobody else reads it, so that a layer may work in place.
      let entering = source.map { value($0) } ?? input
      if let source {
        remaining[source] -= 1
        if remaining[source] == 0 { values[source] = nil }
      }
      let layers = chain.nodes.map { node in
        TrainedLayer(
          parameters: LayerParameters(graph.nodes[node].layer.name, parameters), passesGradient: source != nil
        )
      }
      let passed = try chain.step.run(consume entering, by: layers, work: work)
      values[chain.last] = passed.output
      backwards[index] = passed.backward
      statistics[graph.nodes[chain.nodes[0]].layer.name] = passed.statistics
      work.report(Double(index + 1) / Double(chains.count))
    }
  }

  /// The loss of each head, whose gradient is left at the head's node.
  mutating func losses(_ labels: CountedLabels, work: WorkContext) throws(Cancelled) -> [Double] {
    var losses: [Double] = []
    for (head, node) in graph.headNodes.enumerated() {
      let headWeight = rule.headWeights[head]
      guard headWeight > 0 else {
        losses.append(0)
        continue
      }
      let scores = value(node)
      // Given away by the last head that reads them, so that the gradient takes their memory.
      if !graph.headNodes[(head + 1)...].contains(node) { values[node] = nil }
      let overlap =
        rule.overlapWeight > 0
        ? try softmaxDice(
          scores: scores, labels: labels, ignoredLabel: rule.ignoredLabel,
          gradientFactor: headWeight * rule.overlapWeight, work: work) : nil
      var (loss, gradient) = try softmaxCrossEntropy(
        scores: consume scores, labels: labels, ignoredLabel: rule.ignoredLabel,
        classWeights: rule.classWeights, gradientFactor: headWeight, work: work)
      if let overlap {
        try add(overlap.gradient, to: &gradient, work: work)
        loss += rule.overlapWeight * overlap.loss
      }
      try accumulate(gradient, at: node, work: work)
      losses.append(loss)
    }
    return losses
  }

  mutating func backward(work: WorkContext) throws(Cancelled) {
    for (index, chain) in chains.enumerated().reversed() {
      guard let gradient = outputGradients[chain.last].take(), let backward = backwards[index].take() else {
        preconditionFailure("node \(chain.last) got no gradient")
      }
      let found = try backward(consume gradient, work)
      for (node, ofLayer) in zip(chain.nodes, [found.parameters] + found.followers) {
        for (role, gradient) in ofLayer {
          gradients["\(graph.nodes[node].layer.name).\(role.rawValue)"] = gradient
        }
      }
      let first = graph.nodes[chain.nodes[0]]
      if let source = first.source {
        guard let passed = found.input else {
          preconditionFailure("layer \(first.layer.name) passed no gradient")
        }
        try accumulate(passed, at: source, work: work)
      }
      work.report(1 - Double(index) / Double(chains.count))
    }
  }

  private mutating func accumulate(_ gradient: Tensor, at node: Int, work: WorkContext) throws(Cancelled) {
    guard var sum = outputGradients[node].take() else {
      outputGradients[node] = gradient
      return
    }
    try add(gradient, to: &sum, work: work)
    outputGradients[node] = sum
  }

  private func value(_ node: Int) -> Tensor {
    guard let value = values[node] else {
      preconditionFailure("the output of node \(node) was freed too early")
    }
    return value
  }
}
