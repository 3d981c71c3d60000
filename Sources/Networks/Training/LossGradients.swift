import Tensors
import Work

/// Images with the label of every voxel.
package struct TrainingBatch: Sendable {
  /// The images, [N, channels, D, H, W].
  package let input: Tensor
  /// One label per voxel, sample after sample, x fastest.
  package let labels: [UInt8]

  /// A batch; there must be one label for each voxel of each image.
  package init(input: Tensor, labels: [UInt8]) {
    precondition(
      labels.count == input.batch * input.extent.product,
      "\(labels.count) labels for \(input.batch) images of \(input.extent.product) voxels")
    self.input = input
    self.labels = labels
  }
}

/// What counts in the loss of deep supervision, L = sum over heads of weight x cross-entropy.
package struct LossRule: Hashable, Sendable {
  /// Weight of each head's loss; a head of weight 0 and what only it needs do not run.
  package var headWeights: [Double]
  /// Weight of each class in the cross-entropy; nil for equal weights.
  package var classWeights: [Float]?
  /// A label whose voxels do not count.
  package var ignoredLabel: UInt8?

  /// A rule.
  package init(headWeights: [Double], classWeights: [Float]? = nil, ignoredLabel: UInt8? = nil) {
    self.headWeights = headWeights
    self.classWeights = classWeights
    self.ignoredLabel = ignoredLabel
  }
}

/// The loss of one batch and its derivatives.
package struct LossGradients: Sendable {
  /// The weighted sum over heads.
  package let loss: Double
  /// Cross-entropy of each head before its weight; 0 for heads that did not run.
  package let headLosses: [Double]
  /// The derivative by every trained tensor that takes part.
  package let gradients: [String: Tensor]
  /// What each batch normalisation measured, by layer name.
  package let statistics: [String: BatchStatistics]
}

extension ResolvedGraph {
  /// Runs the network with batch statistics, and the loss back through it.
  ///
  /// An activation is kept only while a layer behind it or its own gradient still needs it.
  /// - Throws: ``InputError`` when the images do not fit the network, or a label names no class; ``Cancelled``.
  package func lossGradients(
    _ batch: TrainingBatch, parameters: Parameters, rule: LossRule, work: WorkContext
  ) throws -> LossGradients {
    var pass = TrainingPass(graph: self, parameters: parameters, rule: rule)
    try pass.check(batch)
    try pass.forward(batch.input, work: work.part(0...0.33))
    let losses = try pass.losses(batch.labels, work: work)
    try pass.backward(batch.input, work: work.part(0.33...1))
    return LossGradients(
      loss: zip(losses, rule.headWeights).reduce(0) { $0 + $1.0 * $1.1 }, headLosses: losses,
      gradients: pass.gradients, statistics: pass.statistics)
  }
}

/// One run forward and backward, with what is kept in between.
private struct TrainingPass {
  let graph: ResolvedGraph
  let parameters: Parameters
  let rule: LossRule
  let isNeeded: [Bool]
  /// Whether a node's output takes part in its own gradient or in that of a node behind it.
  var isKept: [Bool]
  var values: [Tensor?]
  var winners: [[Int32]?]
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
        values[index] = try convolution(
          entering, weight: weight(node), bias: hasBias ? bias(node) : nil, geometry: geometry, work: work)
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
      if headWeight != 1 { try scale(&gradient, by: Float(headWeight), work: work) }
      try accumulate(gradient, at: node, work: work)
      losses.append(loss)
    }
    for node in graph.headNodes where !isKept[node] { values[node] = nil }
    return losses
  }

  mutating func backward(_ input: Tensor, work: WorkContext) throws(Cancelled) {
    for (index, node) in graph.nodes.enumerated().reversed() where isNeeded[index] {
      guard let gradient = outputGradients[index] else {
        preconditionFailure("node \(index) got no gradient")
      }
      outputGradients[index] = nil
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
    let enteringExtent = node.source.map { extents[$0] } ?? input.extent
    switch node.layer.kind {
    case .convolution(let geometry, _, let hasBias):
      let entering = node.source.map { value($0) } ?? input
      gradients[name + ".weight"] = try convolutionWeightGradient(
        input: entering, outputGradient: gradient, geometry: geometry, work: work)
      if hasBias { gradients[name + ".bias"] = try channelSums(gradient, work: work) }
      guard let source = node.source else { return }
      let passed = try convolutionInputGradient(
        gradient, weight: weight(node), inputExtent: enteringExtent, geometry: geometry, work: work)
      try accumulate(passed, at: source, work: work)
    case .transposedConvolution(let geometry, _, let hasBias):
      let entering = node.source.map { value($0) } ?? input
      gradients[name + ".weight"] = try transposedConvolutionWeightGradient(
        input: entering, outputGradient: gradient, geometry: geometry, work: work)
      if hasBias { gradients[name + ".bias"] = try channelSums(gradient, work: work) }
      guard let source = node.source else { return }
      let passed = try transposedConvolutionInputGradient(
        gradient, weight: weight(node), geometry: geometry, work: work)
      try accumulate(passed, at: source, work: work)
    case .maxPooling:
      guard let source = node.source else { return }
      guard let winners = winners[index] else { preconditionFailure("pooling \(name) kept no winners") }
      let passed = try maxPoolingInputGradient(
        gradient, winners: winners, inputExtent: enteringExtent, work: work)
      try accumulate(passed, at: source, work: work)
    case .batchNormalisation:
      let entering = node.source.map { value($0) } ?? input
      guard let statistics = statistics[name] else { preconditionFailure("\(name) kept no statistics") }
      let passed = try batchNormalisationGradients(
        input: entering, outputGradient: gradient, scale: weight(node), statistics: statistics, work: work)
      gradients[name + ".weight"] = passed.scale
      gradients[name + ".bias"] = passed.shift
      if let source = node.source { try accumulate(passed.input, at: source, work: work) }
    case .rectifier:
      try rectifierGradient(&gradient, output: value(index), work: work)
      if let source = node.source { try accumulate(gradient, at: source, work: work) }
    }
  }

  private mutating func accumulate(_ gradient: Tensor, at node: Int, work: WorkContext) throws(Cancelled) {
    guard var sum = outputGradients[node] else {
      outputGradients[node] = gradient
      return
    }
    outputGradients[node] = nil
    try add(gradient, to: &sum, work: work)
    outputGradients[node] = sum
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
