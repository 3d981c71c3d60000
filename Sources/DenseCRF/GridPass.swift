import CKernels
import Volumes
import Work

/// One pass over all voxels: cells are read, voxels computed row by row, cells written.
struct GridPass: Sendable {
  let size: GridSize
  let slabs: Slabs
  let level: kernels_level
  let scratch: PassScratch

  /// The argument of `update_rows` and similar C kernels: pointers to memory that the pass's owner keeps alive.
  struct Description: @unchecked Sendable {
    // SAFETY: the storages of the pointers outlive the pass; each worker writes its own rows.
    var pass: dense_crf_pass
  }

  /// Runs `rows` for every batch of rows, with planes interpolated from `received` and added to `sent`, whose cells are
  /// 0 before.
  func run(
    _ description: Description, from received: KernelGrids?, to sent: KernelGrids?, work: WorkContext,
    _ rows:
      @Sendable (
        _ kernels: dense_crf_kernels, _ pass: inout dense_crf_pass, _ plane: Int, _ rows: Range<Int>,
        _ scratch: UnsafeMutablePointer<Float>
      ) -> Void
  ) throws(Cancelled) {
    try slabs.forEach(work) { planes, worker in
      let kernels: UnsafePointer<dense_crf_kernels> = dense_crf_kernels_for(level)
      var pass = description.pass
      let own = scratch.worker(worker)
      let appearance = scratch.appearance.map {
        PlaneCells(
          $0, rows: scratch.batch, from: received?.appearance, to: sent?.appearance,
          scratch: own.appearance, kernels: kernels)
      }
      let smoothness = scratch.smoothness.map {
        PlaneCells(
          $0, rows: scratch.batch, from: received?.smoothness, to: sent?.smoothness,
          scratch: own.smoothness, kernels: kernels)
      }
      for first in stride(from: 0, to: size.j, by: scratch.batch) {
        let batch = first..<min(first + scratch.batch, size.j)
        for k in planes {
          if work.cancellation.isRequested { return }
          appearance?.enter(k, rows: batch, &pass.appearance)
          smoothness?.enter(k, rows: batch, &pass.smoothness)
          rows(kernels.pointee, &pass, k, batch, own.rows)
          appearance?.leave(k, of: planes, rows: batch)
          smoothness?.leave(k, of: planes, rows: batch)
        }
      }
    }
  }
}

/// The scratch of every worker of a pass: rows of voxels, and a block of planes of cells each way per kernel.
final class PassScratch: Sendable {
  /// Rows of voxels that are processed together through all planes of a slab, between two polls of the cancellation.
  let batch: Int
  let appearance, smoothness: GridShape?
  private let rowFloats, appearanceFloats, smoothnessFloats: Int
  private let storage: AlignedStorage<Float>

  init(_ description: GridPass.Description, appearance: GridShape?, smoothness: GridShape?, workers: Int)
    throws(Cancelled)
  {
    self.appearance = appearance
    self.smoothness = smoothness
    let rows = withUnsafePointer(to: description.pass) { dense_crf_scratch_floats($0) }
    rowFloats = rows.roundedUp(toMultipleOf: 16)
    // Half as many where their cells would exceed the second cache level.
    let batch = (appearance?.rowFloats ?? 0) > 2048 ? 16 : 32
    self.batch = batch
    func floats(_ shape: GridShape?) -> Int {
      (shape.map { PlaneCells.scratchFloats($0, rows: batch) } ?? 0).roundedUp(toMultipleOf: 16)
    }
    appearanceFloats = floats(appearance)
    smoothnessFloats = floats(smoothness)
    storage = try AlignedStorage(count: workers * (rowFloats + appearanceFloats + smoothnessFloats))
  }

  /// One worker's parts.
  func worker(_ index: Int) -> (
    rows: UnsafeMutablePointer<Float>, appearance: UnsafeMutablePointer<Float>,
    smoothness: UnsafeMutablePointer<Float>
  ) {
    let start = storage.start + index * (rowFloats + appearanceFloats + smoothnessFloats)
    return (start, start + rowFloats, start + rowFloats + appearanceFloats)
  }
}

extension GridPass.Description {
  /// The pass of `channels` classes over `size` voxels, without unary; the kernels must outlive it.
  init(
    _ settings: RefinementSettings, size: GridSize, channels: Int, appearance: AppearanceKernel?,
    smoothness: SmoothnessKernel?
  ) {
    pass = dense_crf_pass()
    pass.rows = size.j
    pass.row = appearance?.row(channels: channels) ?? dense_crf_row()
    pass.row.channels = channels
    pass.row.count = size.i
    pass.appearance = dense_crf_plane(appearance?.shape(channels: channels))
    pass.smoothness = dense_crf_plane(smoothness?.shape(channels: channels))
    pass.appearance_weight = Float(settings.appearanceWeight)
    pass.smoothness_weight = Float(settings.smoothnessWeight)
    let exponents = settings.normalisation.exponents
    let factors = appearance?.factors.map { UnsafePointer($0.start) }
    pass.appearance_before = exponents.before == 0 ? nil : factors
    pass.appearance_after = exponents.after == 0 ? nil : factors
    if let smoothness {
      pass.smoothness_step = smoothness.axes[0].step
      pass.smoothness_cells = smoothness.axes[0].cells
      pass.smoothness_stride = smoothness.stride
      pass.smoothness_weights = UnsafePointer(smoothness.axes[0].weights.start)
      pass.smoothness_before = pointers(smoothness.before)
      pass.smoothness_after = pointers(smoothness.after)
    }
  }
}

/// Pointers to one array per axis; the caller must keep the arrays alive.
private func pointers(
  _ axes: [AlignedStorage<Float>]
) -> (UnsafePointer<Float>?, UnsafePointer<Float>?, UnsafePointer<Float>?) {
  (UnsafePointer(axes[0].start), UnsafePointer(axes[1].start), UnsafePointer(axes[2].start))
}

extension dense_crf_plane {
  /// Planes of `shape` without cells yet.
  init(_ shape: GridShape?) {
    self.init()
    guard let shape else { return }
    row_floats = shape.rowFloats
    slack = shape.slack
    step = shape.axes[1].step
    weights = UnsafePointer(shape.axes[1].weights.start)
  }
}
