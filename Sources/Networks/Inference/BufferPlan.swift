import Tensors
import Work

/// The offsets of all activations and scratch memory of a plan in one arena.
///
/// Time 0 is the image, time i + 1 is step i, and the last time is the delivery of the logits. An activation occupies
/// memory from the time that writes it to the time of its last reader. Planes that later slabs still read are copied to
/// a smaller interval of their own, and back to the front of the activation's memory in the next slab.
struct BufferPlan: Sendable {
  /// The memory of an activation, or of a chain of activations that steps compute in place.
  struct Storage: Sendable {
    /// The last activation of the chain; its channels and extents lay out the memory.
    let activation: Int
    /// The maximum number of planes that it holds.
    let capacity: Int
    /// The maximum number of planes that are retained from one slab to the next.
    let retainedCapacity: Int
    /// The times of its first write and its last read.
    let times: ClosedRange<Int>
    /// Floats from the start of the arena to the activation.
    fileprivate(set) var offset = 0
    /// Floats from the start of the arena to the retained planes.
    fileprivate(set) var retainedOffset = 0
  }

  /// For each activation the one whose memory it shares; itself where it shares none.
  let owners: [Int]
  /// The memory of each activation; nil for those that share another's or lie in the caller's memory.
  let storages: [Storage?]
  /// Floats from the start of the arena to each step's scratch memory.
  let scratchOffsets: [Int]
  /// Floats of each step's scratch memory.
  let scratchCounts: [Int]
  /// Floats of the arena.
  let count: Int

  /// The plan for a schedule.
  ///
  /// - Parameters:
  ///   - mode: In mode `whole` the image and the logits lie in the caller's memory.
  ///   - threadCount: Threads that the scratch memory must suffice for.
  /// - Complexity: O(slabs · activations² + activations² log activations).
  init(
    _ steps: PlanSteps, _ schedule: SlabSchedule, mode: InferencePlan.ExecutionMode, threadCount: Int
  ) {
    let isWhole = mode == .whole
    let owners = Self.owners(steps, schedule, mode: mode)
    self.owners = owners
    let logits = Set(steps.heads.map { $0 + 1 })
    let end = steps.steps.count + 1
    let slabs = 0..<schedule.slabCount
    var storages: [Storage?] = steps.activationIndices.map { activation in
      guard owners[activation] == activation, activation > 0 || !isWhole,
        !(isWhole && logits.contains(activation))
      else { return nil }
      let first = steps.activationIndices.first { owners[$0] == activation } ?? activation
      let readers = steps.readers(ofActivation: activation).map { $0 + 1 }
      let last = max(readers.max() ?? activation, logits.contains(activation) ? end : activation)
      let held = slabs.map { schedule.heldPlanes(ofActivation: activation, slab: $0).count }.max() ?? 0
      let retained = slabs.dropLast()
        .map { schedule.retainedPlanes(ofActivation: activation, slab: $0).count }.max()
      return Storage(
        activation: activation, capacity: held, retainedCapacity: retained ?? 0, times: first...last)
    }
    scratchCounts = steps.steps.indices.map { index in
      let step = steps.steps[index]
      let depths = Set(slabs.map { schedule.newPlanes(ofActivation: index + 1, slab: $0).count })
      return depths.filter { $0 > 0 }.map {
        step.operation.scratchCount(
          planes: $0, input: step.inputExtent, channels: step.inputChannels, batch: steps.batch,
          threadCount: threadCount)
      }.max() ?? 0
    }
    // In one list: the memory and the retained planes of each activation, then the scratch memory of each step.
    var intervals: [MemoryInterval] = []
    for activation in steps.activationIndices {
      let floats = steps.planeFloats(ofActivation: activation)
      let storage = storages[activation]
      intervals.append(
        MemoryInterval(count: floats * (storage?.capacity ?? 0), times: storage?.times ?? 0...0))
      intervals.append(MemoryInterval(count: floats * (storage?.retainedCapacity ?? 0), times: 0...end))
    }
    for (index, count) in scratchCounts.enumerated() {
      intervals.append(MemoryInterval(count: count, times: index + 1...index + 1))
    }
    let (offsets, total) = packed(intervals)
    for activation in steps.activationIndices {
      storages[activation]?.offset = offsets[2 * activation]
      storages[activation]?.retainedOffset = offsets[2 * activation + 1]
    }
    self.storages = storages
    scratchOffsets = Array(offsets.suffix(scratchCounts.count))
    count = total
  }

  /// For each activation the one whose memory it shares: the output of the step that computes it in place, or itself.
  private static func owners(
    _ steps: PlanSteps, _ schedule: SlabSchedule, mode: InferencePlan.ExecutionMode
  ) -> [Int] {
    var owners = Array(steps.activationIndices)
    for activation in steps.activationIndices.reversed() {
      let readers = steps.readers(ofActivation: activation)
      let isLogits = steps.heads.contains { $0 + 1 == activation }
      guard readers.count == 1, !isLogits, activation > 0 || mode == .streamed else { continue }
      let output = readers[0] + 1
      // One input of a join shares its memory, the last one that can; and one that is read twice does not.
      let isFree =
        !owners[(activation + 1)..<output].contains(owners[output])
        && steps.inputs(ofStep: readers[0]).filter { $0 == activation }.count == 1
      let advanceTogether = schedule.ends.allSatisfy { $0[activation] == $0[output] }
      if steps.steps[readers[0]].operation.worksInPlace, advanceTogether, isFree,
        steps.planeFloats(ofActivation: activation) == steps.planeFloats(ofActivation: output)
      {
        owners[activation] = owners[output]
      }
    }
    return owners
  }
}

extension PlanSteps {
  /// Indices of the image (0) and of each step's output.
  var activationIndices: Range<Int> { 0..<activationCount }
}
