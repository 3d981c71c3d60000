import Tensors
import Work

/// A network prepared to run: weights in the form of their kernels, batch normalisation folded away.
///
/// Preparing costs as much as touching every weight a few times; the value is then shared freely between threads
/// and images.
package struct Network: Sendable {
  /// The layers.
  package let graph: ResolvedGraph
  /// The heads (indices into the graph's) that were prepared.
  package let heads: [Int]
  let steps: [InferenceStep]

  /// Prepares the branches of some heads, by default of all.
  ///
  /// - Parameters:
  ///   - parameters: what `graph` needs, checked when they were made.
  ///   - heads: indices into the graph's heads; preparing fewer lets more layers fuse.
  /// - Throws: ``InputError`` when the graph makes no sense; ``Cancelled``.
  package init(
    graph: NetworkGraph, parameters: Parameters, heads: [Int]? = nil, work: WorkContext
  ) throws {
    let resolved = try graph.resolved()
    self.graph = resolved
    self.heads = heads ?? Array(graph.heads.indices)
    steps = try resolved.inferenceSteps(forHeads: self.heads, parameters: parameters, work: work)
  }

  /// Prepares a model that was read from a file.
  package init(_ model: ModelFile, heads: [Int]? = nil, work: WorkContext) throws {
    try self.init(graph: model.graph, parameters: model.parameters, heads: heads, work: work)
  }

  /// Runs the network.
  ///
  /// Each layer's output is freed as soon as its last reader ran, and branches that no asked head needs are
  /// skipped. Progress is the share of estimated operations done.
  ///
  /// - Parameters:
  ///   - input: the image, [N, channels, D, H, W].
  ///   - heads: indices into the graph's heads, among those prepared; the main head is 0.
  /// - Returns: for each asked head the scores before softmax, [N, classes, D', H', W']; the extents are the
  ///   image's where ``SpatialReach`` exists and the image's are multiples of its total stride.
  /// - Throws: ``InputError`` when the image has other channels or is too small for a layer; ``Cancelled``.
  package func scores(of input: Tensor, heads asked: [Int] = [0], work: WorkContext) throws -> [Tensor] {
    guard input.shape.count == 5, input.channels == graph.graph.inputChannels, input.batch > 0 else {
      throw InputError(
        "image", "shape", found: "\(input.shape)",
        expected: "[n, \(graph.graph.inputChannels), z, y, x] for this network")
    }
    let plan = try plan(for: input.extent, batch: input.batch, heads: asked)
    var remaining = plan.readerCounts
    var values = [Tensor?](repeating: nil, count: steps.count)
    var doneCost = 0.0
    for (index, step) in steps.enumerated() where plan.isNeeded[index] {
      let entering: Tensor
      if let source = step.source {
        guard let value = values[source] else { preconditionFailure("step \(source) was freed too early") }
        entering = value
        remaining[source] -= 1
        if remaining[source] == 0 { values[source] = nil }
      } else {
        entering = input
      }
      let shares = (doneCost / plan.totalCost)...min(1, (doneCost + plan.costs[index]) / plan.totalCost)
      values[index] = try step.run(entering, work: work.part(shares))
      doneCost += plan.costs[index]
      work.report(shares.upperBound)
    }
    return asked.map { head in
      guard let scores = values[step(ofHead: head)] else { preconditionFailure("head \(head) did not run") }
      return scores
    }
  }

  /// Runs the network on `input` and returns the main head's scores.
  package func callAsFunction(_ input: Tensor, work: WorkContext) throws -> Tensor {
    try scores(of: input, heads: [0], work: work)[0]
  }

  /// Most memory that activations take at one time while an image of extents `extent` runs, in bytes, without
  /// the image itself and the kernels' scratch memory.
  /// - Throws: ``InputError`` when the image is too small for a layer.
  package func peakActivationBytes(
    for extent: Extent3, batch: Int = 1, heads asked: [Int] = [0]
  ) throws(InputError) -> Int {
    let plan = try plan(for: extent, batch: batch, heads: asked)
    var remaining = plan.readerCounts
    var live = 0
    var peak = 0
    for (index, step) in steps.enumerated() where plan.isNeeded[index] {
      live += plan.bytes[index]
      peak = max(peak, live)
      if let source = step.source {
        remaining[source] -= 1
        if remaining[source] == 0 { live -= plan.bytes[source] }
      }
    }
    return peak
  }

  /// Estimated floating-point operations for an image of extents `extent`, counted as direct summation would
  /// need them.
  /// - Throws: ``InputError`` when the image is too small for a layer.
  package func operationCount(
    for extent: Extent3, batch: Int = 1, heads asked: [Int] = [0]
  ) throws(InputError) -> Double {
    try plan(for: extent, batch: batch, heads: asked).totalCost
  }

  private struct Plan {
    var isNeeded: [Bool]
    /// Steps that read each step's output, and one more for each asked head that it is.
    var readerCounts: [Int]
    var costs: [Double]
    var bytes: [Int]
    var totalCost: Double
  }

  private func step(ofHead head: Int) -> Int {
    guard let index = steps.firstIndex(where: { $0.node == graph.headNodes[head] }) else {
      preconditionFailure("head \(head) was not prepared; prepared are \(heads)")
    }
    return index
  }

  private func plan(for extent: Extent3, batch: Int, heads asked: [Int]) throws(InputError) -> Plan {
    let outputs = asked.map { step(ofHead: $0) }
    var isNeeded = [Bool](repeating: false, count: steps.count)
    var readerCounts = [Int](repeating: 0, count: steps.count)
    for output in outputs {
      readerCounts[output] += 1
      isNeeded[output] = true
    }
    for (index, step) in steps.enumerated().reversed() where isNeeded[index] {
      guard let source = step.source else { continue }
      isNeeded[source] = true
      readerCounts[source] += 1
    }
    let extents = try graph.outputExtents(input: extent, subject: "image")
    var costs: [Double] = []
    var bytes: [Int] = []
    for step in steps {
      let entering = step.source.map { extents[steps[$0].node] } ?? extent
      let leaving = extents[step.node]
      costs.append(step.cost(entering: entering, leaving: leaving) * Double(batch))
      bytes.append(
        leaving.product * graph.nodes[step.node].outputChannels * batch * MemoryLayout<Float>.size)
    }
    let total = costs.indices.reduce(0) { isNeeded[$1] ? $0 + costs[$1] : $0 }
    return Plan(
      isNeeded: isNeeded, readerCounts: readerCounts, costs: costs, bytes: bytes, totalCost: max(total, 1))
  }
}
