import CKernels
import Volumes
import Work

/// The mean field of many classes: each is computed only where it can gain or hold voxels.
///
/// It makes the updates of ``GridMeanField``, brick by brick, with the classes that ``ActiveClasses`` names there. Per
/// iteration every class's cells are filtered in the box that sends and receives it. Nothing is stored per voxel and
/// class.
struct ActiveMeanField: MeanField {
  private let unary: BrickUnary
  private let settings: RefinementSettings
  private let appearance: AppearanceKernel?
  private let smoothness: SmoothnessKernel?
  private let level: kernels_level
  /// After the probabilities themselves: what the first iteration sends and receives.
  private let start: ActiveClasses

  private var bricks: Bricks { unary.bricks }
  private var classCount: Int { unary.classCount }
  private var iterations: Int { appearance == nil && smoothness == nil ? 0 : settings.iterations }

  /// Finds where each class of `unary` is active.
  init(
    _ unary: Unary, of crf: DenseCRF, settings: RefinementSettings, appearance: AppearanceKernel?,
    smoothness: SmoothnessKernel?, work: WorkContext
  ) throws(Cancelled) {
    let bricks = Bricks(crf.size)
    self.unary = BrickUnary(unary, bricks)
    self.settings = settings
    self.appearance = appearance
    self.smoothness = smoothness
    level = crf.level
    var start = ActiveClasses(
      bricks, settings, appearance: appearance, smoothness: smoothness, crf: crf,
      odds: self.unary.odds(tolerance: Double(ActiveClasses.tolerance(settings))))
    start.update(try self.unary.summaries(start, level: crf.level, work: work), isFirst: true)
    self.start = start
  }

  /// Voxels times the classes that the first iteration computes in them.
  var computedVoxelClasses: Int {
    (0..<bricks.count).reduce(0) { sum, brick in
      start.isSettled[brick] ? sum : sum + bricks.box(brick).size.voxelCount * start.candidates(brick).count
    }
  }

  /// As ``MeanField/byteCount(wantsMarginals:workers:)``, if classes do not spread: the cells of two iterations.
  func byteCount(wantsMarginals: Bool, workers: Int) -> Int? {
    let cells = start.needed().bounds(classCount: classCount).reduce(0) { sum, box in
      sum + (box.map { byteCount(ofCells: bricks.voxels($0)) } ?? 0)
    }
    let perVoxel = 1 + (wantsMarginals ? classCount * MemoryLayout<Float>.stride : 0)
    let perWorker = classCount * BrickScratch.stride * MemoryLayout<Float>.stride
    return checkedSum(
      checkedProduct(2, cells), checkedProduct(bricks.volume.voxelCount, perVoxel),
      checkedProduct(workers, perWorker))
  }

  private func byteCount(ofCells box: VoxelBounds) -> Int {
    ClassCells.byteCount(box, appearance: appearance, smoothness: smoothness)
  }

  /// Cells of zeros for each class in the box of the bricks whose sets have it; nil where none has.
  private func cells(_ sets: ClassSets) throws(Cancelled) -> [ClassCells?] {
    try sets.bounds(classCount: classCount).map { box throws(Cancelled) in
      guard let box else { return nil }
      return try ClassCells(bricks.voxels(box), appearance: appearance, smoothness: smoothness)
    }
  }

  func run(wantsMarginals: Bool, work: WorkContext) throws(Cancelled) -> MeanFieldResult {
    let pass = try BrickPass(
      unary, settings, appearance: appearance, smoothness: smoothness, level: level,
      workers: work.threadCount)
    var active = start
    var received: [ClassCells?] = []
    for iteration in 0..<iterations {
      // The first pass has nothing to receive, and computes what is not certain from the start.
      let isComputed = iteration == 0 ? active.certain.map { $0 < 0 } : active.isSettled.map { !$0 }
      var sent = try cells(active.sendable(isComputed))
      let found = try update(active, pass, isComputed, from: received, to: sent, work.withoutProgress)
      if iteration > 0 { active.update(found) }
      received = []
      let needed = active.needed()
      let next = try cells(needed)
      for index in next.indices {
        if let cells = sent[index] { next[index]?.add(cells) }
        sent[index] = nil
      }
      try sendCertain(active, needed, pass, isComputed, to: next, work.withoutProgress)
      try filter(next, work.withoutProgress)
      received = next
      work.report(Double(iteration + 1) / Double(iterations + 1))
    }
    let result = try conclude(active, pass, from: received, wantsMarginals: wantsMarginals, work)
    work.report(1)
    return result
  }

