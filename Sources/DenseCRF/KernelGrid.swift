import CKernels
import Work

/// The memory layout of one kernel's cells: planes of rows, each in the layout of the C row kernels.
struct GridShape: Sendable {
  /// i, j, k.
  let axes: [GaussianAxis]
  /// Floats of a cell of all channels: features, or one where channels have rows of their own.
  let cellFloats: Int
  /// Floats of a row, a multiple of 16.
  let rowFloats: Int
  /// Floats after a row or a plane that are read and have no influence.
  let slack: Int
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

  func plane(_ index: Int) -> UnsafeMutablePointer<Float> { cells.start + index * shape.planeFloats }

  /// Whether every voxel has a cell of its own along every axis, so that a pass may write the grid that it reads.
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

/// One worker's planes of one kernel's cells, interpolated to the planes of voxels of one block.
///
/// Cells that are read are first interpolated along k for all planes of a block; cells that are written are added to
/// the grid at the end of the block. Only the rows of cells of the current rows of voxels are accessed, so that they
/// stay in the cache over the planes of a slab.
struct PlaneCells {
  private let kernels: UnsafePointer<dense_crf_kernels>
  private let shape: GridShape
  /// The filtered cells that messages come from, nil before the first iteration; and the cells that the update is added
  /// to, nil where nothing is sent.
  private let received, sent: KernelGrid?
  /// The planes of a block of both, one for each plane of voxels.
  private let receivedScratch, sentScratch: UnsafeMutablePointer<Float>
  /// Floats between two planes of scratch.
  private let scratchStride: Int

  /// Floats of scratch memory of one worker that processes `rows` rows of voxels together.
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

  /// Offset and floats of the cells of some rows of voxels in a plane.
  private func span(_ rows: Range<Int>) -> (offset: Int, count: Int) {
    let axis = shape.axes[1]
    let first = axis.cell(rows.lowerBound)
    return (first * shape.rowFloats, (axis.cell(rows.upperBound - 1) + 3 - first) * shape.rowFloats)
  }

  /// Points `plane` to the cells of rows `rows` of voxel plane `k`.
  ///
  /// The planes of a block must be entered in order from the first one on, and `rows` must begin at a block.
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
        // One plane of voxels has one plane of cells, which no other worker writes.
        plane.sent = sent.plane(k + 1)
      } else {
        (sentScratch + position * scratchStride).update(repeating: 0, count: count)
        plane.sent = sentScratch + position * scratchStride - offset
      }
    }
  }

  /// Adds the cells written for a block's planes to the grid after the last plane of the block, or of `planes`.
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
