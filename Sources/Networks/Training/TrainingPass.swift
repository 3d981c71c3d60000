import Tensors
import Work

/// One run forward and backward, with what is kept in between.
struct TrainingPass {
  let graph: ResolvedGraph
  let parameters: Parameters
  let rule: LossRule
  let isNeeded: [Bool]
  /// Whether a node's output takes part in its own gradient or in that of a node behind it.
  var isKept: [Bool]
  var values: [Tensor?]
  var winners: [[Int32]?]
  /// Convolutions in the form of their method, which serves forward and backward.
  var prepared: [PreparedConvolution?]
  var extents: [Extent3] = []
  var outputGradients: [Tensor?]
  var gradients: [String: Tensor] = [:]
  var statistics: [String: BatchStatistics] = [:]

  init(graph: ResolvedGraph, parameters: Parameters, rule: LossRule) {
    precondition(
      rule.headWeights.count == graph.headNodes.count,
      "\(rule.headWeights.count) head weights for \(graph.headNodes.count) heads")
    self.graph = graph
    self.parameters = parameters
    self.rule = rule
    let count = graph.nodes.count
    isNeeded = graph.nodesNeeded(byHeads: rule.headWeights.indices.filter { rule.headWeights[$0] > 0 })
    isKept = [Bool](repeating: false, count: count)
    for (index, node) in graph.nodes.enumerated() where isNeeded[index] {
      switch node.layer.kind {
      case .convolution, .transposedConvolution, .batchNormalisation:
        if let source = node.source { isKept[source] = true }
      case .rectifier: isKept[index] = true
      case .maxPooling: break
      }
    }
    values = [Tensor?](repeating: nil, count: count)
    winners = [[Int32]?](repeating: nil, count: count)
    prepared = [PreparedConvolution?](repeating: nil, count: count)
    outputGradients = [Tensor?](repeating: nil, count: count)
  }

