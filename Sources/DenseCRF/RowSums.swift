import CKernels
import Volumes
import Work

extension AppearanceFilter {
  /// Row sums of the kernel to the power `exponent` (-1/2 or -1); nil for 0.
  func rowSumFactors(
    size: GridSize, exponent: Double, level: kernels_level, work: WorkContext
  ) throws(Cancelled) -> AlignedStorage<Float>? {
    if exponent == 0 { return nil }
    let grids = KernelGrids(self, nil, 1, work.threadCount)
    let scratch = (0..<work.threadCount).map { _ in RowScratch(count: size.i, channels: 1) }
    let slabs = Slabs(planes: size.k, axes: [axes[2]])
    let factors = AlignedStorage<Float>(count: size.voxelCount)
    try slabs.forEach(work) { planes, worker in
      let kernels: UnsafePointer<dense_crf_kernels> = dense_crf_kernels_for(level)
      var channel = ChannelRows(0, from: nil, to: grids, worker: worker, kernels: kernels)
      let rows = scratch[worker].rows
      var row = row
      for k in planes {
        channel.enter(plane: k)
        for j in 0..<size.j {
          if work.cancellation.isRequested { return }
          row.codes = UnsafePointer(codes.start + (k * size.j + j) * size.i)
          let writer = channel.appearanceOut!
          kernels.pointee.splat_row(writer.target(j), rows.ones, rows.ones, rows.splat, &row)
          writer.deliver(j)
        }
        channel.leave()
      }
    }
    work.report(0.4)
    try grids.filter(self, nil, level: level, work: work)
    work.report(0.5)
    try slabs.forEach(work) { planes, worker in
      let kernels: UnsafePointer<dense_crf_kernels> = dense_crf_kernels_for(level)
      var channel = ChannelRows(0, from: grids, to: nil, worker: worker, kernels: kernels)
      let rows = scratch[worker].rows
      var row = row
      for k in planes {
        channel.enter(plane: k)
        for j in 0..<size.j {
          if work.cancellation.isRequested { return }
          let offset = (k * size.j + j) * size.i
          row.codes = UnsafePointer(codes.start + offset)
          kernels.pointee.slice_row(rows.message, channel.appearanceIn!.row(j), &row)
          kernels.pointee.invert(rows.message, exponent == -0.5 ? 1 : 0, size.i)
          (factors.start + offset).update(from: rows.message, count: size.i)
        }
      }
    }
    work.report(1)
    return factors
  }
}
