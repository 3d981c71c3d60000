import CKernels
import Work

/// The kernels of all pairs of channels between taps and spectra: transformed along z and y, but of voxels along x, of
/// which a kernel has few.
///
/// Spectra of all frequencies would take five times the memory and be read from it again for every group of tiles;
/// transforming along x anew, into the second-level cache, takes less time.
struct FFTTaps: Sendable {
  let tile: FFTTile
  let outputs, inputs: Int
  let kernel: Extent3

  var pairs: Int { outputs * inputs }
  /// Rows and columns of vectors of a depth spectrum that hold taps.
  private var rows: Int { (kernel.h + 1) / 2 * 2 }
  private var columns: Int { tile.columns(kernel.w) }
  /// Floats from one plane of a pair's depth spectrum to the next, and from one pair to the next.
  private var planeStride: Int { rows * columns * tile.vectorFloats }
  private var depthStride: Int { tile.planes * planeStride }

  /// Floats of one band of one pair.
  var bandFloats: Int { kernel.w * tile.vectorFloats }
  /// Floats from the band of all pairs, [out][in], to the next.
  var bandStride: Int { pairs * bandFloats }
  /// Floats of a band of whole vectors, of which the kernel's voxels are the first.
  private var wholeBandFloats: Int { columns * tile.vectorFloats * tile.vectorFloats / 2 }
  /// Floats of all bands, and a whole one that reading the last may reach into.
  private var count: Int { tile.bands * bandStride + wholeBandFloats }

  /// Memory for the bands of all pairs.
  func bands() -> AlignedFloats {
    let bands = AlignedFloats(count: count)
    (bands.start + tile.bands * bandStride).update(repeating: 0, count: wholeBandFloats)
    return bands
  }

  /// The bands of weights [out, in, z, y, x], laid out [band][out][in][x].
  func transformForward(_ weight: Tensor, work: WorkContext) throws(Cancelled) -> AlignedFloats {
    let bands = bands()
    let scratchFloats = depthStride + tile.bandsPerPlane * wholeBandFloats
    let scratch = AlignedFloats(count: work.threadCount * scratchFloats)
    try weight.withSharedElements { elements throws(Cancelled) in
      try work.silent.forEach(count: pairs, grain: 8) { pair, worker in
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
            wholeBandFloats)
          for band in 0..<tile.bandsPerPlane {
            (bands.start + (plane * tile.bandsPerPlane + band) * bandStride + pair * bandFloats).update(
              from: whole + band * wholeBandFloats, count: bandFloats)
          }
        }
      }
    }
    return bands
  }

  /// The taps [out, in, z, y, x] of bands laid out as those of weights.
  func transformBack(_ bands: AlignedFloats, work: WorkContext) throws(Cancelled) -> Tensor {
    let scratch = AlignedFloats(count: work.threadCount * depthStride)
    return try filledTensor(shape: [outputs, inputs, kernel.d, kernel.h, kernel.w]) {
      taps throws(Cancelled) in
      try work.forEach(count: pairs, grain: 8) { pair, worker in
        let depth = scratch.start + worker * depthStride
        var transform = tile.kernel
        // The voxels behind a pair's are the next pair's; they end in columns that are not stored.
        fft_inverse_height(
          &transform, bands.start + pair * bandFloats, bandStride, Int32(tile.planes), 0, Int32(rows),
          Int32(columns), depth, planeStride)
        var how = fft_store(
          skip: 0, depth: Int32(kernel.d), height: Int32(kernel.h), width: Int32(kernel.w),
          scale: tile.scale, bias: 0, rectifies: false, pools: false)
        fft_inverse_depth(
          &transform, depth, planeStride, Int32(columns), &how, taps.start + pair * kernel.product,
          kernel.h * kernel.w, kernel.w)
      }
    }
  }
}
