import CKernels
import Work

/// The partition of an output's tiles into blocks, each of which is computed in all steps before the next one.
///
/// Blocks are boxes of whole rows of tiles; they bound the memory of transformed values.
struct WinogradTiling: Sendable {
  let scheme: WinogradScheme
  /// Channels, padded to whole blocks of ``WinogradScheme/padded(_:)``.
  let inputChannels, outputChannels: Int
  /// Planes of tiles that are computed.
  let planes: Range<Int>
  /// Rows of tiles, and tiles of a row.
  let rows, columns: Int
  /// The instruction set of all of its kernels, read before any parallel loop.
  let level = KernelLevel.current
  /// Planes and rows of tiles of a block, but for the last.
  let blockPlanes, blockRows: Int

  /// Floats of transformed values and results of one worker's block, unless a single row of tiles is larger.
  ///
  /// With 4 MB each weight that is read is used for a few dozen tiles; smaller and larger blocks were slower.
  static let floatsPerWorker = 1_000_000

  /// The blocks for some planes of tiles of an output of extents `extent`.
  ///
  /// - Parameter floats: Floats of transformed values and results per block.
  init(
    scheme: WinogradScheme, inputChannels: Int, outputChannels: Int, extent: Extent3, planes: Range<Int>,
    floats: Int
  ) {
    self.scheme = scheme
    self.inputChannels = WinogradScheme.padded(inputChannels)
    self.outputChannels = WinogradScheme.padded(outputChannels)
    self.planes = planes
    rows = scheme.tiles(extent.h)
    columns = scheme.tiles(extent.w)
    let perTile = scheme.points * self.inputChannels + scheme.sums * self.outputChannels
    let maximumRows = max(1, floats / perTile / max(columns, 1))
    blockRows = min(rows, maximumRows)
    blockPlanes = max(1, min(planes.count, blockRows == rows ? maximumRows / max(rows, 1) : 1))
  }

  /// Tiles of the largest block.
  private var blockTiles: Int { blockPlanes * blockRows * columns }

  /// Extents of the part of the source that a block reads, in blocks of channels.
  var sourceExtent: Extent3 {
    func along(_ tiles: Int) -> Int { (tiles - 1) * scheme.step + scheme.patch }
    return Extent3(along(blockPlanes), along(blockRows), along(columns))
  }

  /// Extents of a block's part of the results.
  var resultExtent: Extent3 {
    Extent3(blockPlanes * scheme.results, blockRows * scheme.results, columns * scheme.results)
  }

  /// Floats from one point's values of a block to the next point's: a cache line more than they take, so that one
  /// tile's points are mapped to different sets of the cache.
  var pointStride: Int { blockTiles * inputChannels + Int(WINOGRAD_LANES) }
  /// Floats from one transformed result's values of a block to the next one's.
  var sumStride: Int { blockTiles * outputChannels + Int(WINOGRAD_LANES) }

  /// Floats of a block's transformed values.
  var pointCount: Int { scheme.points * pointStride }
  /// Floats of a block's transformed results.
  var sumCount: Int { scheme.sums * sumStride }

  /// Floats of scratch memory of a block: its part of the source, transformed values and transformed results.
  var scratchCount: Int {
    InterleavedBox.count(extent: sourceExtent, channels: inputChannels) + pointCount + sumCount
  }

  /// Blocks of one sample.
  var blockCount: Int {
    (planes.count + blockPlanes - 1) / blockPlanes * ((rows + blockRows - 1) / blockRows)
  }

  /// The planes and rows of tiles of block `index`.
  func block(_ index: Int) -> (planes: Range<Int>, rows: Range<Int>) {
    let perPlane = (rows + blockRows - 1) / blockRows
    let plane = planes.lowerBound + index / perPlane * blockPlanes
    let row = index % perPlane * blockRows
    return (plane..<min(plane + blockPlanes, planes.upperBound), row..<min(row + blockRows, rows))
  }
}

/// Values of planar memory in blocks of channels: [block][z][y][x][lane].
struct InterleavedBox: Sendable {
  let extent: Extent3
  let start: DisjointBuffer<Float>
  private let level: kernels_level

  /// A box in `memory` of at least ``count(extent:channels:)`` floats.
  init(extent: Extent3, memory: DisjointBuffer<Float>, level: kernels_level) {
    self.extent = extent
    self.level = level
    start = memory
  }

  /// Floats of a box; `channels` is a multiple of the lanes.
  static func count(extent: Extent3, channels: Int) -> Int { extent.product * channels }

  /// Floats from a row to the next.
  var rowStride: Int { extent.w * Int(WINOGRAD_LANES) }
  /// Floats from a plane to the next.
  var planeStride: Int { extent.h * rowStride }

  /// Row `y` of plane `z` of a block of channels.
  func row(block: Int, _ z: Int, _ y: Int) -> UnsafeMutablePointer<Float> {
    start.start + ((block * extent.d + z) * extent.h + y) * rowStride
  }

  /// Fills the box from the voxels of sample `sample` from (z, y, x) on, with zeros outside the source.
  ///
  /// - Parameter planes: Planes of the box that are filled.
  func fill(
    from source: ActivationWindow, sample: Int, z: Int, y: Int, x: Int, planes: Int, work: WorkContext
  ) throws(Cancelled) {
    let lanes = Int(WINOGRAD_LANES)
    let blocks = (source.channels + lanes - 1) / lanes
    try work.withoutProgress.forEach(count: blocks * planes) { task, _ in
      let (block, plane) = (task / planes, task % planes)
      let sourcePlane = z + plane
      let channels = min(lanes, source.channels - block * lanes)
      for boxRow in 0..<extent.h {
        let sourceRow = y + boxRow
        let target = row(block: block, plane, boxRow)
        guard sourcePlane >= 0, sourcePlane < source.extent.d, sourceRow >= 0, sourceRow < source.extent.h
        else {
          target.update(repeating: 0, count: rowStride)
          continue
        }
        let voxels =
          source.start(sample: sample, channel: block * lanes)
          + ((sourcePlane - source.planes.lowerBound) * source.extent.h + sourceRow) * source.extent.w
        winograd_interleave(
          level, voxels, source.channelStride, Int32(channels), Int32(source.extent.w), Int32(-x),
          Int32(extent.w), target)
      }
    }
  }
}