  private func filter(_ cells: [ClassCells?], _ work: WorkContext) throws(Cancelled) {
    let filter = GridFilter(level: level)
    for grids in cells.compactMap({ $0?.grids }) {
      if let grid = grids.appearance, let appearance {
        try filter.appearance(grid, appearance.voxels.range, channels: 1, work: work)
      }
      if let grid = grids.smoothness { try filter.smoothness(grid, channels: 1, work: work) }
    }
  }

  /// Computes bricks from received messages, and sends their classes.
  private func update(
    _ active: ActiveClasses, _ pass: BrickPass, _ isComputed: [Bool], from received: [ClassCells?],
    to sent: [ClassCells?], _ work: WorkContext
  ) throws(Cancelled) -> [ActiveClasses.BrickSummary?] {
    var found = [ActiveClasses.BrickSummary?](repeating: nil, count: bricks.count)
    try found.withUnsafeMutableBufferPointer { found throws(Cancelled) in
      let found = DisjointBuffer(found)
      try forEachBrick(work) { index, worker in
        guard isComputed[index] else { return }
        let classes =
          (received.isEmpty ? active.probable.sets[index] : active.candidates(index)).elements
        let values = pass.scratch(worker).values.start
        let brick = pass.begin(index, worker)
        logits(index, brick, classes, active.received.sets[index], from: received, pass, worker)
        differences(of: classes, brick, pass, worker)
        let summary = summary(of: classes, brick, active, pass, worker)
        var present = ClassSet()
        for set in summary.present { present.formUnion(set) }
        for (channel, own) in classes.enumerated() where present.contains(own) {
          guard let cells = sent[own], cells.box.contains(brick.box) else { continue }
          pass.send(values + channel * BrickScratch.stride, brick, to: cells, worker)
        }
        found[index] = summary
      }
    }
    return found
  }

  /// Writes unary and received messages of `classes` to the worker's values.
  private func logits(
    _ index: Int, _ brick: BrickPass.Brick, _ classes: [Int], _ receivedClasses: ClassSet,
    from received: [ClassCells?], _ pass: BrickPass, _ worker: Int
  ) {
    let scratch = pass.scratch(worker)
    unary.fill(index, classes, scratch.values.start, stride: BrickScratch.stride, kinds: scratch.kinds.start)
    guard !received.isEmpty else { return }
    for (channel, own) in classes.enumerated() where receivedClasses.contains(own) {
      guard let cells = received[own], cells.box.contains(brick.box) else { continue }
      pass.receive(cells, brick, scratch.values.start + channel * BrickScratch.stride, worker)
    }
  }

  /// Replaces the worker's logits by Q, less that of a class without a channel.
  private func differences(
    of classes: [Int], _ brick: BrickPass.Brick, _ pass: BrickPass, _ worker: Int
  ) {
    guard !classes.isEmpty else { return }
    let values = pass.scratch(worker).values.start
    dense_crf_kernels_for(level).pointee.differences(
      values, values, BrickScratch.stride, classes.count, unary.others(classes), brick.size.voxelCount)
  }

  /// Where `classes` are present, and which is certain, by the worker's differences.
  private func summary(
    of classes: [Int], _ brick: BrickPass.Brick, _ active: ActiveClasses, _ pass: BrickPass, _ worker: Int
  ) -> ActiveClasses.BrickSummary {
    unary.summary(
      of: classes, brick.size, active, pass.scratch(worker).values.start,
      lowest: pass.scratch(worker).lowest.start, highest: pass.scratch(worker).highest.start, level
    ).summary
  }

