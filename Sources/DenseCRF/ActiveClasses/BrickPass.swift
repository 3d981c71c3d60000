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
  /// A block of planes of each kernel's cells.
  let appearance, smoothness: AlignedStorage<Float>

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
    func planes(_ shape: KeyPath<BrickKernels, GridShape?>) throws(Cancelled) -> AlignedStorage<Float> {
      let floats = kernels.compactMap { $0[keyPath: shape] }
        .map { $0.axes[2].step * $0.planeFloats + $0.slack }
      return try AlignedStorage(count: floats.max() ?? 0)
    }
    appearance = try planes(\.appearance)
    smoothness = try planes(\.smoothness)
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
    // Whole bricks, and the last ones along each combination of axes.
    let last = bricks.box(bricks.count - 1).size
    let kernels = (0..<8).map { variant in
      var size = Bricks.extent
      for axis in 0..<3 where variant >> axis & 1 == 1 { size[axis] = last[axis] }
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
    fileprivate var pass: dense_crf_pass
    var size: GridSize { box.size }
  }

  /// Prepares a brick on a worker: its levels of intensity and row sums are copied to the worker's memory.
  func begin(_ brick: Int, _ worker: Int) -> Brick {
    let box = bricks.box(brick)
    let (size, volume) = (box.size, bricks.volume)
    let variant = (0..<3).reduce(0) { $0 | (size[$1] != Bricks.extent[$1] ? 1 << $1 : 0) }
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
    return Brick(box: box, kernels: kernels, pass: pass)
  }

  /// Adds the messages of one class to its logits at `values`.
  func receive(
    _ cells: ClassCells, _ brick: Brick, _ values: UnsafeMutablePointer<Float>, _ worker: Int
  ) {
    withCells(cells, brick, worker) { loops, pass, appearance, smoothness, rows in
      loops.receive_brick(pass, appearance, smoothness, brick.size.k, values, rows)
    }
  }

  /// Adds the values of one class to its cells.
  func send(
    _ values: UnsafeMutablePointer<Float>, _ brick: Brick, to cells: ClassCells, _ worker: Int
  ) {
    withCells(cells, brick, worker) { loops, pass, appearance, smoothness, rows in
      loops.send_brick(pass, appearance, smoothness, brick.size.k, values, rows)
    }
  }

  @inline(__always) private func withCells(
    _ cells: ClassCells, _ brick: Brick, _ worker: Int,
    _ body: (
      dense_crf_kernels, UnsafePointer<dense_crf_pass>, UnsafePointer<dense_crf_brick>,
      UnsafePointer<dense_crf_brick>, UnsafeMutablePointer<Float>
    ) -> Void
  ) {
    let scratch = scratch[worker]
    let lower = brick.box.relative(to: cells.box).lower
    let loops: UnsafePointer<dense_crf_kernels> = dense_crf_kernels_for(level)
    let appearance = dense_crf_brick(
      cells.grids.appearance, at: lower, brick.kernels.appearance, scratch.appearance)
    let smoothness = dense_crf_brick(
      cells.grids.smoothness, at: lower, brick.kernels.smoothness, scratch.smoothness)
    withUnsafePointer(to: brick.pass) { pass in
      withUnsafePointer(to: appearance) { appearance in
        withUnsafePointer(to: smoothness) { smoothness in
          body(loops.pointee, pass, appearance, smoothness, scratch.rows.start)
        }
      }
    }
  }
}

extension dense_crf_brick {
  /// The cells of a brick of `shape` that begins at voxel `lower` of a grid; the grid must outlive it.
  fileprivate init(
    _ grid: KernelGrid?, at lower: VoxelIndex, _ shape: GridShape?, _ planes: AlignedStorage<Float>
  ) {
    self.init()
    guard let grid, let shape else { return }
    let axes = shape.axes
    row_stride = grid.shape.rowFloats
    plane_stride = grid.shape.planeFloats
    cells =
      grid.plane(axes[2].cell(lower.k)) + axes[1].cell(lower.j) * row_stride
      + axes[0].cell(lower.i) * shape.cellFloats
    rows = axes[1].cells
    touched = axes[0].cells * shape.cellFloats
    step = axes[2].step
    weights = UnsafePointer(axes[2].weights.start)
    self.planes = planes.start
  }
}