  func check(_ batch: TrainingBatch) throws(InputError) {
    guard batch.input.channels == graph.graph.inputChannels, batch.input.batch > 0 else {
      throw InputError(
        "training images", "shape", found: "\(batch.input.shape)",
        expected: "[n, \(graph.graph.inputChannels), z, y, x] for this network")
    }
    let classes = graph.classCount
    if let label = batch.labels.first(where: { Int($0) >= classes && $0 != rule.ignoredLabel }) {
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

  mutating func forward(_ input: Tensor, work: WorkContext) throws {
    extents = try graph.outputExtents(input: input.extent, subject: "training images")
    var remaining = [Int](repeating: 0, count: graph.nodes.count)
    for (index, node) in graph.nodes.enumerated() where isNeeded[index] {
      if let source = node.source { remaining[source] += 1 }
    }
    for node in graph.headNodes where isNeeded[node] { remaining[node] += 1 }
    for (index, node) in graph.nodes.enumerated() where isNeeded[index] {
      var entering = node.source.map { value($0) } ?? input
      if let source = node.source {
        remaining[source] -= 1
        if remaining[source] == 0, !isKept[source] { values[source] = nil }
      }
      switch node.layer.kind {
      case .convolution(let geometry, _, let hasBias):
        let convolution = try PreparedConvolution(
          weight: weight(node), geometry: geometry, inputExtent: entering.extent, work: work)
        values[index] = try convolution.apply(entering, bias: hasBias ? bias(node) : nil, work: work)
        if node.source != nil { prepared[index] = convolution }
      case .transposedConvolution(let geometry, _, let hasBias):
        values[index] = try transposedConvolution(
          entering, weight: weight(node), bias: hasBias ? bias(node) : nil, geometry: geometry, work: work)
      case .maxPooling(let geometry):
        let pooled = try maxPooling(entering, geometry: geometry, work: work)
        values[index] = pooled.output
        winners[index] = pooled.winners
      case .batchNormalisation(let epsilon):
        let normalised = try batchNormalisation(
          entering, scale: weight(node), shift: bias(node), epsilon: epsilon, work: work)
        values[index] = normalised.output
        statistics[node.layer.name] = normalised.statistics
      case .rectifier:
        try rectify(&entering, work: work)
        values[index] = entering
      }
      work.report(Double(index + 1) / Double(graph.nodes.count))
    }
  }

  /// The cross-entropy of each head, whose gradient is left at the head's node.
  mutating func losses(_ labels: [UInt8], work: WorkContext) throws -> [Double] {
    var losses: [Double] = []
    for (head, node) in graph.headNodes.enumerated() {
      let headWeight = rule.headWeights[head]
      guard headWeight > 0 else {
        losses.append(0)
        continue
      }
      var (loss, gradient) = try softmaxCrossEntropy(
        scores: value(node), labels: labels, ignoredLabel: rule.ignoredLabel,
        classWeights: rule.classWeights, work: work)
      if rule.overlapWeight > 0 {
        var overlap = try softmaxDice(
          scores: value(node), labels: labels, ignoredLabel: rule.ignoredLabel, work: work)
        if rule.overlapWeight != 1 {
          try scale(&overlap.gradient, by: Float(rule.overlapWeight), work: work)
        }
        try add(overlap.gradient, to: &gradient, work: work)
        loss += rule.overlapWeight * overlap.loss
      }
      if headWeight != 1 { try scale(&gradient, by: Float(headWeight), work: work) }
      try accumulate(gradient, at: node, work: work)
      losses.append(loss)
    }
    for node in graph.headNodes where !isKept[node] { values[node] = nil }
    return losses
  }

  mutating func backward(_ input: Tensor, work: WorkContext) throws(Cancelled) {
    for (index, node) in graph.nodes.enumerated().reversed() where isNeeded[index] {
      guard let gradient = outputGradients[index].take() else {
        preconditionFailure("node \(index) got no gradient")
      }
      try propagate(gradient, through: index, node, input, work: work)
      values[index] = nil
      winners[index] = nil
      work.report(1 - Double(index) / Double(graph.nodes.count))
    }
  }

  private mutating func propagate(
    _ gradient: consuming Tensor, through index: Int, _ node: ResolvedGraph.Node, _ input: Tensor,
    work: WorkContext
  ) throws(Cancelled) {
    let name = node.layer.name
    switch node.layer.kind {
    case .convolution(let geometry, _, let hasBias):
      gradients[name + ".weight"] = try convolutionWeightGradient(
        input: entering(node, input), outputGradient: gradient, geometry: geometry, work: work)
      if hasBias { gradients[name + ".bias"] = try channelSums(gradient, work: work) }
      guard let source = node.source else { return }
      guard let convolution = prepared[index].take() else {
        preconditionFailure("convolution \(name) was not kept")
      }
      let passed = try convolution.inputGradient(gradient, inputExtent: extents[source], work: work)
      try accumulate(passed, at: source, work: work)
    case .transposedConvolution(let geometry, _, let hasBias):
      gradients[name + ".weight"] = try transposedConvolutionWeightGradient(
        input: entering(node, input), outputGradient: gradient, geometry: geometry, work: work)
      if hasBias { gradients[name + ".bias"] = try channelSums(gradient, work: work) }
      guard let source = node.source else { return }
      let passed = try transposedConvolutionInputGradient(
        gradient, weight: weight(node), geometry: geometry, work: work)
      try accumulate(passed, at: source, work: work)
    case .maxPooling:
      guard let source = node.source else { return }
      guard let winners = winners[index] else { preconditionFailure("pooling \(name) kept no winners") }
      let passed = try maxPoolingInputGradient(
        gradient, winners: winners, inputExtent: extents[source], work: work)
      try accumulate(passed, at: source, work: work)
    case .batchNormalisation:
      guard let statistics = statistics[name] else { preconditionFailure("\(name) kept no statistics") }
      let passed = try batchNormalisationGradients(
        input: entering(node, input), outputGradient: gradient, scale: weight(node), statistics: statistics,
        work: work)
      gradients[name + ".weight"] = passed.scale
      gradients[name + ".bias"] = passed.shift
      if let source = node.source { try accumulate(passed.input, at: source, work: work) }
    case .rectifier:
      try rectifierGradient(&gradient, output: value(index), work: work)
      if let source = node.source { try accumulate(gradient, at: source, work: work) }
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

  /// What feeds `node`: the output before it, or the image.
  private func entering(_ node: ResolvedGraph.Node, _ input: Tensor) -> Tensor {
    node.source.map { value($0) } ?? input
  }

  private func value(_ node: Int) -> Tensor {
    guard let value = values[node] else {
      preconditionFailure("the output of node \(node) was freed too early")
    }
    return value
  }

  private func weight(_ node: ResolvedGraph.Node) -> Tensor { parameters[node.layer.name + ".weight"] }
  private func bias(_ node: ResolvedGraph.Node) -> Tensor { parameters[node.layer.name + ".bias"] }
}
