import CKernels
import Foundation
import Work

/// Extents of an overlap-save tile and the memory layout of its spectra, which `fft_convolution.h` defines.
package struct FFTTile: Hashable, Sendable {
  /// Voxels of one transform along z, y, x.
  package let extent: Extent3
  /// The instructions that read and write the spectra.
  package let level: kernels_level

  /// A tile; its extents must be among the transform lengths.
  package init(extent: Extent3, level: kernels_level) {
    precondition(
      FFTTile.lengths(fft_depths).contains(extent.d) && FFTTile.lengths(fft_widths).contains(extent.h)
        && FFTTile.lengths(fft_widths).contains(extent.w), "no transforms of extents \(extent)")
    self.extent = extent
    self.level = level
  }

  /// What the kernels are told.
  var kernel: fft_tile {
    fft_tile(depth: Int32(extent.d), height: Int32(extent.h), width: Int32(extent.w), level: level)
  }

  /// Planes of a half spectrum along z.
  var planes: Int { extent.d / 2 + 1 }
  /// Floats in the spectrum of one plane.
  var planeFloats: Int { 2 * extent.h * extent.w }
  /// Floats from one plane to the next; not a power of two, whose addresses would share few cache sets.
  var planeStride: Int { planeFloats + 32 }
  /// Floats in the spectrum of one channel of one tile.
  var depthStride: Int { planes * planeStride }
  /// Vectors that cover `voxels` along x.
  func columns(_ voxels: Int) -> Int {
    let width = Int(fft_vector_width(level))
    return (voxels + width - 1) / width
  }
  /// Factor that the four unnormalised transforms and two doubled half spectra leave to be applied.
  var scale: Float { Float(0.25 / Double(extent.product)) }

  /// Results that one tile yields with a kernel of the given extents; not positive where the kernel is too large.
  func valid(_ kernel: Extent3) -> Extent3 {
    Extent3(extent.d - kernel.d + 1, extent.h - kernel.h + 1, extent.w - kernel.w + 1)
  }
}

/// How tiles cover the results of a batch.
struct FFTTiling: Sendable {
  let tile: FFTTile
  let batch: Int
  /// Extents of the results.
  let results: Extent3
  /// Results of a whole tile.
  let valid: Extent3
  /// Tiles along each axis.
  let counts: Extent3

  init(tile: FFTTile, kernel: Extent3, batch: Int, results: Extent3) {
    self.tile = tile
    self.batch = batch
    self.results = results
    valid = tile.valid(kernel)
    counts = Extent3(
      (results.d + valid.d - 1) / valid.d, (results.h + valid.h - 1) / valid.h,
      (results.w + valid.w - 1) / valid.w)
  }

  var count: Int { batch * counts.product }

  /// Item of the batch, first result and number of results of the tile at `index`.
  func place(_ index: Int) -> (item: Int, origin: Extent3, size: Extent3) {
    let origin = Extent3(
      index / (counts.w * counts.h) % counts.d * valid.d, index / counts.w % counts.h * valid.h,
      index % counts.w * valid.w)
    let size = Extent3(
      min(valid.d, results.d - origin.d), min(valid.h, results.h - origin.h),
      min(valid.w, results.w - origin.w))
    return (index / counts.product, origin, size)
  }

  /// Tiles that are transformed together: as many as fit in `floatLimit` with `channels` spectra each, at least one.
  func groups(channels: Int, floatLimit: Int) -> [Range<Int>] {
    let fitting = max(1, floatLimit / (channels * tile.depthStride))
    let wanted = (count + fitting - 1) / fitting
    var size = (count + wanted - 1) / wanted
    if fitting >= 4 { size = min((size + 3) / 4 * 4, fitting / 4 * 4) }
    return stride(from: 0, to: count, by: size).map { $0..<min($0 + size, count) }
  }
}

/// Estimated work of one convolution, by which tiles are chosen.
struct FFTWork {
  let kernel: Extent3
  let inputs, outputs: Int
  let batch: Int
  let results: Extent3

  /// Work with tiles of the given extents; infinite where they are smaller than the kernel.
  ///
  /// The unit is one radix-2 step of one frequency. The constants were fitted to processor times measured with
  /// 28 combinations of layer, volume and tile, which they reproduce to about 20 %.
  func cost(_ tile: FFTTile) -> Double {
    let valid = tile.valid(kernel)
    guard valid.d > 0, valid.h > 0, valid.w > 0 else { return .infinity }
    let tiles = FFTTiling(tile: tile, kernel: kernel, batch: batch, results: results).count
    let pairs = Double(inputs * outputs)
    // Long columns along z leave the first-level cache: hence the linear term.
    let depth = Double(tile.extent.d)
    let steps = log2(Double(tile.extent.product)) + 2 + depth / 20
    let transforms = Double(tiles * (inputs + outputs)) * steps
    // The weight spectra are read from memory once for every few tiles.
    let together = min(
      FFTSweep.tilesPerProduct, max(1, FFTSweep.floatLimit / (max(inputs, outputs) * tile.depthStride)))
    let reads = Double((tiles + together - 1) / together)
    let products = pairs * (0.4 * Double(tiles) + 3 * reads)
    // The weights are transformed for every new set of them, as often as a training step convolves.
    let weights = pairs * 16
    return Double(tile.planes * tile.extent.h * tile.extent.w) * (transforms + products + weights)
  }

  /// The cheapest tile at the current instruction level.
  func cheapestTile() -> FFTTile {
    let level = KernelLevel.current
    let candidates = FFTTile.lengths(fft_depths).flatMap { d in
      FFTTile.lengths(fft_widths).flatMap { h in
        FFTTile.lengths(fft_widths).map { w in FFTTile(extent: Extent3(d, h, w), level: level) }
      }
    }
    return candidates.map { (tile: $0, cost: cost($0)) }.min { $0.cost < $1.cost }!.tile
  }
}

extension FFTTile {
  /// Transform lengths that exist along an axis.
  static func lengths(_ list: (UnsafeMutablePointer<Int32>) -> UnsafePointer<Int32>?) -> [Int] {
    var count: Int32 = 0
    let lengths = list(&count)
    return UnsafeBufferPointer(start: lengths, count: Int(count)).map(Int.init)
  }
}
