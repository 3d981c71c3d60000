import Tensors
import Work

/// The execution plan of a network for images of one size.
///
/// It fixes the steps, the slabs of planes that pass through them, and the offset of every buffer in one arena, before
/// anything runs.
package struct InferencePlan: Sendable {
  /// Whether the image and the logits are in memory as wholes.
  package enum ExecutionMode: Hashable, Sendable {
    /// The image lies in the caller's memory, and the logits are written to the caller's memory.
    case whole
    /// Planes of the image are fetched slab by slab, and planes of the logits are delivered as they are computed.
    case streamed
  }

  let steps: PlanSteps
  let schedule: SlabSchedule
  let buffers: BufferPlan
  /// The kernel calls in topological order.
  package var kernels: [PlanStep] { steps.steps }
  /// Whether the image and the logits are in memory as wholes.
  package let mode: ExecutionMode
  /// Threads that the scratch memory suffices for.
  package let threadCount: Int

  package var slabCount: Int { schedule.slabCount }
  /// Planes of the image per slab, but for the last.
  package var slabDepth: Int { min(schedule.depth, steps.imageExtent.d) }
  /// Bytes of the arena: all activations and scratch memory.
  package var arenaBytes: Int { buffers.count * MemoryLayout<Float>.stride }
  /// Bytes of the largest scratch memory of a step.
  package var scratchBytes: Int { (buffers.scratchCounts.max() ?? 0) * MemoryLayout<Float>.stride }
  /// Bytes of all prepared weights.
  package var weightBytes: Int { kernels.reduce(0) { $0 + $1.operation.weightBytes } }
  /// Floating-point operations that direct summation would need.
  package var operationCount: Double {
    Double(steps.batch) * kernels.reduce(0) { $0 + $1.operationCount }
  }

  /// Bytes of the image and of the logits in the caller's memory; 0 in mode `streamed`.
  package var callerBytes: Int {
    guard mode == .whole else { return 0 }
    let logits = Set(steps.heads).reduce(0) { $0 + floats(ofActivation: $1 + 1) }
    return (logits + floats(ofActivation: 0)) * MemoryLayout<Float>.stride
  }

  /// Bytes that a run needs at most: arena, weights and the caller's buffers.
  package var peakBytes: Int { arenaBytes + weightBytes + callerBytes }

  private func floats(ofActivation index: Int) -> Int {
    steps.planeFloats(ofActivation: index) * steps.extent(ofActivation: index).d
  }

  /// The bytes of a step's output and its offset in the arena in bytes; nil where it lies in the caller's memory.
  package func buffer(ofStep index: Int) -> (bytes: Int, offset: Int)? {
    let owner = buffers.owners[index + 1]
    guard let storage = buffers.storages[owner], let memory = buffers.memory(ofActivation: index + 1, steps)
    else { return nil }
    let floats = memory.count + storage.retainedCapacity * steps.planeFloats(ofActivation: owner)
    return (floats * MemoryLayout<Float>.stride, memory.offset * MemoryLayout<Float>.stride)
  }

  /// The number of planes of a step's output that are held from one slab to the next, at most.
  package func heldPlanes(ofStep index: Int) -> Int {
    (0..<slabCount - 1).map { schedule.retainedPlanes(ofActivation: index + 1, slab: $0).count }.max() ?? 0
  }

  /// The plan with slabs of `depth` planes.
  init(_ steps: PlanSteps, depth: Int, isAligned: Bool, mode: ExecutionMode, threadCount: Int) {
    self.steps = steps
    self.mode = mode
    self.threadCount = threadCount
    schedule = SlabSchedule(steps, depth: depth, isAligned: isAligned)
    buffers = BufferPlan(
      steps, schedule, mode: mode, threadCount: threadCount)
  }

  /// The plan of the least estimated cost among those whose arena takes `memoryLimit` bytes at most; where none does, among
  /// those whose arena is at most half larger than the smallest, since the thinnest slabs save little memory and
  /// fill few tiles.
  /// - Complexity: linear in the slab depths tried times the cost of a ``BufferPlan``.
  init(_ steps: PlanSteps, memoryLimit: Int, mode: ExecutionMode, threadCount: Int) {
    func plan(_ depth: Int, _ isAligned: Bool) -> InferencePlan {
      InferencePlan(
        steps, depth: depth, isAligned: isAligned, mode: mode, threadCount: threadCount)
    }
    let whole = plan(steps.imageExtent.d, false)
    if whole.arenaBytes <= memoryLimit {
      self = whole
      return
    }
    let candidates =
      [whole] + Self.slabDepths(steps.imageExtent.d).flatMap { [plan($0, false), plan($0, true)] }
    let smallest = candidates.reduce(whole.arenaBytes) { min($0, $1.arenaBytes) }
    let limit = smallest <= memoryLimit ? memoryLimit : smallest + smallest / 2
    var fastest = (plan: whole, cost: Double.infinity)
    for candidate in candidates where candidate.arenaBytes <= limit {
      let cost = candidate.estimatedCost
      if cost < fastest.cost { fastest = (candidate, cost) }
    }
    self = fastest.plan
  }

  /// The slab depths that are tried: every even one up to 64 planes, then in steps of about a thirty-second.
  private static func slabDepths(_ depth: Int) -> [Int] {
    var depths: [Int] = []
    var next = 2
    while next < depth {
      depths.append(next)
      next += max(2, next / 32 * 2)
    }
    return depths
  }

  /// Estimated operations: those of the kernels, rounded up to whole tiles per slab, and the cost of starting every
  /// kernel once per slab.
  private var estimatedCost: Double {
    let startCost = 5e7
    var cost = 0.0
    for (index, step) in kernels.enumerated() {
      let perPlane = step.operationCount / Double(step.extent.d)
      for slab in 0..<slabCount {
        let planes = schedule.newPlanes(ofActivation: index + 1, slab: slab).count
        guard planes > 0 else { continue }
        let unit = step.operation.windowStep
        cost += startCost + perPlane * Double((planes + unit - 1) / unit * unit)
      }
    }
    return cost
  }
}
