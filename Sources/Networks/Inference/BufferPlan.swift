import Tensors
import Work

/// Where every activation and all scratch memory of a plan lie in one arena.
///
/// Times are 0 for the image, i + 1 for step i, and one more for whoever takes the scores. An activation has memory from
/// the time that makes it to its last reader's; what later slabs still read of it survives in a smaller place of its own
/// and returns to the front.
struct BufferPlan: Sendable {
  /// The memory of an activation, or of a chain of them that steps change in place.
  struct Storage: Sendable {
    /// The last activation of the chain, whose planes lay out the memory.
    let activation: Int
    /// Planes that it holds at most, and planes that survive a slab at most.
    let capacity: Int
    let keptCapacity: Int
    /// When it is made first and read last.
    let times: ClosedRange<Int>
    /// Floats from the start of the arena.
    fileprivate(set) var offset = 0
    fileprivate(set) var keptOffset = 0
  }

  /// For each activation the one in whose memory it lies.
  let owners: [Int]
  /// The memory of each activation that owns some; nil for those that lie elsewhere, as images that are there already
  /// and scores that are asked for whole.
  let storages: [Storage?]
  /// Where each step's scratch memory starts, and its floats.
  let scratchOffsets: [Int]
  let scratchCounts: [Int]
  /// Floats of the arena.
  let count: Int

  /// The plan for a schedule.
  ///
  /// - Parameters:
  ///   - imageIsThere: Whether the image lies in the caller's memory as a whole.
  ///   - scoresStay: Whether heads are written as wholes into the caller's memory.
  init(
    _ steps: PlanSteps, _ schedule: SlabSchedule, imageIsThere: Bool, scoresStay: Bool, threadCount: Int
  ) {
    let owners = Self.owners(steps, schedule, imageIsThere: imageIsThere)
    self.owners = owners
    let scores = Set(steps.heads.map { $0 + 1 })
    let end = steps.steps.count + 1
    let slabs = 0..<schedule.slabCount
    var storages: [Storage?] = steps.activationIndices.map { activation in
      guard owners[activation] == activation, activation > 0 || !imageIsThere,
        !(scoresStay && scores.contains(activation))
      else { return nil }
      let first = steps.activationIndices.first { owners[$0] == activation } ?? activation
      let readers = steps.readers(ofActivation: activation).map { $0 + 1 }
      let last = max(readers.max() ?? activation, scores.contains(activation) ? end : activation)
      let held = slabs.map { schedule.heldPlanes(ofActivation: activation, slab: $0).count }.max() ?? 0
      let kept = slabs.dropLast().map { schedule.keptPlanes(ofActivation: activation, slab: $0).count }.max()
      return Storage(
        activation: activation, capacity: held, keptCapacity: kept ?? 0, times: first...last)
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
    // In one list: the memory of each activation, what is kept of it, the scratch memory of each step.
    var intervals: [MemoryInterval] = []
    for activation in steps.activationIndices {
      let floats = steps.planeFloats(ofActivation: activation)
      let storage = storages[activation]
      intervals.append(
        MemoryInterval(count: floats * (storage?.capacity ?? 0), times: storage?.times ?? 0...0))
      intervals.append(MemoryInterval(count: floats * (storage?.keptCapacity ?? 0), times: 0...end))
    }
    for (index, count) in scratchCounts.enumerated() {
      intervals.append(MemoryInterval(count: count, times: index + 1...index + 1))
    }
    let (offsets, total) = packed(intervals)
    for activation in steps.activationIndices {
      storages[activation]?.offset = offsets[2 * activation]
      storages[activation]?.keptOffset = offsets[2 * activation + 1]
    }
    self.storages = storages
    scratchOffsets = Array(offsets.suffix(scratchCounts.count))
    count = total
  }

  /// For each activation the one in whose memory it lies: that of the step that changes it in place, or its own.
  private static func owners(
    _ steps: PlanSteps, _ schedule: SlabSchedule, imageIsThere: Bool
  ) -> [Int] {
    var owners = Array(steps.activationIndices)
    for activation in steps.activationIndices.reversed() {
      let readers = steps.readers(ofActivation: activation)
      let isScore = steps.heads.contains { $0 + 1 == activation }
      guard readers.count == 1, !isScore, activation > 0 || !imageIsThere else { continue }
      let output = readers[0] + 1
      let advanceTogether = schedule.ends.allSatisfy { $0[activation] == $0[output] }
      if steps.steps[readers[0]].operation.worksInPlace, advanceTogether,
        steps.planeFloats(ofActivation: activation) == steps.planeFloats(ofActivation: output)
      {
        owners[activation] = owners[output]
      }
    }
    return owners
  }
}

extension PlanSteps {
  /// The image and the output of each step.
  var activationIndices: Range<Int> { 0..<activationCount }
}
