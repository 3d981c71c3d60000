import Tensors
import Work

/// The offsets of all activations and scratch memory of a plan in one arena.
///
/// Time 0 is the image, time i + 1 is step i, and the last time is the delivery of the logits. An activation occupies
/// memory from the time that writes it to the time of its last reader. Planes that later slabs still read are copied to
/// a smaller interval of their own, and back to the front of the activation's memory in the next slab.
struct BufferPlan: Sendable {
  /// The memory of an activation, or of a chain of activations that steps compute in place, or of activations that are
  /// concatenated and their concatenation.
  struct Storage: Sendable {
    /// The last activation of these; its channels and extents lay out the memory.
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
  /// For each activation its first channel in the memory of its owner.
  let firstChannels: [Int]
  /// The memory of each activation; nil for those that share another's or lie in the caller's memory.
  let storages: [Storage?]
  /// Floats from the start of the arena to each step's scratch memory.
  let scratchOffsets: [Int]
  /// Floats of each step's scratch memory.
  let scratchCounts: [Int]
  /// Floats of the arena.
  let count: Int

  /// The plan of the smaller arena: inputs of concatenations are computed in the memory of the concatenation, or copied.
  ///
  /// - Parameters:
  ///   - mode: In mode `whole` the image and the logits lie in the caller's memory.
  ///   - threadCount: Threads that the scratch memory must suffice for.
  /// - Complexity: O(slabs · activations + activations² log activations).
  init(
    _ steps: PlanSteps, _ schedule: SlabSchedule, mode: InferencePlan.ExecutionMode, threadCount: Int
  ) {
    let owners = Self.owners(steps, schedule, mode: mode)
    let copying = BufferPlan(
      steps, schedule, owners: owners, firstChannels: owners.map { _ in 0 }, mode: mode,
      threadCount: threadCount)
    let places = Self.placesInConcatenations(steps, schedule, owners)
    guard places.owners != owners else {
      self = copying
      return
    }
    let placing = BufferPlan(
      steps, schedule, owners: places.owners, firstChannels: places.firstChannels, mode: mode,
      threadCount: threadCount)
    self = placing.count <= copying.count ? placing : copying
  }

  private init(
    _ steps: PlanSteps, _ schedule: SlabSchedule, owners: [Int], firstChannels: [Int],
    mode: InferencePlan.ExecutionMode, threadCount: Int
  ) {
    let isWhole = mode == .whole
    self.owners = owners
    self.firstChannels = firstChannels
    let logits = Set(steps.heads.map { $0 + 1 })
    let end = steps.steps.count + 1
    let slabs = 0..<schedule.slabCount
    var storages: [Storage?] = steps.activationIndices.map { activation in
      guard owners[activation] == activation, activation > 0 || !isWhole,
        !(isWhole && logits.contains(activation))
      else { return nil }
      let sharing = steps.activationIndices.filter { owners[$0] == activation }
      let first = sharing.first ?? activation
      let readers = sharing.flatMap { steps.readers(ofActivation: $0).map { $0 + 1 } }
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
      // Its last reader may overwrite it once the others have read all of it.
      guard let reader = readers.last, readers.count == 1 || schedule.slabCount == 1, !isLogits,
        activation > 0 || mode == .streamed
      else { continue }
      let output = reader + 1
      let positions = steps.inputs(ofStep: reader).indices.filter {
        steps.inputs(ofStep: reader)[$0] == activation
      }
      // One input of a join shares its memory, the last one that can; and one that is read twice does not.
      let isFree =
        !owners[(activation + 1)..<output].contains(owners[output])
        && positions.count == 1
      let advanceTogether = schedule.ends.allSatisfy { $0[activation] == $0[output] }
      if steps.steps[reader].operation.mayOverwrite(input: positions[0]), advanceTogether, isFree,
        steps.planeFloats(ofActivation: activation) == steps.planeFloats(ofActivation: output)
      {
        owners[activation] = owners[output]
      }
    }
    return owners
  }

  /// `owners`, changed where inputs of a concatenation can be computed in its memory, and the channels there.
  ///
  /// A concatenation has the planes of its inputs only where there is one slab, and channels of one input lie together
  /// only where there is one image.
  private static func placesInConcatenations(
    _ steps: PlanSteps, _ schedule: SlabSchedule, _ owners: [Int]
  ) -> (owners: [Int], firstChannels: [Int]) {
    var (owners, firstChannels) = (owners, owners.map { _ in 0 })
    guard schedule.slabCount == 1, steps.batch == 1 else { return (owners, firstChannels) }
    let logits = Set(steps.heads.map { $0 + 1 })
    for (index, step) in steps.steps.enumerated() {
      let (inputs, output) = (steps.inputs(ofStep: index), index + 1)
      // Where a later step overwrites the output, a later reader of an input would find other values.
      guard let places = step.operation.placesInOutput(inputs.map { steps.channels(ofActivation: $0) }),
        owners[output] == output, !logits.contains(output)
      else { continue }
      for (input, place) in zip(inputs, places) {
        guard input > 0, owners[input] == input, !logits.contains(input) else { continue }
        for shared in steps.activationIndices where owners[shared] == input {
          owners[shared] = output
          firstChannels[shared] += place
        }
      }
    }
    return (owners, firstChannels)
  }
}

extension BufferPlan {
  /// Floats from the start of the arena to an activation, and their number; nil where the caller holds it.
  func memory(ofActivation index: Int, _ steps: PlanSteps) -> (offset: Int, count: Int)? {
    guard let storage = storages[owners[index]] else { return nil }
    let extent = steps.extent(ofActivation: index)
    return (
      storage.offset + firstChannels[index] * storage.capacity * extent.h * extent.w,
      storage.capacity * steps.planeFloats(ofActivation: index)
    )
  }
}

extension PlanSteps {
  /// Indices of the image (0) and of each step's output.
  var activationIndices: Range<Int> { 0..<activationCount }
}