  /// Sends 1 for the class of every brick that was not computed, where the next pass needs it.
  private func sendCertain(
    _ active: ActiveClasses, _ needed: ClassSets, _ pass: BrickPass, _ isComputed: [Bool],
    to sent: [ClassCells?], _ work: WorkContext
  ) throws(Cancelled) {
    try forEachBrick(work) { index, worker in
      let own = Int(active.certain[index])
      guard !isComputed[index], own >= 0, needed.sets[index].contains(own), let cells = sent[own] else {
        return
      }
      let brick = pass.begin(index, worker)
      guard cells.box.contains(brick.box) else { return }
      let values = pass.scratch(worker).values.start
      values.update(repeating: 1, count: brick.size.voxelCount)
      pass.send(values, brick, to: cells, worker)
    }
  }

  /// Runs `body` for every brick; two that write common cells never run at the same time, and always in one order.
  private func forEachBrick(_ work: WorkContext, _ body: @Sendable (_ brick: Int, _ worker: Int) -> Void)
    throws(Cancelled)
  {
    let axes = [appearance?.axes[2], smoothness?.axes[2]].compactMap(\.self)
    try Slabs(planes: bricks.volume.k, axes: axes).forEach(work) { planes, worker in
      for brick in bricks.bricks(inPlanes: planes) {
        if work.cancellation.isRequested { return }
        body(brick, worker)
      }
    }
  }

  /// The labels, and where asked for the probabilities, of the last messages.
  private func conclude(
    _ active: ActiveClasses, _ pass: BrickPass, from received: [ClassCells?], wantsMarginals: Bool,
    _ work: WorkContext
  ) throws(Cancelled) -> MeanFieldResult {
    let volume = bricks.volume
    var labels = try [UInt8](checkedRepeating: 0, count: volume.voxelCount)
    var marginals = try [Float](
      checkedRepeating: 0, count: wantsMarginals ? classCount * volume.voxelCount : 0)
    try labels.withUnsafeMutableBufferPointer { labels throws(Cancelled) in
      try marginals.withUnsafeMutableBufferPointer { marginals throws(Cancelled) in
        let (labels, marginals) = (DisjointBuffer(labels), DisjointBuffer(marginals))
        try forEachBrick(work.withoutProgress) { index, worker in
          let box = bricks.box(index)
          let own = Int(active.certain[index])
          if own >= 0, iterations > 0 ? active.isSettled[index] : !wantsMarginals {
            box.forEachRow(of: volume) { voxel, _ in
              (labels.start + voxel).update(repeating: UInt8(own), count: box.size.i)
              if wantsMarginals {
                (marginals.start + own * volume.voxelCount + voxel).update(repeating: 1, count: box.size.i)
              }
            }
            return
          }
          let brick = pass.begin(index, worker)
          let classes = active.candidates(index).elements
          logits(index, brick, classes, active.received.sets[index], from: received, pass, worker)
          let conclusion = BrickConclusion(unary, classes, brick.box, pass.scratch(worker), level)
          conclusion.labels(to: labels.start, volume)
          if wantsMarginals { conclusion.marginals(to: marginals.start, volume) }
        }
      }
    }
    return MeanFieldResult(labels: labels, marginals: wantsMarginals ? marginals : nil)
  }
}

extension VoxelBounds {
  /// Calls `body` with the position in a volume of every row of this box, and the row's number.
  func forEachRow(of volume: GridSize, _ body: (_ voxel: Int, _ row: Int) -> Void) {
    for row in 0..<size.j * size.k {
      let (j, k) = (lower.j + row % size.j, lower.k + row / size.j)
      body((k * volume.j + j) * volume.i + lower.i, row)
    }
  }
}
