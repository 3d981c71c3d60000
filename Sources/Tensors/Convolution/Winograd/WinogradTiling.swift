import CKernels
import Work

/// The partition of an output's tiles into blocks, each of which is computed in all steps before the next one.
///
/// Blocks are boxes of whole rows of tiles; they bound the memory of transformed values. With dilation, a block belongs to
/// one of the interleaved grids along z and one along y, and its rows have the tiles of all grids along x.
struct WinogradTiling: Sendable {
  let scheme: WinogradScheme
  /// Voxels from one tap to the next; the scheme's results are as many voxels apart.
  let dilation: Extent3
  /// Channels, padded to whole blocks of ``WinogradScheme/padded(_:)``.
  let inputChannels, outputChannels: Int
  /// Extents of the results.
  private let extent: Extent3
  /// Planes of the results that are computed.
  private let planes: Range<Int>
  /// Tiles of a row.
  let columns: Int
  /// The instruction set of all of its kernels, read before any parallel loop.
  let level = KernelLevel.current
  /// Planes of tiles of a grid, and rows of tiles, at most.
  private let tilePlanes, tileRows: Int
  /// Planes and rows of tiles of a block, but for the last.
  let blockPlanes, blockRows: Int

  /// Floats of transformed values and results of one worker's block, unless a single row of tiles is larger.
  ///
  /// With 4 MB each weight that is read is used for a few dozen tiles; smaller and larger blocks were slower.
  static let floatsPerWorker = 1_000_000

  /// The blocks for some planes of an output.
  ///
  /// - Parameters:
  ///   - extent: Extents of the results.
  ///   - planes: Planes of the results.
  ///   - floats: Floats of transformed values and results per block.
  init(
    scheme: WinogradScheme, dilation: Extent3, inputChannels: Int, outputChannels: Int, extent: Extent3,
    planes: Range<Int>, floats: Int
  ) {
    self.scheme = scheme
    self.dilation = dilation
    self.inputChannels = WinogradScheme.padded(inputChannels)
    self.outputChannels = WinogradScheme.padded(outputChannels)
    self.extent = extent
    self.planes = planes
    tileRows = scheme.tiles(AxisGrid(step: dilation.h, first: 0).count(extent.h))
    let rowOfGrids = scheme.results * dilation.w
    columns = extent.w / rowOfGrids * dilation.w + min(extent.w % rowOfGrids, dilation.w)
    tilePlanes =
      AxisGrid.all(of: planes, step: dilation.d).map { grid in
        let results = grid.indices(of: planes)
        return scheme.tiles(results.upperBound - scheme.firstResult(of: results, dilation: dilation.d))
      }.max() ?? 0
    let perTile = scheme.points * self.inputChannels + scheme.sums * self.outputChannels
    let maximumRows = max(1, floats / perTile / max(columns, 1))
    blockRows = min(tileRows, maximumRows)
    blockPlanes = max(
      1, min(tilePlanes, blockRows == tileRows ? maximumRows / max(tileRows, 1) : 1))
  }

  /// Tiles of the largest block.
  private var blockTiles: Int { blockPlanes * blockRows * columns }

  /// Positions of tiles of a row in their grids.
  private var columnsOfGrid: Int { (columns + dilation.w - 1) / dilation.w }

  /// Extents of the part of the source that a block reads, in blocks of channels.
  var sourceExtent: Extent3 {
    func along(_ tiles: Int) -> Int { (tiles - 1) * scheme.step + scheme.patch }
    return Extent3(along(blockPlanes), along(blockRows), along(columnsOfGrid) * dilation.w)
  }

