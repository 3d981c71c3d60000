import CKernels
import Work

/// How one kernel's cells lie in memory: planes of rows, a row as the row kernels want it.
struct GridShape: Sendable {
  /// i, j, k.
  let axes: [GaussianAxis]
  /// Floats of a row, a multiple of 16.
  let rowFloats: Int
  /// Floats behind a row or a plane that are read and have no influence.
  let slack: Int
  /// Floats of a plane.
  var planeFloats: Int { rowFloats * axes[1].cells }
}

/// The cells of one kernel for every channel.
final class KernelGrid: Sendable {
  let shape: GridShape
  private let cells: AlignedStorage<Float>

  init(_ shape: GridShape) {
    self.shape = shape
    cells = AlignedStorage(count: shape.planeFloats * shape.axes[2].cells + shape.slack)
  }

  /// The plane of cells at `index`.
  func plane(_ index: Int) -> UnsafeMutablePointer<Float> { cells.start + index * shape.planeFloats }

  /// Sets every cell to 0.
  func clear(_ work: WorkContext) throws(Cancelled) {
    let count = shape.planeFloats
    try work.forEach(count: shape.axes[2].cells) { index, _ in plane(index).update(repeating: 0, count: count)
    }
  }
}

/// The grids of both kernels.
struct KernelGrids: Sendable {
  let appearance: KernelGrid?
  let smoothness: KernelGrid?

  func clear(_ work: WorkContext) throws(Cancelled) {
    try appearance?.clear(work)
    try smoothness?.clear(work)
  }
}

/// One worker's plane of one kernel's cells, as the voxels of plane k see it.
///
/// What is read is interpolated along k first; what is written is added to the grid when the plane is left. Only the
/// rows of cells that some rows of voxels meet are touched, so that they stay in the cache over the planes of a slab.
struct PlaneCells {
  private let kernels: UnsafePointer<dense_crf_kernels>
  private let rowAxis, planeAxis: GaussianAxis
  private let rowFloats, planeFloats: Int
  private let received, sent: KernelGrid?
  private let receivedScratch, sentScratch: UnsafeMutablePointer<Float>

  /// Floats of scratch for one worker.
  static func scratchFloats(_ shape: GridShape) -> Int { 2 * (shape.planeFloats + shape.slack) }

  init(
    _ shape: GridShape, from received: KernelGrid?, to sent: KernelGrid?,
    scratch: UnsafeMutablePointer<Float>,
    kernels: UnsafePointer<dense_crf_kernels>
  ) {
    self.kernels = kernels
    self.received = received
    self.sent = sent
    rowAxis = shape.axes[1]
    planeAxis = shape.axes[2]
    rowFloats = shape.rowFloats
    planeFloats = shape.planeFloats
    receivedScratch = scratch
    sentScratch = scratch + shape.planeFloats + shape.slack
  }

  /// Where the cells of some rows of voxels lie in a plane.
  private func span(_ rows: Range<Int>) -> (offset: Int, count: Int) {
    let first = rowAxis.cell(rows.lowerBound)
    return (first * rowFloats, (rowAxis.cell(rows.upperBound - 1) + 3 - first) * rowFloats)
  }

  /// Points `plane` to the cells of rows `rows` of voxel plane `k`.
  func enter(_ k: Int, rows: Range<Int>, _ plane: inout dense_crf_plane) {
    let (offset, count) = span(rows)
    if let received {
      let first = received.plane(planeAxis.cell(k))
      if planeAxis.step == 1 {
        plane.received = UnsafePointer(first + planeFloats)
      } else {
        kernels.pointee.combine(
          receivedScratch + offset, planeFloats, first + offset, planeFloats, planeAxis.weights(k), 1, count)
        plane.received = UnsafePointer(receivedScratch)
      }
    }
    if let sent {
      if planeAxis.step == 1 {
        // One plane of voxels is one plane of cells, which nobody else writes.
        plane.sent = sent.plane(k + 1)
      } else {
        (sentScratch + offset).update(repeating: 0, count: count)
        plane.sent = sentScratch
      }
    }
  }

  /// Adds what was written for plane `k` to the grid.
  func leave(_ k: Int, rows: Range<Int>) {
    guard let sent, planeAxis.step > 1 else { return }
    let (offset, count) = span(rows)
    kernels.pointee.distribute(
      sent.plane(planeAxis.cell(k)) + offset, planeFloats, sentScratch + offset, planeFloats,
      planeAxis.weights(k), 1, count)
  }
}
