import Tensors
import Work

/// How a network runs on images of one size.
///
/// Its steps, the slabs in which planes pass through them, and where everything lies in one arena of memory: all of it is
/// known before anything runs.
package struct InferencePlan: Sendable {
  /// Where the image comes from and where the scores go.
  package enum Passage: Hashable, Sendable {
    /// The image lies in memory, and scores are wanted as wholes.
    case whole
    /// Planes of the image are fetched, and those of the scores given away as they are done.
    case streamed
  }

  let steps: PlanSteps
  let schedule: SlabSchedule
  let buffers: BufferPlan
  /// The kernel calls, each behind the one that feeds it.
  package var kernels: [PlanStep] { steps.steps }
  /// From where to where.
  package let passage: Passage
  /// Threads that the scratch memory suffices for.
  package let threadCount: Int

  /// Slabs in which the image passes through.
  package var slabCount: Int { schedule.slabCount }
  /// Planes of the image that each slab brings.
  package var slabDepth: Int { min(schedule.depth, steps.imageExtent.d) }
  /// Bytes of the memory of all activations and of scratch memory together.
  package var arenaBytes: Int { buffers.count * MemoryLayout<Float>.stride }
  /// Bytes of the step's scratch memory that needs most.
  package var scratchBytes: Int { (buffers.scratchCounts.max() ?? 0) * MemoryLayout<Float>.stride }
  /// Bytes of all prepared weights.
  package var weightBytes: Int { kernels.reduce(0) { $0 + $1.operation.weightBytes } }
  /// Floating-point operations, counted as direct summation needs them.
  package var operationCount: Double {
    Double(steps.batch) * kernels.reduce(0) { $0 + $1.operationCount }
  }

  /// Bytes of the image and of the scores, where the caller holds them as wholes.
  package var callerBytes: Int {
    guard passage == .whole else { return 0 }
    let scores = Set(steps.heads).reduce(0) { $0 + floats(ofActivation: $1 + 1) }
    return (scores + floats(ofActivation: 0)) * MemoryLayout<Float>.stride
  }

  /// Bytes that a run needs at most: arena, weights, and what the caller holds.
  package var peakBytes: Int { arenaBytes + weightBytes + callerBytes }

  private func floats(ofActivation index: Int) -> Int {
    steps.planeFloats(ofActivation: index) * steps.extent(ofActivation: index).d
  }

  /// The bytes and the place in the arena of a step's output; nil where it lies elsewhere.
  package func buffer(ofStep index: Int) -> (bytes: Int, offset: Int)? {
    let owner = buffers.owners[index + 1]
    guard let storage = buffers.storages[owner] else { return nil }
    let floats = (storage.capacity + storage.keptCapacity) * steps.planeFloats(ofActivation: owner)
    return (floats * MemoryLayout<Float>.stride, storage.offset * MemoryLayout<Float>.stride)
  }

  /// The plan with slabs of `depth` planes.
  init(_ steps: PlanSteps, depth: Int, isAligned: Bool, passage: Passage, threadCount: Int) {
    self.steps = steps
    self.passage = passage
    self.threadCount = threadCount
    schedule = SlabSchedule(steps, depth: depth, isAligned: isAligned)
    buffers = BufferPlan(
      steps, schedule, imageIsThere: passage == .whole, scoresStay: passage == .whole,
      threadCount: threadCount)
  }

  /// The plan that is estimated to be fastest among those whose arena takes `memoryLimit` bytes at most; where none
  /// does, the one that takes least.
  init(_ steps: PlanSteps, memoryLimit: Int, passage: Passage, threadCount: Int) {
    func plan(_ depth: Int, _ isAligned: Bool) -> InferencePlan {
      InferencePlan(
        steps, depth: depth, isAligned: isAligned, passage: passage, threadCount: threadCount)
    }
    var smallest = plan(steps.imageExtent.d, false)
    if smallest.arenaBytes <= memoryLimit {
      self = smallest
      return
    }
    var fastest: (plan: InferencePlan, cost: Double)?
    for depth in Self.slabDepths(steps.imageExtent.d) {
      for isAligned in [false, true] {
        let candidate = plan(depth, isAligned)
        if candidate.arenaBytes < smallest.arenaBytes { smallest = candidate }
        guard candidate.arenaBytes <= memoryLimit else { continue }
        let cost = candidate.estimatedCost
        if cost < fastest?.cost ?? .infinity { fastest = (candidate, cost) }
      }
    }
    self = fastest?.plan ?? smallest
  }

  /// The slab depths that are tried: every even one up to 64 planes, then coarser.
  private static func slabDepths(_ depth: Int) -> [Int] {
    var depths: [Int] = []
    var next = 2
    while next < depth {
      depths.append(next)
      next += max(2, next / 32 * 2)
    }
    return depths
  }

  /// Estimated operations with what is computed in vain where windows end inside a tile, and with the cost of starting
  /// every kernel once a slab.
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
