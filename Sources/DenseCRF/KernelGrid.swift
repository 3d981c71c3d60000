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

  init(_ shape: GridShape) throws(Cancelled) {
    self.shape = shape
    cells = try AlignedStorage(count: shape.planeFloats * shape.axes[2].cells + shape.slack)
  }

  /// The plane of cells at `index`.
  func plane(_ index: Int) -> UnsafeMutablePointer<Float> { cells.start + index * shape.planeFloats }

  /// Whether every voxel has a cell of its own on every axis: then a pass may write the grid that it reads.
  var isOwnPerVoxel: Bool { shape.axes.allSatisfy { $0.step == 1 } }

  /// Sets the cells beyond the first and the last voxel of the j and k axes to 0; those of the i axis are in the rows.
  func clearMargins() {
    let (rows, planes) = (shape.axes[1].cells, shape.axes[2].cells)
    for index in 0..<planes {
      let isMargin = index == 0 || index == planes - 1
      plane(index).update(repeating: 0, count: isMargin ? shape.planeFloats : shape.rowFloats)
      if !isMargin {
        (plane(index) + (rows - 1) * shape.rowFloats).update(repeating: 0, count: shape.rowFloats)
      }
    }
  }

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
}

/// One worker's planes of one kernel's cells, as the voxels of one block of planes see them.
///
/// What is read is interpolated along k first, for all planes of a block at once; what is written is added to the grid
/// when the block is left. Only the rows of cells that some rows of voxels meet are touched, so that they stay in the
/// cache over the planes of a slab.
struct PlaneCells {
  private let kernels: UnsafePointer<dense_crf_kernels>
  private let shape: GridShape
  private let received, sent: KernelGrid?
  private let receivedScratch, sentScratch: UnsafeMutablePointer<Float>
  /// Floats between two planes of scratch.
  private let scratchStride: Int

  /// Floats of scratch for one worker that goes through `rows` rows of voxels together.
  static func scratchFloats(_ shape: GridShape, rows: Int) -> Int {
    2 * (shape.axes[2].step * scratchStride(shape, rows: rows) + shape.slack)
  }

  private static func scratchStride(_ shape: GridShape, rows: Int) -> Int {
    let axis = shape.axes[1]
    return shape.rowFloats * min(axis.cells, (rows + axis.step - 1) / axis.step + 2)
  }

  init(
    _ shape: GridShape, rows: Int, from received: KernelGrid?, to sent: KernelGrid?,
    scratch: UnsafeMutablePointer<Float>,
    kernels: UnsafePointer<dense_crf_kernels>
  ) {
    self.kernels = kernels
    self.received = received
    self.sent = sent
    self.shape = shape
    scratchStride = Self.scratchStride(shape, rows: rows)
    receivedScratch = scratch
    sentScratch = scratch + shape.axes[2].step * scratchStride + shape.slack
  }

  /// Where the cells of some rows of voxels lie in a plane.
  private func span(_ rows: Range<Int>) -> (offset: Int, count: Int) {
    let axis = shape.axes[1]
    let first = axis.cell(rows.lowerBound)
    return (first * shape.rowFloats, (axis.cell(rows.upperBound - 1) + 3 - first) * shape.rowFloats)
  }

  /// Points `plane` to the cells of rows `rows` of voxel plane `k`; blocks are entered with their first plane, rows
  /// that begin a block.
  func enter(_ k: Int, rows: Range<Int>, _ plane: inout dense_crf_plane) {
    let axis = shape.axes[2]
    let (offset, count) = span(rows)
    let position = k % axis.step
    if let received {
      let first = received.plane(axis.cell(k))
      if axis.step == 1 {
        plane.received = UnsafePointer(first + shape.planeFloats)
      } else {
        if position == 0 {
          kernels.pointee.combine(
            receivedScratch, scratchStride, first + offset, shape.planeFloats, axis.weights.start, axis.step,
            count)
        }
        plane.received = UnsafePointer(receivedScratch + position * scratchStride - offset)
      }
    }
    if let sent {
      if axis.step == 1 {
        // One plane of voxels is one plane of cells, which nobody else writes.
        plane.sent = sent.plane(k + 1)
      } else {
        (sentScratch + position * scratchStride).update(repeating: 0, count: count)
        plane.sent = sentScratch + position * scratchStride - offset
      }
    }
  }

  /// Adds what was written for the planes of a block to the grid, once the last of them, or of `planes`, is left.
  func leave(_ k: Int, of planes: Range<Int>, rows: Range<Int>) {
    let axis = shape.axes[2]
    let position = k % axis.step
    guard let sent, axis.step > 1, position == axis.step - 1 || k == planes.upperBound - 1 else { return }
    let (offset, count) = span(rows)
    kernels.pointee.distribute(
      sent.plane(axis.cell(k)) + offset, shape.planeFloats, sentScratch, scratchStride, axis.weights.start,
      position + 1, count)
  }
}
