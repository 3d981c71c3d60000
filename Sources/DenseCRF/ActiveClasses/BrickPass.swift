import CKernels
import Volumes
import Work

/// The kernels on bricks of one size.
struct BrickKernels: Sendable {
  let appearance, smoothness: GridShape?
  /// A pass of one channel, without what differs between bricks.
  let description: GridPass.Description
  /// Holds the memory that the description points to.
  private let kernels: (AppearanceKernel?, SmoothnessKernel?)

  init(
    _ size: GridSize, _ settings: RefinementSettings, appearance: AppearanceKernel?,
    smoothness: SmoothnessKernel?
  ) {
    kernels = (
      appearance.map { AppearanceKernel($0, size: size) }, smoothness.map { SmoothnessKernel($0, size: size) }
    )
    self.appearance = kernels.0?.shape(channels: 1)
    self.smoothness = kernels.1?.shape(channels: 1)
    description = GridPass.Description(
      settings, size: size, channels: 1, appearance: kernels.0, smoothness: kernels.1)
  }
}

/// One worker's memory for a brick.
struct BrickScratch: Sendable {
  /// Floats between the values of two classes.
  static let stride = Bricks.maximumVoxelCount
  /// Logits or differences of the brick's classes.
  let values: AlignedStorage<Float>
  let kinds: AlignedStorage<UInt8>
  let codes: [AlignedStorage<UInt16>]
  let factors: AlignedStorage<Float>
  let rows: AlignedStorage<Float>
  let lowest, highest: AlignedStorage<Float>
  /// Of bricks of each size: their cells, and the scratch that interpolates these along k.
  let parts: [Part]

  struct Part: Sendable {
    let received, sent: KernelGrids
    let appearance, smoothness: AlignedStorage<Float>

    init(_ kernels: BrickKernels) throws(Cancelled) {
      func grid(_ shape: GridShape?) throws(Cancelled) -> KernelGrid? {
        guard let shape else { return nil }
        return try KernelGrid(shape)
      }
      func planes(_ shape: GridShape?) throws(Cancelled) -> AlignedStorage<Float> {
        try AlignedStorage(count: shape.map { PlaneCells.scratchFloats($0, rows: Bricks.extent.j) } ?? 0)
      }
      received = KernelGrids(
        appearance: try grid(kernels.appearance), smoothness: try grid(kernels.smoothness))
      sent = KernelGrids(appearance: try grid(kernels.appearance), smoothness: try grid(kernels.smoothness))
      appearance = try planes(kernels.appearance)
      smoothness = try planes(kernels.smoothness)
    }
  }

  init(_ kernels: [BrickKernels], classCount: Int, images: Int) throws(Cancelled) {
    values = try AlignedStorage(count: classCount * Self.stride)
    kinds = try AlignedStorage(count: Self.stride)
    codes = try (0..<images).map { _ throws(Cancelled) in try AlignedStorage(count: Self.stride) }
    factors = try AlignedStorage(count: Self.stride)
    let floats = kernels.map { kernels in
      withUnsafePointer(to: kernels.description.pass) { dense_crf_scratch_floats($0) }
    }
    rows = try AlignedStorage(count: floats.max() ?? 0)
    lowest = try AlignedStorage(count: 16)
    highest = try AlignedStorage(count: 16)
    parts = try kernels.map { kernels throws(Cancelled) in try Part(kernels) }
  }
}

/// What a pass over bricks does in each of them: messages of some classes are received, and values sent.
struct BrickPass: Sendable {
  let bricks: Bricks
  let unary: BrickUnary
  let level: kernels_level
  private let appearance: AppearanceKernel?
  private let settings: RefinementSettings
  private let kernels: [BrickKernels]
  private let scratch: [BrickScratch]

  init(
    _ unary: BrickUnary, _ settings: RefinementSettings, appearance: AppearanceKernel?,
    smoothness: SmoothnessKernel?, level: kernels_level, workers: Int
  ) throws(Cancelled) {
    bricks = unary.bricks
    self.unary = unary
    self.level = level
    self.appearance = appearance
    self.settings = settings
    let volume = unary.bricks.volume
    // Whole bricks, and those cut along each combination of axes.
    let kernels = (0..<8).map { variant in
      var size = Bricks.extent
      for axis in 0..<3 {
        let rest = volume[axis] % size[axis]
        if variant >> axis & 1 == 1, rest > 0 { size[axis] = rest }
      }
      return BrickKernels(size, settings, appearance: appearance, smoothness: smoothness)
    }
    self.kernels = kernels
    let images = appearance?.voxels.codes.count ?? 0
    scratch = try (0..<workers).map { _ throws(Cancelled) in
      try BrickScratch(kernels, classCount: unary.classCount, images: images)
    }
  }

  func scratch(_ worker: Int) -> BrickScratch { scratch[worker] }

  /// A brick that a worker has taken.
  struct Brick {
    let box: VoxelBounds
    fileprivate let kernels: BrickKernels
    fileprivate let part: BrickScratch.Part
    fileprivate var pass: dense_crf_pass
    var size: GridSize { box.size }
  }

