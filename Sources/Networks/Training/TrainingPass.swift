import Tensors
import Work

/// One forward and backward pass of a batch, with the activations in between.
struct TrainingPass {
  let graph: ResolvedGraph
  let parameters: Parameters
  let configuration: LossConfiguration
  /// Each layer has the fork of its node.
  private let generator: SplitMix64
  private let isNeeded: [Bool]
  /// Whether a tensor that is trained is in the node or before it.
  private let isTrained: [Bool]
  private let chains: [TrainingChain]
  /// Outputs of nodes that a layer or a head has yet to read.
  private var values: [Tensor?]
  /// The backward pass of each step.
  private var backwards: [TrainingOutput.Backward?]
  private var outputGradients: [Tensor?]
  var gradients: [String: Tensor] = [:]
  var statistics: [String: BatchStatistics] = [:]

  /// - Parameter fuses: Whether layers are fused where that is cheaper.
  init(
    graph: ResolvedGraph, parameters: Parameters, configuration: LossConfiguration, generator: SplitMix64,
    fuses: Bool
  ) {
    precondition(
      configuration.headWeights.count == graph.headNodes.count,
      "\(configuration.headWeights.count) head weights for \(graph.headNodes.count) heads")
    self.graph = graph
    self.parameters = parameters
    self.configuration = configuration
    self.generator = generator
    isNeeded = graph.nodesNeeded(
      byHeads: configuration.headWeights.indices.filter { configuration.headWeights[$0] > 0 },
      countsExtents: true)
    isTrained = graph.trainedNodes(frozenLayers: configuration.frozenLayers)
    chains = graph.trainingChains(
      isNeeded: isNeeded, frozenLayers: configuration.frozenLayers, fuses: fuses)
    let count = graph.nodes.count
    values = [Tensor?](repeating: nil, count: count)
    backwards = [TrainingOutput.Backward?](repeating: nil, count: chains.count)
    outputGradients = [Tensor?](repeating: nil, count: count)
  }

  /// Checks that a batch and its labels fit the network.
  func check(_ batch: TrainingBatch, _ labels: LabelsWithHistogram) throws(InputError) {
    guard batch.input.channels == graph.graph.inputChannels, batch.input.batch > 0 else {
      throw InputError(
        "training images", "shape", found: "\(batch.input.shape)",
        expected: "[n, \(graph.graph.inputChannels), z, y, x] for this network")
    }
    let classes = graph.classCount
    let isUnknown = { (label: Int) in label >= classes && label != configuration.ignoredLabel.map(Int.init) }
    if let label = labels.counts.indices.first(where: { labels.counts[$0] > 0 && isUnknown($0) }) {
      throw InputError(
        "training labels", "a label", found: "\(label)", expected: "0 to \(classes - 1), or the ignored label"
      )
    }
    if let weights = configuration.classWeights, weights.count != classes {
      throw InputError("class weights", "count", found: "\(weights.count)", expected: "\(classes)")
    }
    try configuration.loss.validated(for: graph.graph, subject: "loss")
    let extents = try graph.outputExtents(input: batch.input.extent, subject: "training images")
    for (head, node) in graph.headNodes.enumerated()
    where configuration.headWeights[head] > 0 && extents[node] != batch.input.extent {
      throw InputError(
        "training images", "head \(graph.graph.heads[head].name) gives logits on another grid",
        found: "\(extents[node]) for an image of \(batch.input.extent)",
        expected: "equal extents (multiples of the network's total stride)")
    }
  }

  mutating func forward(_ input: Tensor, work: WorkContext) throws(Cancelled) {
    var remaining = [Int](repeating: 0, count: graph.nodes.count)
    for chain in chains {
      for case let source? in graph.nodes[chain.nodes[0]].sources { remaining[source] += 1 }
    }
    for node in graph.headNodes where isNeeded[node] { remaining[node] += 1 }
    for (index, chain) in chains.enumerated() {
      let sources = graph.nodes[chain.nodes[0]].sources
      // The last reader takes the only reference, so that the layer may work in place.
      let layerInputs = sources.map { source in source.map { value($0) } ?? input }
      for case let source? in sources {
        remaining[source] -= 1
        if remaining[source] == 0 { values[source] = nil }
      }
      let layers = chain.nodes.map { node in
        TrainingLayer(
          parameters: LayerParameters(graph.nodes[node].layer.name, parameters),
          passesGradient: sources.contains { $0.map { isTrained[$0] } ?? false },
          generator: generator.forked(node))
      }
      let result = try chain.step.run(consume layerInputs, by: layers, work: work)
      values[chain.last] = result.output
      if isTrained[chain.last] { backwards[index] = result.backward }
      statistics[graph.nodes[chain.nodes[0]].layer.name] = result.statistics
      work.report(Double(index + 1) / Double(chains.count))
    }
  }

  /// The loss of each head; the gradients are stored at the heads' nodes.
  mutating func losses(_ labels: LabelsWithHistogram, work: WorkContext) throws(Cancelled) -> [Double] {
    var losses: [Double] = []
    for (head, node) in graph.headNodes.enumerated() {
      let headWeight = configuration.headWeights[head]
      guard headWeight > 0 else {
        losses.append(0)
        continue
      }
      let logits = value(node)
      // The last head of a node takes the only reference, so that the gradient reuses the memory.
      if !graph.headNodes[(head + 1)...].contains(node) { values[node] = nil }
      let (loss, gradient) = try configuration.loss(
        logits: consume logits, labels: labels, regions: graph.labelRegions(ofHead: head),
        ignoredLabel: configuration.ignoredLabel, classWeights: configuration.classWeights,
        gradientFactor: headWeight, work: work)
      if isTrained[node] { try accumulate(gradient, at: node, work: work) }
      losses.append(loss)
    }
    return losses
  }

  mutating func backward(work: WorkContext) throws(Cancelled) {
    for (index, chain) in chains.enumerated().reversed() where isTrained[chain.last] {
      guard let backward = backwards[index].take() else {
        preconditionFailure("node \(chain.last) has no backward pass")
      }
      // Layers of which only the extents are read have none.
      guard let gradient = outputGradients[chain.last].take() else { continue }
      let found = try backward(consume gradient, work)
      for (node, ofLayer) in zip(chain.nodes, [found.parameters] + found.epilogues)
      where !configuration.frozenLayers.contains(graph.nodes[node].layer.name) {
        for (role, gradient) in ofLayer {
          gradients["\(graph.nodes[node].layer.name).\(role.rawValue)"] = gradient
        }
      }
      let first = graph.nodes[chain.nodes[0]]
      precondition(
        found.inputs.count == first.sources.count
          && zip(first.readSources, found.inputs).allSatisfy { source, passed in
            passed != nil || !(source.map { isTrained[$0] } ?? false)
          },
        "layer \(first.layer.name) passed \(found.inputs.count) gradients to \(first.sources.count) inputs")
      for (source, passed) in zip(first.sources, found.inputs) {
        guard let source, isTrained[source], let passed else { continue }
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

extension ResolvedGraph {
  /// For each node, whether a tensor that is trained is in it or before it.
  fileprivate func trainedNodes(frozenLayers: Set<String>) -> [Bool] {
    var isTrained: [Bool] = []
    for node in nodes {
      let isOwn =
        !frozenLayers.contains(node.layer.name) && node.parameterSlots.contains { $0.role.isTrained }
      isTrained.append(isOwn || node.sources.contains { $0.map { isTrained[$0] } ?? false })
    }
    return isTrained
  }
}
