import Tensors
import Work

/// One execution of a plan on one image.
struct InferenceRun {
  /// Writes planes of the image into a window.
  typealias Fetch = (ActivationWindow, WorkContext) throws -> Void
  /// Receives planes of the logits of each requested head, the same planes of all heads.
  typealias Deliver = ([ActivationWindow], WorkContext) throws -> Void

  let plan: InferencePlan
  let memory: ActivationMemory
  /// Buffers in the caller's memory, by activation: the whole image and the whole logits.
  let callerBuffers: [Int: ActivationWindow]
  let work: WorkContext

  private var steps: PlanSteps { plan.steps }
  private var schedule: SlabSchedule { plan.schedule }
  private var endTime: Int { steps.steps.count + 1 }

  /// Runs all slabs.
  ///
  /// `fetch` and `deliver` are called in mode `streamed` only.
  func run(fetch: Fetch, deliver: Deliver) throws {
    let total = max(plan.operationCount, 1)
    var done = 0.0
    for slab in 0..<plan.slabCount {
      for time in 0...endTime {
        try restoreRetained(before: time, slab: slab)
        if time == 0 {
          try self.fetch(slab, fetch)
        } else if time == endTime {
          try self.deliver(slab, deliver)
        } else {
          let planes = schedule.newPlanes(ofActivation: time, slab: slab)
          let step = steps.steps[time - 1]
          let cost =
            Double(steps.batch) * step.operationCount * Double(planes.count) / Double(step.extent.d)
          let progress = min(1, done / total)...min(1, (done + cost) / total)
          if !planes.isEmpty {
            try run(step, at: time, slab: slab, planes: planes, work: work.part(progress))
          }
          done += cost
          work.report(progress.upperBound)
        }
        try saveRetained(after: time, slab: slab)
      }
    }
    work.report(1)
  }

  private func fetch(_ slab: Int, _ fetch: Fetch) throws {
    let planes = schedule.newPlanes(ofActivation: 0, slab: slab)
    if plan.mode == .whole || planes.isEmpty { return }
    try fetch(window(of: 0, slab: slab, planes: planes), work.withoutProgress)
  }

  private func deliver(_ slab: Int, _ deliver: Deliver) throws {
    let planes = schedule.newLogits(slab: slab)
    if plan.mode == .whole || planes.isEmpty { return }
    try deliver(steps.heads.map { window(of: $0 + 1, slab: slab, planes: planes) }, work.withoutProgress)
  }

  private func run(
    _ step: PlanStep, at time: Int, slab: Int, planes: Range<Int>, work: WorkContext
  ) throws(Cancelled) {
    let inputs = steps.inputs(ofStep: time - 1).map { input in
      let read = steps.inputPlanes(ofStep: time - 1, for: planes, input: input)
      let held = schedule.heldPlanes(ofActivation: input, slab: slab)
      // Where no input plane is read, an empty window is passed.
      return window(
        of: input, slab: slab, planes: read.isEmpty ? held.lowerBound..<held.lowerBound : read)
    }
    try step.operation.run(
      inputs, into: window(of: time, slab: slab, planes: planes),
      scratch: memory.part(
        offset: plan.buffers.scratchOffsets[time - 1], count: plan.buffers.scratchCounts[time - 1]),
      work: work)
  }

  /// The window of the given planes of an activation while a slab runs.
  private func window(of activation: Int, slab: Int, planes: Range<Int>) -> ActivationWindow {
    let owner = plan.buffers.owners[activation]
    if let callerBuffer = callerBuffers[owner] { return callerBuffer.part(planes) }
    guard let storage = plan.buffers.storages[owner] else {
      preconditionFailure("activation \(activation) has no memory")
    }
    let window = window(
      of: owner, held: schedule.heldPlanes(ofActivation: owner, slab: slab), offset: storage.offset,
      capacity: storage.capacity
    ).part(planes)
    let channels = steps.channels(ofActivation: activation)
    if channels == window.channels { return window }
    let first = plan.buffers.firstChannels[activation]
    return window.channels(first..<first + channels)
  }

  private func window(of activation: Int, held: Range<Int>, offset: Int, capacity: Int) -> ActivationWindow {
    let extent = steps.extent(ofActivation: activation)
    return ActivationWindow(
      batch: steps.batch, channels: steps.channels(ofActivation: activation), extent: extent, planes: held,
      channelStride: capacity * extent.h * extent.w,
      memory: memory.part(offset: offset, count: capacity * steps.planeFloats(ofActivation: activation)))
  }

  /// Copies the planes that the slab before retained to the front of the activations whose lifetime begins at `time`.
  private func restoreRetained(before time: Int, slab: Int) throws(Cancelled) {
    guard slab > 0 else { return }
    try copyRetained(slab: slab - 1) {
      $0.times.lowerBound == time
    } from: { retained, storage in
      (retained, window(of: storage.activation, slab: slab, planes: retained.planes))
    }
  }

  /// Copies the planes that later slabs read out of the activations whose lifetime ends at `time`.
  private func saveRetained(after time: Int, slab: Int) throws(Cancelled) {
    guard slab + 1 < plan.slabCount else { return }
    try copyRetained(slab: slab) {
      $0.times.upperBound == time
    } from: { retained, storage in
      (window(of: storage.activation, slab: slab, planes: retained.planes), retained)
    }
  }

  private func copyRetained(
    slab: Int, where condition: (BufferPlan.Storage) -> Bool,
    from pair: (ActivationWindow, BufferPlan.Storage) -> (source: ActivationWindow, target: ActivationWindow)
  ) throws(Cancelled) {
    for case let storage? in plan.buffers.storages where condition(storage) {
      let planes = schedule.retainedPlanes(ofActivation: storage.activation, slab: slab)
      guard !planes.isEmpty else { continue }
      let retained = window(
        of: storage.activation, held: planes, offset: storage.retainedOffset,
        capacity: storage.retainedCapacity)
      let (source, target) = pair(retained, storage)
      try work.withoutProgress.forEach(count: source.batch * source.channels) { index, _ in
        let (sample, channel) = (index / source.channels, index % source.channels)
        target.start(sample: sample, channel: channel).update(
          from: source.start(sample: sample, channel: channel), count: planes.count * source.planeStride)
      }
    }
  }
}