  /// Prepares a brick on a worker: its levels of intensity and row sums are copied to the worker's memory.
  func begin(_ brick: Int, _ worker: Int) -> Brick {
    let box = bricks.box(brick)
    let (size, volume) = (box.size, bricks.volume)
    let variant = (0..<3).reduce(0) { $0 | (size[$1] < Bricks.extent[$1] ? 1 << $1 : 0) }
    let (kernels, scratch) = (kernels[variant], scratch[worker])
    var pass = kernels.description.pass
    func copy<Value>(_ source: UnsafeMutablePointer<Value>, _ target: UnsafeMutablePointer<Value>) {
      box.forEachRow(of: volume) { voxel, row in
        (target + row * size.i).update(from: source + voxel, count: size.i)
      }
    }
    if let appearance {
      withUnsafeMutableBytes(of: &pass.row.codes) { pointers in
        for (index, codes) in appearance.voxels.codes.enumerated() {
          copy(codes.start, scratch.codes[index].start)
          pointers.bindMemory(to: UnsafePointer<UInt16>.self)[index] = UnsafePointer(
            scratch.codes[index].start)
        }
      }
      if let factors = appearance.factors {
        copy(factors.start, scratch.factors.start)
        let exponents = settings.normalisation.exponents
        let own = UnsafePointer(scratch.factors.start)
        pass.appearance_before = exponents.before == 0 ? nil : own
        pass.appearance_after = exponents.after == 0 ? nil : own
      }
    }
    if kernels.smoothness != nil {
      func moved(
        _ factors: (UnsafePointer<Float>?, UnsafePointer<Float>?, UnsafePointer<Float>?)
      ) -> (UnsafePointer<Float>?, UnsafePointer<Float>?, UnsafePointer<Float>?) {
        (factors.0! + box.lower.i, factors.1! + box.lower.j, factors.2! + box.lower.k)
      }
      pass.smoothness_before = moved(pass.smoothness_before)
      pass.smoothness_after = moved(pass.smoothness_after)
    }
    return Brick(box: box, kernels: kernels, part: scratch.parts[variant], pass: pass)
  }

  /// Adds the messages of one class to its logits at `values`.
  func receive(
    _ cells: ClassCells, _ brick: Brick, _ values: UnsafeMutablePointer<Float>, _ worker: Int
  ) {
    let lower = brick.box.relative(to: cells.box).lower
    let received = brick.part.received
    if let own = received.appearance, let all = cells.grids.appearance { own.read(all, at: lower) }
    if let own = received.smoothness, let all = cells.grids.smoothness { own.read(all, at: lower) }
    forEachPlane(of: brick, from: received, to: nil, worker) { loops, pass, k, rows in
      pass.logits = UnsafePointer(values)
      loops.receive_rows(&pass, k, 0, brick.size.j, values, rows)
    }
  }

  /// Adds the values of one class to its cells.
  func send(
    _ values: UnsafeMutablePointer<Float>, _ brick: Brick, to cells: ClassCells, _ worker: Int
  ) {
    let lower = brick.box.relative(to: cells.box).lower
    let sent = brick.part.sent
    sent.appearance?.clear()
    sent.smoothness?.clear()
    forEachPlane(of: brick, from: nil, to: sent, worker) { loops, pass, k, rows in
      loops.send_rows(&pass, k, 0, brick.size.j, values, rows)
    }
    if let own = sent.appearance, let all = cells.grids.appearance { own.add(to: all, at: lower) }
    if let own = sent.smoothness, let all = cells.grids.smoothness { own.add(to: all, at: lower) }
  }

  @inline(__always) private func forEachPlane(
    of brick: Brick, from received: KernelGrids?, to sent: KernelGrids?, _ worker: Int,
    _ body: (dense_crf_kernels, inout dense_crf_pass, Int, UnsafeMutablePointer<Float>) -> Void
  ) {
    let loops: UnsafePointer<dense_crf_kernels> = dense_crf_kernels_for(level)
    let size = brick.size
    func planes(
      _ shape: GridShape?, _ received: KernelGrid?, _ sent: KernelGrid?, _ scratch: AlignedStorage<Float>
    ) -> PlaneCells? {
      shape.map {
        PlaneCells(
          $0, rows: Bricks.extent.j, from: received, to: sent, scratch: scratch.start, kernels: loops)
      }
    }
    let appearance = planes(
      brick.kernels.appearance, received?.appearance, sent?.appearance, brick.part.appearance)
    let smoothness = planes(
      brick.kernels.smoothness, received?.smoothness, sent?.smoothness, brick.part.smoothness)
    var pass = brick.pass
    let rows = scratch[worker].rows.start
    for k in 0..<size.k {
      appearance?.enter(k, rows: 0..<size.j, &pass.appearance)
      smoothness?.enter(k, rows: 0..<size.j, &pass.smoothness)
      body(loops.pointee, &pass, k, rows)
      appearance?.leave(k, of: 0..<size.k, rows: 0..<size.j)
      smoothness?.leave(k, of: 0..<size.k, rows: 0..<size.j)
    }
  }
}
