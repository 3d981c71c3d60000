import Tensors
import Work

/// A network ready to run: its layers fused into steps, batch normalisation folded away.
///
/// Weights are brought into the form of their kernels when images of some size first ask for it. The value is shared
/// freely between threads and images; runs that follow each other share their memory.
package struct Network: Sendable {
  /// Most bytes that activations and scratch memory take by default; a larger image passes in slabs.
  package static let memoryLimit = 640 << 20
  /// Bytes of what enters and leaves one layer of a whole image at most: sums of layers still count in an `Int`.
  private static let mostActivationBytes = 0x1p48
  /// Planes of the thinnest slabs that weights are prepared for; thinner ones use the same.
  private static let leastSlabDepthOfWeights = 8

  /// The layers.
  package let graph: ResolvedGraph
  /// The heads (indices into the graph's) that were prepared.
  package let heads: [Int]
  private let steps: [FusedStep]
  private let memory = ActivationMemoryPool()

  /// Fuses the layers that some heads need, by default all heads.
  ///
  /// - Parameters:
  ///   - parameters: what `graph` needs, checked when they were made.
  ///   - heads: indices into the graph's heads; preparing fewer lets more layers fuse.
  /// - Throws: ``InputError`` when the graph makes no sense.
  package init(graph: NetworkGraph, parameters: Parameters, heads: [Int]? = nil) throws(InputError) {
    let resolved = try graph.resolved()
    // Weights in double precision while layers fold into them, then as kernels take them.
    try AvailableMemory.require(
      checkedProduct(parameters.elementCount, MemoryLayout<Double>.stride + 2 * MemoryLayout<Float>.stride),
      subject: "network", "preparing its \(parameters.elementCount) weights")
    self.graph = resolved
    self.heads = heads ?? Array(graph.heads.indices)
    steps = resolved.fusedSteps(forHeads: self.heads, parameters: parameters)
  }

  /// The network of a model that was read from a file.
  package init(_ model: ModelFile, heads: [Int]? = nil) throws(InputError) {
    try self.init(graph: model.graph, parameters: model.parameters, heads: heads)
  }

  /// How images of extents `extent` pass through, with weights prepared for them.
  ///
  /// - Parameters:
  ///   - heads: indices into the graph's heads, among those prepared; the main head is 0.
  ///   - memoryLimit: bytes that activations and scratch memory may take; where that is too little, the plan that takes
  ///     least is made.
  /// - Throws: ``InputError`` when the image is too small for a layer; ``Cancelled``.
  package func plan(
    for extent: Extent3, batch: Int = 1, heads asked: [Int] = [0],
    passage: InferencePlan.Passage = .whole, memoryLimit: Int = Network.memoryLimit, work: WorkContext
  ) throws -> InferencePlan {
    func plan(weightsForSlabsOf depth: Int) throws -> InferencePlan {
      // Kernels that suit thinner slabs take more memory than thin slabs save.
      let depth = min(max(depth, Network.leastSlabDepthOfWeights), extent.d)
      let steps = try planSteps(for: extent, batch: batch, heads: asked, slabDepth: depth, work: work)
      return InferencePlan(
        steps, memoryLimit: memoryLimit, passage: passage, threadCount: work.threadCount)
    }
    let expected = try expectedSlabDepth(extent, batch: batch, heads: asked, memoryLimit: memoryLimit)
    let first = try plan(weightsForSlabsOf: expected)
    // Which slabs fit shows when the kernels are known, and which kernels suit depends on the slabs.
    guard first.slabCount > 1, abs(first.slabDepth - expected) * 8 > expected else { return first }
    return try plan(weightsForSlabsOf: first.slabDepth)
  }

  /// The same with slabs of `slabDepth` planes.
  package func plan(
    for extent: Extent3, batch: Int = 1, heads asked: [Int] = [0],
    passage: InferencePlan.Passage = .whole, slabDepth: Int, isAligned: Bool = false, work: WorkContext
  ) throws -> InferencePlan {
    precondition(slabDepth > 0, "slabs of \(slabDepth) planes")
    return InferencePlan(
      try planSteps(for: extent, batch: batch, heads: asked, slabDepth: slabDepth, work: work),
      depth: slabDepth, isAligned: isAligned, passage: passage, threadCount: work.threadCount)
  }

  /// Runs the network on images that lie in memory.
  ///
  /// Branches that no asked head needs are skipped. Progress is the share of estimated operations done.
  ///
  /// - Parameters:
  ///   - input: the image, [N, channels, D, H, W].
  ///   - heads: indices into the graph's heads, among those prepared; the main head is 0.
  ///   - plan: a plan for such images with passage `whole`; nil for the best one.
  /// - Returns: for each asked head the scores before softmax, [N, classes, D', H', W']; the extents are the
  ///   image's where ``SpatialReach`` exists and the image's are multiples of its total stride.
  /// - Throws: ``InputError`` when the image has other channels or is too small for a layer; ``Cancelled``.
  package func scores(
    of input: Tensor, heads asked: [Int] = [0], plan: InferencePlan? = nil, work: WorkContext
  ) throws -> [Tensor] {
    guard input.shape.count == 5, input.channels == graph.graph.inputChannels, input.batch > 0 else {
      throw InputError(
        "image", "shape", found: "\(input.shape)",
        expected: "[n, \(graph.graph.inputChannels), z, y, x] for this network")
    }
    let plan = try plan ?? self.plan(for: input.extent, batch: input.batch, heads: asked, work: work)
    precondition(
      plan.passage == .whole && plan.steps.imageExtent == input.extent && plan.steps.batch == input.batch
        && plan.threadCount >= work.threadCount, "a plan for another run")
    let memory = try self.memory.take(count: plan.buffers.count)
    defer { self.memory.give(memory) }
    // Heads may share a layer, whose scores are made once.
    let outputs = Set(plan.steps.heads).sorted()
    let scores = try input.withWindow { image throws(Cancelled) -> [Tensor] in
      try tensors(outputs, of: plan.steps, residents: [0: image]) { residents throws(Cancelled) in
        do {
          try InferenceRun(plan: plan, memory: memory, residents: residents, work: work)
            .run(fetch: { _, _ in }, deliver: { _, _ in })
        } catch let cancelled as Cancelled {
          throw cancelled
        } catch {
          preconditionFailure("\(error) where nothing is fetched or delivered")
        }
      }
    }
    return plan.steps.heads.map { scores[outputs.firstIndex(of: $0)!] }
  }

  /// Runs the network on `input` and returns the main head's scores.
  package func callAsFunction(_ input: Tensor, work: WorkContext) throws -> Tensor {
    try scores(of: input, heads: [0], work: work)[0]
  }

  /// Runs the network on one image whose planes are fetched and whose scores are given away slab by slab, so that
  /// neither is in memory as a whole.
  ///
  /// - Parameters:
  ///   - plan: the way of the image, with passage `streamed`.
  ///   - fetch: writes the planes that the window names, each once and in order.
  ///   - deliver: receives the scores before softmax of the asked heads, all heads the same planes, in order; the windows
  ///     must only be read, and only during the call.
  /// - Throws: ``Cancelled``, and what `fetch` and `deliver` throw.
  package func stream(
    _ plan: InferencePlan, work: WorkContext, fetch: (ActivationWindow, WorkContext) throws -> Void,
    deliver: ([ActivationWindow], WorkContext) throws -> Void
  ) throws {
    precondition(
      plan.passage == .streamed && plan.threadCount >= work.threadCount, "a plan for another run")
    let memory = try self.memory.take(count: plan.buffers.count)
    defer { self.memory.give(memory) }
    try InferenceRun(plan: plan, memory: memory, residents: [:], work: work)
      .run(fetch: fetch, deliver: deliver)
  }

  /// Calls `body` with fresh memory for the outputs of the given steps beside `residents`, and returns those outputs.
  private func tensors(
    _ outputs: [Int], of steps: PlanSteps, residents: [Int: ActivationWindow],
    _ body: ([Int: ActivationWindow]) throws(Cancelled) -> Void
  ) throws(Cancelled) -> [Tensor] {
    guard let output = outputs.first else {
      try body(residents)
      return []
    }
    let (step, extent) = (steps.steps[output], steps.steps[output].extent)
    var others: [Tensor] = []
    let tensor = try Tensor(shape: [steps.batch, step.channels, extent.d, extent.h, extent.w]) {
      window throws(Cancelled) in
      var residents = residents
      residents[output + 1] = window
      others = try tensors(Array(outputs.dropFirst()), of: steps, residents: residents, body)
    }
    return [tensor] + others
  }

  /// About as many planes of an image as a slab can have whose activations take `memoryLimit` bytes: what enters the
  /// layer that needs most, and what leaves it.
  private func expectedSlabDepth(
    _ extent: Extent3, batch: Int, heads asked: [Int], memoryLimit: Int
  ) throws(InputError) -> Int {
    let extents = try graph.outputExtents(input: extent, subject: "image")
    let isNeeded = graph.nodesNeeded(byHeads: asked)
    var most = 1.0
    for (index, node) in graph.nodes.enumerated() where isNeeded[index] {
      let entering = node.source.map { extents[$0] } ?? extent
      let floats =
        Double(node.inputChannels) * entering.voxels + Double(node.outputChannels) * extents[index].voxels
      most = max(most, Double(batch) * floats * Double(MemoryLayout<Float>.stride))
    }
    guard most <= Network.mostActivationBytes else {
      throw InputError(
        "image", "is too large for the network", found: "\(extent.w)x\(extent.h)x\(extent.d) voxels",
        expected: "layers of at most \(Network.mostActivationBytes) bytes")
    }
    return max(1, min(extent.d, Int(saturating: Double(extent.d) * Double(memoryLimit) / most)))
  }

  /// The steps for images of extents `extent`, with weights prepared for slabs of `slabDepth` planes of them.
  private func planSteps(
    for extent: Extent3, batch: Int, heads asked: [Int], slabDepth: Int, work: WorkContext
  ) throws -> PlanSteps {
    precondition(
      asked.allSatisfy { heads.contains($0) }, "heads \(asked) were not prepared; prepared are \(heads)")
    // Names the layer that an image is too small for.
    _ = try graph.outputExtents(input: extent, subject: "image")
    let isNeeded = graph.nodesNeeded(byHeads: asked)
    var planned: [PlanStep] = []
    var plannedIndices = [Int?](repeating: nil, count: steps.count)
    for (index, step) in steps.enumerated() where isNeeded[step.nodes[0]] {
      var source = step.source.flatMap { plannedIndices[$0] }
      var channels = source.map { planned[$0].channels } ?? graph.graph.inputChannels
      var entering = source.map { planned[$0].extent } ?? extent
      let slab = Extent3(
        max(1, min(entering.d, (entering.d * slabDepth + extent.d - 1) / extent.d)), entering.h, entering.w)
      let operations = try step.preparation.operations(for: slab, work: work.silent)
      for (position, operation) in operations.enumerated() {
        guard let leaving = operation.outputExtent(entering) else {
          preconditionFailure("an input of \(entering) is too small for \(operation.kernelName)")
        }
        let names = step.nodes.map { graph.nodes[$0].layer.name }
        let split = names.count - operations.count + 1
        plannedIndices[index] = planned.count
        planned.append(
          PlanStep(
            layers: position == 0 ? Array(names[..<split]) : [names[split + position - 1]], source: source,
            operation: operation, inputChannels: channels, inputExtent: entering,
            channels: operation.outputChannels(channels), extent: leaving))
        source = plannedIndices[index]
        channels = planned[planned.count - 1].channels
        entering = leaving
      }
    }
    let outputs = asked.map { head in
      guard let step = steps.firstIndex(where: { $0.nodes.last == graph.headNodes[head] }),
        let output = plannedIndices[step]
      else { preconditionFailure("head \(head) has no step") }
      return output
    }
    return PlanSteps(
      imageChannels: graph.graph.inputChannels, imageExtent: extent, batch: batch, steps: planned,
      heads: outputs)
  }
}

extension Extent3 {
  /// The product of the extents, where it may be more than an `Int` holds.
  fileprivate var voxels: Double { Double(d) * Double(h) * Double(w) }
}
