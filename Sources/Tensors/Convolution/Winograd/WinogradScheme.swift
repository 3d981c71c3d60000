import CKernels

/// One of the C kernels' Winograd schemes F(results, taps), with its sizes.
struct WinogradScheme: Hashable, Sendable {
  let kind: winograd_scheme
  /// Source values that a tile reads along an axis; the first is one before the tile's first own value.
  let patch: Int
  /// Source values from one tile to the next along an axis.
  let step: Int
  /// Results of a tile along an axis.
  let results: Int
  /// Taps of the kernel along an axis.
  let taps: Int
  /// Transformed values of a tile.
  let points: Int
  /// Transformed results of a tile.
  let sums: Int
  /// Products of a tile and a pair of channels.
  let products: Int

  private init(_ kind: winograd_scheme) {
    let shape = winograd_shape(kind)
    func cube(_ extent: Int32) -> Int { Int(extent * extent * extent) }
    self.kind = kind
    patch = Int(shape.patch)
    step = Int(shape.step)
    results = Int(shape.results)
    taps = Int(shape.taps)
    points = cube(shape.points)
    sums = cube(shape.sums)
    products = cube(shape.products)
  }

  /// Convolution with 3x3x3 taps, 2x2x2 results of a tile: 64 products where direct summation needs 216.
  static let convolution2 = WinogradScheme(WINOGRAD_CONVOLUTION_2)
  /// As ``convolution2``, with 4x4x4 results: 216 products where direct summation needs 1728.
  static let convolution4 = WinogradScheme(WINOGRAD_CONVOLUTION_4)
  /// Transposed convolution with 4x4x4 taps and stride 2: 216 products where direct summation needs 512.
  static let transposed = WinogradScheme(WINOGRAD_TRANSPOSED)
  /// Convolution with 4x4x4 taps and stride 2, its adjoint: as many products.
  static let strided = WinogradScheme(WINOGRAD_STRIDED)

  /// Channels, rounded up to whole blocks.
  static func padded(_ channels: Int) -> Int {
    (channels + Int(WINOGRAD_LANES) - 1) / Int(WINOGRAD_LANES) * Int(WINOGRAD_LANES)
  }

  /// Extents of the output of an input of extents `input`.
  func output(_ input: Extent3) -> Extent3 {
    func along(_ n: Int) -> Int { kind == WINOGRAD_STRIDED ? n / 2 : kind == WINOGRAD_TRANSPOSED ? 2 * n : n }
    return Extent3(along(input.d), along(input.h), along(input.w))
  }

  /// Tiles that cover `extent` results.
  func tiles(_ extent: Int) -> Int { (extent + results - 1) / results }

  /// The plane with which the first tile of the planes `planes` of a grid of results begins.
  ///
  /// Without dilation tiles are aligned to the whole output. With dilation they begin at the first of the planes: aligned
  /// ones would need planes of `dilation` times as many as a tile has before any plane is computed.
  func firstResult(of planes: Range<Int>, dilation: Int) -> Int {
    dilation > 1 ? planes.lowerBound : planes.lowerBound / results * results
  }

  /// The source planes that the result planes `planes` depend on; not clamped to the source.
  func sourceRange(_ planes: Range<Int>, dilation: Int) -> Range<Int> {
    guard !planes.isEmpty else { return 0..<0 }
    if dilation > 1 { return planes.lowerBound - dilation..<planes.upperBound + dilation }
    let lastTile = (planes.upperBound - 1) / results
    return planes.lowerBound / results * step - 1..<lastTile * step - 1 + patch
  }
}