  /// Extents of a block's part of the results.
  var resultExtent: Extent3 {
    Extent3(
      blockPlanes * scheme.results, blockRows * scheme.results, columnsOfGrid * scheme.results * dilation.w)
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

  /// Blocks of one grid along z and y, with empty ones where it has fewer tiles than others.
  private var blocksOfGrid: Int {
    (tilePlanes + blockPlanes - 1) / blockPlanes * ((tileRows + blockRows - 1) / blockRows)
  }

  /// Blocks of one sample, some of which may be empty.
  var blockCount: Int { min(dilation.d, planes.count) * min(dilation.h, extent.h) * blocksOfGrid }

  /// Block `index` of a sample.
  func block(_ index: Int) -> WinogradBlock {
    let perPlane = (tileRows + blockRows - 1) / blockRows
    let (grid, place) = (index / blocksOfGrid, index % blocksOfGrid)
    let rowGrids = min(dilation.h, extent.h)
    let z = AxisGrid(step: dilation.d, first: (planes.lowerBound + grid / rowGrids) % dilation.d)
    let y = AxisGrid(step: dilation.h, first: grid % rowGrids)
    let planeResults = z.indices(of: planes)
    let first = scheme.firstResult(of: planeResults, dilation: dilation.d)
    func part(_ from: Int, _ count: Int, of tiles: Int) -> Range<Int> {
      min(from, tiles)..<min(from + count, tiles)
    }
    return WinogradBlock(
      z: z, y: y, firstResultPlane: first,
      planes: part(
        place / perPlane * blockPlanes, blockPlanes, of: scheme.tiles(planeResults.upperBound - first)),
      rows: part(place % perPlane * blockRows, blockRows, of: scheme.tiles(y.count(extent.h))))
  }
}

/// Tiles that are computed together: some planes and rows of tiles of one grid.
struct WinogradBlock: Sendable {
  /// The grid along z, and along y.
  let z, y: AxisGrid
  /// The plane of the grid's results with which plane 0 of tiles begins.
  let firstResultPlane: Int
  /// Planes of tiles, from `firstResultPlane` on, and rows of tiles.
  let planes, rows: Range<Int>

  /// Rows of tiles in all planes.
  var rowCount: Int { planes.count * rows.count }
}

/// Every `step`-th voxel of an axis from voxel `first` on, which is below `step`: to a kernel whose taps are `step` voxels
/// apart, an axis of its own.
struct AxisGrid: Sendable {
  let step: Int
  let first: Int

  /// The grids of step `step` that have voxels among `voxels`.
  static func all(of voxels: Range<Int>, step: Int) -> [AxisGrid] {
    voxels.prefix(step).map { AxisGrid(step: step, first: $0 % step) }
  }

  /// Voxels of an axis of `extent` voxels.
  func count(_ extent: Int) -> Int { (extent - first + step - 1) / step }

  /// The grid's indices of its voxels among `voxels`.
  func indices(of voxels: Range<Int>) -> Range<Int> { count(voxels.lowerBound)..<count(voxels.upperBound) }

  /// The voxel of index `index`.
  func voxel(_ index: Int) -> Int { index * step + first }
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
  static func count(extent: Extent3, channels: Int) -> Int {
    extent.d * extent.h * voxelsOfRow(extent.w) * channels
  }

  /// An odd number of cache lines, so that rows are mapped to different sets of the cache.
  private static func voxelsOfRow(_ width: Int) -> Int { width | 1 }

  /// Floats from a row to the next.
  var rowStride: Int { Self.voxelsOfRow(extent.w) * Int(WINOGRAD_LANES) }
  /// Floats from a plane to the next.
  var planeStride: Int { extent.h * rowStride }

  /// Row `y` of plane `z` of a block of channels.
  func row(block: Int, _ z: Int, _ y: Int) -> UnsafeMutablePointer<Float> {
    start.start + ((block * extent.d + z) * extent.h + y) * rowStride
  }

  /// Fills the box from the voxels of sample `sample`, with zeros outside the source.
  ///
  /// - Parameters:
  ///   - planes: The planes and rows of the source that the box holds, as indices of the block's grids.
  ///   - x: The column of the source with which rows of the box begin; not positive.
  ///   - readable: Planes of the source that are read; others count as zeros.
  func fill(
    from source: ActivationWindow, sample: Int, block grids: WinogradBlock, planes: Range<Int>, firstRow: Int,
    x: Int, readable: Range<Int>, work: WorkContext
  ) throws(Cancelled) {
    let lanes = Int(WINOGRAD_LANES)
    let blocks = (source.channels + lanes - 1) / lanes
    try work.withoutProgress.forEach(count: blocks * planes.count) { task, _ in
      let (block, plane) = (task / planes.count, task % planes.count)
      let sourcePlane = grids.z.voxel(planes.lowerBound + plane)
      let channels = min(lanes, source.channels - block * lanes)
      for boxRow in 0..<extent.h {
        let sourceRow = grids.y.voxel(firstRow + boxRow)
        let target = row(block: block, plane, boxRow)
        guard readable.contains(sourcePlane), sourceRow >= 0, sourceRow < source.extent.h else {
          target.update(repeating: 0, count: extent.w * lanes)
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
