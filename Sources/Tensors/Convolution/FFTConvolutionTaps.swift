import CKernels
import Work

/// The kernels of all pairs of channels between taps and spectra: their depth spectra, and one plane's bands, without
/// the rows and columns of a tile that no tap reaches.
struct FFTTaps: Sendable {
  let tile: FFTTile
  let outputs, inputs: Int
  let kernel: Extent3

  var pairs: Int { outputs * inputs }
  var rows: Int { (kernel.h + 1) / 2 * 2 }
  var columns: Int { tile.columns(kernel.w) }
  /// Floats from one plane of a pair to the next.
  var planeStride: Int { rows * columns * tile.vectorFloats }
  /// Floats of the depth spectra of all pairs.
  var count: Int { pairs * tile.planes * planeStride }
  func offset(pair: Int, plane: Int) -> Int { (pair * tile.planes + plane) * planeStride }

  /// Floats of one band of one pair, and of a plane's bands.
  var bandFloats: Int { columns * tile.vectorFloats * tile.vectorFloats / 2 }
  var bandsStride: Int { (tile.bandsPerPlane + 1) * bandFloats }

  /// Floats of the spectra of all pairs, laid out [band][frequency][out][in], and from one frequency to the next.
  var spectraCount: Int { tile.bands * pairs * tile.bandFloats }
  var step: Int { pairs * tile.vectorFloats }
  func offset(pair: Int, band: Int) -> Int { band * pairs * tile.bandFloats + pair * tile.vectorFloats }

  /// The spectra of weights [out, in, z, y, x].
  func spectra(of weight: Tensor, work: WorkContext) throws(Cancelled) -> AlignedFloats {
    let planes = AlignedFloats(count: count)
    try weight.withSharedElements { elements throws(Cancelled) in
      try work.silent.forEach(count: pairs, grain: 8) { pair, _ in
        var transform = tile.kernel
        var box = fft_box(
          z_begin: 0, z_end: Int32(kernel.d), y_begin: 0, y_end: Int32(kernel.h), x_begin: 0,
          x_end: Int32(kernel.w))
        fft_forward_depth(
          &transform, elements.start + pair * kernel.product, kernel.h * kernel.w, kernel.w, &box,
          Int32(rows), Int32(columns), planes.start + offset(pair: pair, plane: 0), planeStride)
      }
    }
    let spectra = AlignedFloats(count: spectraCount)
    let scratch = AlignedFloats(count: work.threadCount * bandsStride)
    try work.silent.forEach(count: tile.planes * outputs) { item, worker in
      let (plane, output) = (item / outputs, item % outputs)
      let bands = scratch.start + worker * bandsStride
      var transform = tile.kernel
      for pair in output * inputs..<(output + 1) * inputs {
        fft_forward_height(
          &transform, planes.start + offset(pair: pair, plane: plane), planeStride, 1,
          Int32(rows), Int32(columns), bands, bandFloats)
        for band in 0..<tile.bandsPerPlane {
          fft_forward_width(
            &transform, bands + band * bandFloats, Int32(columns),
            spectra.start + offset(pair: pair, band: plane * tile.bandsPerPlane + band), step)
        }
      }
    }
    return spectra
  }

  /// The taps of every pair of channels, [out, in, z, y, x], of spectra laid out as those of weights.
  func transformBack(_ sums: AlignedFloats, work: WorkContext) throws(Cancelled) -> Tensor {
    let planes = AlignedFloats(count: count)
    let scratch = AlignedFloats(count: work.threadCount * bandsStride)
    try work.forEach(count: tile.planes * outputs) { item, worker in
      let (plane, output) = (item / outputs, item % outputs)
      let bands = scratch.start + worker * bandsStride
      var transform = tile.kernel
      for pair in output * inputs..<(output + 1) * inputs {
        for band in 0..<tile.bandsPerPlane {
          fft_inverse_width(
            &transform, sums.start + offset(pair: pair, band: plane * tile.bandsPerPlane + band), step,
            0, Int32(columns), bands + band * bandFloats)
        }
        fft_inverse_height(
          &transform, bands, bandFloats, 1, 0, Int32(rows), Int32(columns),
          planes.start + offset(pair: pair, plane: plane), planeStride)
      }
    }
    let taps = kernel
    return try filledTensor(shape: [outputs, inputs, taps.d, taps.h, taps.w]) { gradient throws(Cancelled) in
      try work.forEach(count: pairs, grain: 8) { pair, _ in
        var transform = tile.kernel
        var how = fft_store(
          skip: 0, depth: Int32(taps.d), height: Int32(taps.h), width: Int32(taps.w),
          scale: tile.scale, bias: 0, rectifies: false, pools: false)
        fft_inverse_depth(
          &transform, planes.start + offset(pair: pair, plane: 0), planeStride, Int32(columns),
          &how, gradient.start + pair * taps.product, taps.h * taps.w, taps.w)
      }
    }
  }
}
