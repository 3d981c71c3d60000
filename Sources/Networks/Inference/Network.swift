import Tensors
import Work

/// A network ready to run: its layers fused into steps, batch normalisation folded away.
///
/// Weights are prepared for their kernels when a plan first needs them. The value may be shared between threads and
/// images; successive runs reuse one arena.
package struct Network: Sendable {
  /// The default limit of activations and scratch memory in bytes; larger images are computed slab by slab.
  package static let memoryLimit = 640 << 20
  /// The maximum size in bytes of the input and the output of one layer for a whole image, so that sums over layers fit
  /// an `Int`.
  private static let maximumActivationBytes = 0x1p48
  /// Planes of the thinnest slabs that weights are prepared for; thinner slabs use the same weights.
  private static let minimumSlabDepthOfWeights = 8

  /// The checked graph.
  package let graph: ResolvedGraph
  /// The heads that were prepared, as indices into the graph's heads.
  package let heads: [Int]
  private let steps: [FusedStep]
  private let memory = ActivationMemoryPool()

  /// Fuses the layers that the given heads need, by default all heads.
  ///
  /// - Parameters:
  ///   - parameters: The tensors of `graph`.
  ///   - heads: Indices into the graph's heads; with fewer heads more layers fuse.
  /// - Throws: ``InputError`` when the graph is invalid or the weights do not fit in memory.
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

  /// The network of a model file; see ``init(graph:parameters:heads:)``.
  package init(_ model: ModelFile, heads: [Int]? = nil) throws(InputError) {
    try self.init(graph: model.graph, parameters: model.parameters, heads: heads)
  }

  /// The plan for images of extents `extent`, with weights prepared for them.
  ///
  /// - Parameters:
  ///   - heads: Indices into the graph's heads, among those prepared; the main head is 0.
  ///   - memoryLimit: Bytes that activations and scratch memory may take; where no plan fits, a plan of at most half
  ///     more than the smallest arena is made.
  /// - Throws: ``InputError`` when the image is too small for a layer; ``Cancelled``.
  package func plan(
    for extent: Extent3, batch: Int = 1, heads requested: [Int] = [0],
    mode: InferencePlan.ExecutionMode = .whole, memoryLimit: Int = Network.memoryLimit, work: WorkContext
  ) throws -> InferencePlan {
    func plan(weightsForSlabsOf depth: Int) throws -> InferencePlan {
      // Weights for thinner slabs take more memory than thinner slabs save.
      let depth = min(max(depth, Network.minimumSlabDepthOfWeights), extent.d)
      let steps = try planSteps(for: extent, batch: batch, heads: requested, slabDepth: depth, work: work)
      return InferencePlan(
        steps, memoryLimit: memoryLimit, mode: mode, threadCount: work.threadCount)
    }
    let expected = try expectedSlabDepth(extent, batch: batch, heads: requested, memoryLimit: memoryLimit)
    let first = try plan(weightsForSlabsOf: expected)
    // The slab depth depends on the kernels' memory, and the choice of kernels on the slab depth: a second round
    // suffices.
    guard first.slabCount > 1, abs(first.slabDepth - expected) * 8 > expected else { return first }
    return try plan(weightsForSlabsOf: first.slabDepth)
  }

  /// The plan with slabs of `slabDepth` planes, whatever memory it takes.
  package func plan(
    for extent: Extent3, batch: Int = 1, heads requested: [Int] = [0],
    mode: InferencePlan.ExecutionMode = .whole, slabDepth: Int, isAligned: Bool = false, work: WorkContext
  ) throws -> InferencePlan {
    precondition(slabDepth > 0, "slabs of \(slabDepth) planes")
    return InferencePlan(
      try planSteps(for: extent, batch: batch, heads: requested, slabDepth: slabDepth, work: work),
      depth: slabDepth, isAligned: isAligned, mode: mode, threadCount: work.threadCount)
  }

  /// Runs the network on images that lie in memory.
  ///
  /// Branches that no requested head needs are skipped. Progress is the fraction of estimated operations done.
  ///
  /// - Parameters:
  ///   - input: The images, [N, channels, D, H, W].
  ///   - heads: Indices into the graph's heads, among those prepared; the main head is 0.
  ///   - plan: A plan for such images in mode `whole`; nil makes the best one.
  /// - Returns: For each requested head the logits, [N, classes, D', H', W']. The extents are the image's where
  ///   ``ResolvedGraph/receptiveField(ofHeads:)`` is not nil and the image's are multiples of its total stride.
  /// - Throws: ``InputError`` when the image has other channels or is too small for a layer; ``Cancelled``.
  package func logits(
    of input: Tensor, heads requested: [Int] = [0], plan: InferencePlan? = nil, work: WorkContext
  ) throws -> [Tensor] {
    guard input.shape.count == 5, input.channels == graph.graph.inputChannels, input.batch > 0 else {
      throw InputError(
        "image", "shape", found: "\(input.shape)",
        expected: "[n, \(graph.graph.inputChannels), z, y, x] for this network")
    }
    let plan = try plan ?? self.plan(for: input.extent, batch: input.batch, heads: requested, work: work)
    precondition(
      plan.mode == .whole && plan.steps.imageExtent == input.extent && plan.steps.batch == input.batch
        && plan.threadCount >= work.threadCount, "a plan for another run")
    let memory = try self.memory.take(count: plan.buffers.count)
    defer { self.memory.giveBack(memory) }
    // Heads may share a layer, whose logits are computed once.
    let outputs = Set(plan.steps.heads).sorted()
    let logits = try input.withWindow { image throws(Cancelled) -> [Tensor] in
      try tensors(outputs, of: plan.steps, callerBuffers: [0: image]) { callerBuffers throws(Cancelled) in
        do {
          try InferenceRun(plan: plan, memory: memory, callerBuffers: callerBuffers, work: work)
            .run(fetch: { _, _ in }, deliver: { _, _ in })
        } catch let cancelled as Cancelled {
          throw cancelled
        } catch {
          preconditionFailure("\(error) where nothing is fetched or delivered")
        }
      }
    }
    return plan.steps.heads.map { logits[outputs.firstIndex(of: $0)!] }
  }

  /// The main head's logits for `input`; see ``logits(of:heads:plan:work:)``.
  package func callAsFunction(_ input: Tensor, work: WorkContext) throws -> Tensor {
    try logits(of: input, heads: [0], work: work)[0]
  }

  /// Runs the network on one image slab by slab, so that neither the image nor the logits are in memory as a whole.
  ///
  /// - Parameters:
  ///   - plan: A plan for the image in mode `streamed`.
  ///   - fetch: Writes the planes of the image that the window names; called for each plane once, in order.
  ///   - deliver: Receives windows of the logits of the requested heads, the same planes of all heads, in order; the
  ///     windows may only be read, and only during the call.
  /// - Throws: ``Cancelled``, and the errors of `fetch` and `deliver`.
  package func stream(
    _ plan: InferencePlan, work: WorkContext, fetch: (ActivationWindow, WorkContext) throws -> Void,
    deliver: ([ActivationWindow], WorkContext) throws -> Void
  ) throws {
    precondition(
      plan.mode == .streamed && plan.threadCount >= work.threadCount, "a plan for another run")
    let memory = try self.memory.take(count: plan.buffers.count)
    defer { self.memory.giveBack(memory) }
    try InferenceRun(plan: plan, memory: memory, callerBuffers: [:], work: work)
      .run(fetch: fetch, deliver: deliver)
  }

  /// Calls `body` with `callerBuffers` and new buffers for the outputs of the given steps; returns those outputs.
  private func tensors(
    _ outputs: [Int], of steps: PlanSteps, callerBuffers: [Int: ActivationWindow],
    _ body: ([Int: ActivationWindow]) throws(Cancelled) -> Void
  ) throws(Cancelled) -> [Tensor] {
    guard let output = outputs.first else {
      try body(callerBuffers)
      return []
    }
    let (step, extent) = (steps.steps[output], steps.steps[output].extent)
    var others: [Tensor] = []
    let tensor = try Tensor(shape: [steps.batch, step.channels, extent.d, extent.h, extent.w]) {
      window throws(Cancelled) in
      var callerBuffers = callerBuffers
      callerBuffers[output + 1] = window
      others = try tensors(Array(outputs.dropFirst()), of: steps, callerBuffers: callerBuffers, body)
    }
    return [tensor] + others
  }

  /// About as many planes of an image as a slab can have with `memoryLimit` bytes of activations, estimated from the
  /// input and the output of the layer with the largest sum of both.
  private func expectedSlabDepth(
    _ extent: Extent3, batch: Int, heads requested: [Int], memoryLimit: Int
  ) throws(InputError) -> Int {
    let extents = try graph.outputExtents(input: extent, subject: "image")
    let isNeeded = graph.nodesNeeded(byHeads: requested)
    var largest = 1.0
    for (index, node) in graph.nodes.enumerated() where isNeeded[index] {
      let inputExtent = node.sources[graph.gridInputs(of: node)[0]].map { extents[$0] } ?? extent
      let floats =
        Double(node.inputChannels.reduce(0, +)) * inputExtent.voxels
        + Double(node.outputChannels) * extents[index].voxels
      largest = max(largest, Double(batch) * floats * Double(MemoryLayout<Float>.stride))
    }
    guard largest <= Network.maximumActivationBytes else {
      throw InputError(
        "image", "is too large for the network", found: "\(extent.w)x\(extent.h)x\(extent.d) voxels",
        expected: "layers of at most \(Network.maximumActivationBytes) bytes")
    }
    return max(1, min(extent.d, Int(saturating: Double(extent.d) * Double(memoryLimit) / largest)))
  }

  /// The steps for images of extents `extent`, with weights prepared for slabs of `slabDepth` planes of them.
  private func planSteps(
    for extent: Extent3, batch: Int, heads requested: [Int], slabDepth: Int, work: WorkContext
  ) throws -> PlanSteps {
    precondition(
      requested.allSatisfy { heads.contains($0) },
      "heads \(requested) were not prepared; prepared are \(heads)")
    // Throws an error that names the layer whose input is too small.
    let extents = try graph.outputExtents(input: extent, subject: "image")
    let isNeeded = graph.nodesNeeded(byHeads: requested)
    var planned: [PlanStep] = []
    var plannedIndices = [Int?](repeating: nil, count: steps.count)
    for (index, step) in steps.enumerated() where isNeeded[step.nodes[0]] {
      var sources = step.sources.map { $0.flatMap { plannedIndices[$0] } }
      var channels = sources.map { source in
        source.map { planned[$0].channels } ?? graph.graph.inputChannels
      }
      let joined = graph.gridInputs(of: graph.nodes[step.nodes[0]])[0]
      var inputExtent = sources[joined].map { planned[$0].extent } ?? extent
      let operations = try step.preparation.operations(
        for: inputExtent,
        slabDepth: max(1, min(inputExtent.d, (inputExtent.d * slabDepth + extent.d - 1) / extent.d)),
        work: work.withoutProgress
      ).map { $0.producing(extents[step.nodes[0]]) }
      for (position, operation) in operations.enumerated() {
        guard let outputExtent = operation.outputExtent(inputExtent) else {
          preconditionFailure("an input of \(inputExtent) is too small for \(operation.kernelName)")
        }
        let names = step.nodes.map { graph.nodes[$0].layer.name }
        let split = names.count - operations.count + 1
        plannedIndices[index] = planned.count
        planned.append(
          PlanStep(
            layers: position == 0 ? Array(names[..<split]) : [names[split + position - 1]], sources: sources,
            operation: operation, inputChannels: channels.reduce(0, +), inputExtent: inputExtent,
            channels: operation.outputChannels(channels), extent: outputExtent))
        sources = [plannedIndices[index]]
        channels = [planned[planned.count - 1].channels]
        inputExtent = outputExtent
      }
    }
    let outputs = requested.map { head in
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
  /// The product of the extents as a `Double`, which cannot overflow.
  fileprivate var voxels: Double { Double(d) * Double(h) * Double(w) }
}
