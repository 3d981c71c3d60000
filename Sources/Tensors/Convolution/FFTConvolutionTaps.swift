import CKernels
import Work

/// The kernels of all pairs of channels, transformed along z and y but not along x.
///
/// A kernel has few voxels along x: full spectra would take five times the memory and would be read again for every
/// group of tiles. Transforming along x for every group, into the second-level cache, takes less time.
struct FFTTaps: Sendable {
  let tile: FFTTile
  let outputChannels, inputChannels: Int
  let kernel: Extent3

  var pairs: Int { outputChannels * inputChannels }
  /// Rows and columns of vectors of a depth spectrum that hold taps.
  private var rows: Int { (kernel.h + 1) / 2 * 2 }
  private var columns: Int { tile.columns(kernel.w) }
  /// Floats from one plane of a pair's depth spectrum to the next, and from one pair to the next.
  private var planeStride: Int { rows * columns * tile.vectorFloats }
  private var depthStride: Int { tile.planes * planeStride }

  /// Floats of one frequency row of one pair.
  var frequencyRowFloats: Int { kernel.w * tile.vectorFloats }
  /// Floats from the frequency row of all pairs, [out][in], to the next.
  var frequencyRowStride: Int { pairs * frequencyRowFloats }
  /// Floats of a frequency row rounded up to whole vectors; the kernel's voxels are the first.
  private var wholeRowFloats: Int { columns * tile.vectorFloats * tile.vectorFloats / 2 }
  /// Floats of all frequency rows and a whole one more, since kernels read beyond the last row.
  private var count: Int { tile.frequencyRows * frequencyRowStride + wholeRowFloats }

  /// Memory for the frequency rows of all pairs.
  func frequencyRows() -> AlignedFloats {
    let frequencyRows = AlignedFloats(count: count)
    (frequencyRows.start + tile.frequencyRows * frequencyRowStride).update(
      repeating: 0, count: wholeRowFloats)
    return frequencyRows
  }

  /// The frequency rows of weights [out, in, z, y, x], laid out [frequency row][out][in][x].
  func transformForward(_ weight: Tensor, work: WorkContext) throws(Cancelled) -> AlignedFloats {
    let frequencyRows = frequencyRows()
    let scratchFloats = depthStride + tile.frequencyRowsPerPlane * wholeRowFloats
    let scratch = AlignedFloats(count: work.threadCount * scratchFloats)
    try weight.withSharedElements { elements throws(Cancelled) in
      try work.withoutProgress.forEach(count: pairs, grain: 8) { pair, worker in
        let depth = scratch.start + worker * scratchFloats
        let whole = depth + depthStride
        var transform = tile.kernel
        var box = fft_box(
          z_begin: 0, z_end: Int32(kernel.d), y_begin: 0, y_end: Int32(kernel.h), x_begin: 0,
          x_end: Int32(kernel.w))
        fft_forward_depth(
          &transform, elements.start + pair * kernel.product, kernel.h * kernel.w, kernel.w, &box,
          Int32(rows), Int32(columns), depth, planeStride)
        for plane in 0..<tile.planes {
          fft_forward_height(
            &transform, depth + plane * planeStride, planeStride, 1, Int32(rows), Int32(columns), whole,
            wholeRowFloats)
          for frequencyRow in 0..<tile.frequencyRowsPerPlane {
            (frequencyRows.start + (plane * tile.frequencyRowsPerPlane + frequencyRow) * frequencyRowStride
              + pair * frequencyRowFloats).update(
                from: whole + frequencyRow * wholeRowFloats, count: frequencyRowFloats)
          }
        }
      }
    }
    return frequencyRows
  }

  /// The taps [out, in, z, y, x] of frequency rows laid out as those of weights.
  func transformBack(_ frequencyRows: AlignedFloats, work: WorkContext) throws(Cancelled) -> Tensor {
    let scratch = AlignedFloats(count: work.threadCount * depthStride)
    return try filledTensor(shape: [outputChannels, inputChannels, kernel.d, kernel.h, kernel.w]) {
      taps throws(Cancelled) in
      try work.forEach(count: pairs, grain: 8) { pair, worker in
        let depth = scratch.start + worker * depthStride
        var transform = tile.kernel
        // The voxels after a pair's row belong to the next pair; they end in columns that are not stored.
        fft_inverse_height(
          &transform, frequencyRows.start + pair * frequencyRowFloats, frequencyRowStride, Int32(tile.planes),
          0, Int32(rows),
          Int32(columns), depth, planeStride)
        var how = fft_store(
          skip: 0, depth: Int32(kernel.d), height: Int32(kernel.h), width: Int32(kernel.w),
          scale: tile.scale, bias: 0, activation: PiecewiseLinear.identity.kernel(nil), pools: false,
          adds: false)
        fft_inverse_depth(
          &transform, depth, planeStride, Int32(columns), &how, taps.start + pair * kernel.product,
          kernel.h * kernel.w, kernel.w)
      }
    }
  }
}
