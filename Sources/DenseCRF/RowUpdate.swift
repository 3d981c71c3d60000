import CKernels
import Volumes

/// One channel's readers and writers in one worker.
struct ChannelRows {
  private(set) var appearanceIn: GridReader?
  private(set) var smoothnessIn: GridReader?
  private(set) var appearanceOut: GridWriter?
  private(set) var smoothnessOut: GridWriter?

  init(
    _ channel: Int, from received: KernelGrids?, to sent: KernelGrids?, worker: Int,
    kernels: UnsafePointer<dense_crf_kernels>
  ) {
    appearanceIn = received?.appearance?.reader(channel, worker: worker, kernels: kernels)
    smoothnessIn = received?.smoothness?.reader(channel, worker: worker, kernels: kernels)
    appearanceOut = sent?.appearance?.writer(channel, worker: worker, kernels: kernels)
    smoothnessOut = sent?.smoothness?.writer(channel, worker: worker, kernels: kernels)
  }

  /// Moves to plane `k` of voxels.
  mutating func enter(plane k: Int) {
    appearanceIn?.enter(plane: k)
    smoothnessIn?.enter(plane: k)
    appearanceOut?.enter(plane: k)
    smoothnessOut?.enter(plane: k)
  }

  /// Adds what was written of the plane to the grids.
  func leave() {
    appearanceOut?.leave()
    smoothnessOut?.leave()
  }
}

/// The mean-field update of a row, with pointers into what the pass keeps alive.
struct RowUpdate {
  let rows: RowScratch.Rows
  let kernels: UnsafePointer<dense_crf_kernels>
  private let logits: UnsafePointer<Float>
  private let logitStride: Int
  private let previous: UnsafeMutablePointer<Float>?
  private let appearanceRow: dense_crf_row
  private let appearanceWeight: Float
  /// Factors of voxel 0, nil where the normalisation has none.
  private let appearanceBefore, appearanceAfter: UnsafePointer<Float>?
  private let smoothnessWeight: Float
  private typealias Factors = (i: UnsafePointer<Float>, j: UnsafePointer<Float>, k: UnsafePointer<Float>)
  private let smoothnessBefore, smoothnessAfter: Factors?

  init(
    rows: RowScratch.Rows, kernels: UnsafePointer<dense_crf_kernels>, unary: Unary,
    settings: RefinementSettings,
    appearance: AppearanceFilter?, smoothness: SmoothnessFilter?, previous: AlignedStorage<Float>?
  ) {
    self.rows = rows
    self.kernels = kernels
    logits = UnsafePointer(unary.logits.start)
    logitStride = unary.stride
    self.previous = previous?.start
    appearanceRow = appearance?.row ?? dense_crf_row()
    appearanceWeight = Float(settings.appearanceWeight)
    let exponents = settings.normalisation.exponents
    let factors = appearance?.factors.map { UnsafePointer($0.start) }
    appearanceBefore = exponents.before == 0 ? nil : factors
    appearanceAfter = exponents.after == 0 ? nil : factors
    smoothnessWeight = Float(settings.smoothnessWeight)
    func pointers(_ axes: [AlignedStorage<Float>]) -> Factors {
      (UnsafePointer(axes[0].start), UnsafePointer(axes[1].start), UnsafePointer(axes[2].start))
    }
    smoothnessBefore = smoothness.map { pointers($0.before) }
    smoothnessAfter = smoothness.map { pointers($0.after) }
  }

  private func row(at offset: Int) -> dense_crf_row {
    var row = appearanceRow
    row.codes += offset
    return row
  }

  /// Logits of one channel of a row: unary and weighted messages.
  func receive(_ channel: Int, _ grids: ChannelRows, j: Int, k: Int, offset: Int) {
    let count = rows.count
    let target = rows.logits + channel * rows.stride
    let place = channel * logitStride + offset
    var base = logits + place
    if let reader = grids.appearanceIn {
      var row = row(at: offset)
      kernels.pointee.slice_row(rows.message, reader.row(j), &row)
      let after = appearanceAfter.map { $0 + offset } ?? UnsafePointer(rows.ones)
      kernels.pointee.add_product(target, base, rows.message, after, appearanceWeight, count)
      base = UnsafePointer(target)
      if let previous {
        let before = appearanceBefore.map { $0 + offset } ?? UnsafePointer(rows.ones)
        kernels.pointee.multiply(rows.message, previous + place, before, 1, count)
        kernels.pointee.add_product(target, base, rows.message, after, -appearanceWeight, count)
      }
    }
    if let reader = grids.smoothnessIn, let before = smoothnessBefore, let after = smoothnessAfter {
      let weight = smoothnessWeight * after.j[j] * after.k[k]
      kernels.pointee.add_product(target, base, reader.row(j), after.i, weight, count)
      base = UnsafePointer(target)
      if let previous {
        kernels.pointee.multiply(rows.message, previous + place, before.i, before.j[j] * before.k[k], count)
        kernels.pointee.add_product(target, base, rows.message, after.i, -weight, count)
      }
    }
    if base != UnsafePointer(target) { target.update(from: base, count: count) }
  }

  /// Differences Q(l) - Q(0) of the row from its logits.
  func update() {
    kernels.pointee.differences(rows.differences, rows.logits, rows.stride, rows.channels, rows.count)
  }

  /// Adds one channel of a row's differences to the next grids.
  func send(_ channel: Int, _ grids: ChannelRows, j: Int, k: Int, offset: Int) {
    let differences = rows.differences + channel * rows.stride
    if let previous {
      (previous + channel * logitStride + offset).update(from: differences, count: rows.count)
    }
    if let writer = grids.appearanceOut {
      var row = row(at: offset)
      let before = appearanceBefore.map { $0 + offset } ?? UnsafePointer(rows.ones)
      kernels.pointee.splat_row(writer.target(j), differences, before, rows.splat, &row)
      writer.deliver(j)
    }
    if let writer = grids.smoothnessOut, let before = smoothnessBefore {
      kernels.pointee.multiply(writer.target(j), differences, before.i, before.j[j] * before.k[k], rows.count)
      writer.deliver(j)
    }
  }
}
