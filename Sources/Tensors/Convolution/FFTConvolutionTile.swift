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

  /// The tile as the C kernels take it.
  var kernel: fft_tile {
    fft_tile(depth: Int32(extent.d), height: Int32(extent.h), width: Int32(extent.w), level: level)
  }

  /// Planes of a half spectrum along z.
  var planes: Int { extent.d / 2 + 1 }
  /// Frequency rows of the spectrum of one plane; each holds as many frequencies along y as a vector has lanes.
  var frequencyRowsPerPlane: Int { extent.h / Int(fft_vector_width(level)) }
  /// Frequency rows of the spectrum of one channel.
  var frequencyRows: Int { planes * frequencyRowsPerPlane }
  /// Floats in one frequency row.
  var frequencyRowFloats: Int { extent.w * vectorFloats }
  /// Floats of a complex vector.
  var vectorFloats: Int { 2 * Int(fft_vector_width(level)) }
  /// Floats from one plane of a depth spectrum to the next; not a power of two, whose addresses would share few
  /// cache sets.
  var planeStride: Int { 2 * extent.h * extent.w + 32 }
  /// Floats in the depth spectrum of one channel of one tile, and in its frequency rows.
  var depthFloats: Int { planes * planeStride }
  /// Vectors that cover `voxels` along x.
  func columns(_ voxels: Int) -> Int {
    let width = Int(fft_vector_width(level))
    return (voxels + width - 1) / width
  }
  /// Voxels of the vectors that cover `voxels` along x.
  func wholeVectors(_ voxels: Int) -> Int { columns(voxels) * vectorFloats / 2 }
  /// The normalisation factor of the four unnormalised transforms and the two doubled half spectra.
  var scale: Float { Float(0.25 / Double(extent.product)) }

  /// Extents of the valid results of one tile with a kernel of the given extents; not positive where the kernel is too
  /// large.
  func valid(_ kernel: Extent3) -> Extent3 {
    Extent3(extent.d - kernel.d + 1, extent.h - kernel.h + 1, extent.w - kernel.w + 1)
  }
}

/// The tiles that cover the results of a batch.
struct FFTTiling: Sendable {
  let tile: FFTTile
  let batch: Int
  let results: Extent3
  /// Extents of the results of a whole tile that are used.
  let valid: Extent3
  /// Tiles along each axis.
  let counts: Extent3

  /// The tiling; with `pools` tiles start at even results.
  init(tile: FFTTile, kernel: Extent3, batch: Int, results: Extent3, pools: Bool = false) {
    self.tile = tile
    self.batch = batch
    self.results = results
    let whole = tile.valid(kernel)
    let mask = pools ? ~1 : ~0
    valid = Extent3(whole.d & mask, whole.h & mask, whole.w & mask)
    counts = Extent3(
      (results.d + valid.d - 1) / valid.d, (results.h + valid.h - 1) / valid.h,
      (results.w + valid.w - 1) / valid.w)
  }

  var count: Int { batch * counts.product }

  /// Item of the batch, first result and extents of the results of tile `index`.
  func location(_ index: Int) -> (sample: Int, origin: Extent3, size: Extent3) {
    let origin = Extent3(
      index / (counts.w * counts.h) % counts.d * valid.d, index / counts.w % counts.h * valid.h,
      index % counts.w * valid.w)
    let size = Extent3(
      min(valid.d, results.d - origin.d), min(valid.h, results.h - origin.h),
      min(valid.w, results.w - origin.w))
    return (index / counts.product, origin, size)
  }

  /// The number of tiles whose spectra of `channels` channels fit in `floatLimit` floats, at least 1.
  func fitting(channels: Int, floatLimit: Int) -> Int {
    max(1, floatLimit / (channels * tile.frequencyRows * tile.frequencyRowFloats))
  }

  /// Groups of tiles that are transformed together: as few as `floatLimit` floats allow, of equal size but for the
  /// last.
  func groups(channels: Int, floatLimit: Int) -> [Range<Int>] {
    let fitting = fitting(channels: channels, floatLimit: floatLimit)
    let groups = (count + fitting - 1) / fitting
    var size = (count + groups - 1) / groups
    // The kernels multiply tiles in pairs.
    if size % 2 == 1 && size < fitting { size += 1 }
    return stride(from: 0, to: count, by: size).map { $0..<min($0 + size, count) }
  }
}

/// The frequency rows of a group of tiles: those of all channels and tiles at one frequency are contiguous.
struct FFTFrequencyRows: Sendable {
  let tile: FFTTile
  let channels, tiles: Int

  /// Floats from one frequency row to the next; not a multiple of a page.
  var stride: Int { channels * tiles * tile.frequencyRowFloats + 32 }
  /// Floats of all frequency rows.
  var count: Int { tile.frequencyRows * stride }
  /// Transforms a frequency row of some channels of some tiles along x into spectra of `step` floats a frequency.
  func transformForward(
    _ channels: Range<Int>, of part: Range<Int>, frequencyRow: UnsafePointer<Float>,
    into spectra: UnsafeMutablePointer<Float>, step: Int
  ) {
    var transform = tile.kernel
    for index in 0..<channels.count * part.count {
      let offset = offset(
        channel: channels.lowerBound + index / part.count, tile: part.lowerBound + index % part.count)
      fft_forward_width(
        &transform, frequencyRow + offset, Int32(tile.extent.w), spectra + index * tile.vectorFloats, step)
    }
  }

  /// Floats from the first frequency row of channel 0 of tile 0 to that of another.
  func offset(channel: Int, tile index: Int) -> Int { (channel * tiles + index) * tile.frequencyRowFloats }
}

/// The spectrum of one frequency row of several channels of some tiles, as `fft_convolution.h` lays it out for
/// products.
struct FFTRowSpectra: Sendable {
  let tile: FFTTile
  let channels, tiles: Int

  /// Floats from one frequency to the next: an odd number of complex vectors, so that successive frequencies of a
  /// channel do not share cache sets.
  var step: Int { (channels * tiles / 2 * 2 + 1) * tile.vectorFloats }
  var count: Int { tile.extent.w * step }
}

/// The parts of one frequency row's products, whose spectra stay in the second-level cache.
struct FFTProductParts: Sendable {
  let tile: FFTTile
  /// Source channels of a product.
  let sources: Int

  /// Floats of the sources of a part: 1.2 MB.
  private static let sourceFloats = 300 << 10
  /// Floats of the weights and results of one product: 0.6 MB.
  private static let productFloats = 150 << 10

  /// Tiles per part; their sources are transformed once.
  var tiles: Int { Self.fitting(Self.sourceFloats, in: sources * tile.frequencyRowFloats, atMost: 16) }

  /// Result channels per product out of `results`.
  func channels(of results: Int) -> Int {
    Self.fitting(Self.productFloats, in: (sources + tiles) * tile.frequencyRowFloats, atMost: results)
  }

  /// The number of items of `size` floats that fit, rounded down to fours or twos, which the kernels multiply together.
  private static func fitting(_ floats: Int, in size: Int, atMost limit: Int) -> Int {
    let count = floats / size
    if count >= limit { return limit }
    return count >= 4 ? count / 4 * 4 : max(1, min(limit, count / 2 * 2))
  }
}

/// The cost model of one convolution, which chooses the tile.
struct FFTConvolutionCost {
  let kernel: Extent3
  let inputChannels, outputChannels: Int
  let batch: Int
  let results: Extent3

  /// The cost with tiles of the given extents; infinite where they are smaller than the kernel.
  ///
  /// The unit is one radix-2 butterfly of one frequency of one channel. The constants of products and weights were
  /// fitted to times measured with AVX-512 on two threads for the liver network's layers.
  func cost(_ tile: FFTTile) -> Double {
    let valid = tile.valid(kernel)
    guard valid.d > 0, valid.h > 0, valid.w > 0 else { return .infinity }
    let tiling = FFTTiling(tile: tile, kernel: kernel, batch: batch, results: results)
    let pairs = Double(inputChannels * outputChannels)
    var transforms =
      Double(tiling.count * (inputChannels + outputChannels)) * log2(Double(tile.extent.product))
    // Large depth spectra evict the frequency rows that are written from the second-level cache.
    if tile.depthFloats > Self.cachedDepthFloats { transforms *= 1.25 }
    let products = 0.7 * pairs * Double(tiling.count)
    // The weights are transformed along x for every part of about eight tiles, and along z and y once per set of
    // weights, which is every iteration in training.
    let weights = 6 * pairs * Double((tiling.count + 7) / 8) + 4 * pairs
    return Double(tile.planes * tile.extent.h * tile.extent.w) * (transforms + products + weights)
  }

  private static let cachedDepthFloats = 128 << 10

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
