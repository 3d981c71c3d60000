import TestSupport
import Testing
import Volumes
import Work

/// An image as it is stored, and the same image as floats.
private struct ImagePair: CustomStringConvertible {
  var description: String
  var stored: ScalarVolume
  var floats: ScalarVolume

  /// An image of the extreme numbers of a type and of others at random.
  init<Number: StoredInteger>(_: Number.Type, _ scaling: VoxelScaling, grid: VolumeGrid) {
    var random = SplitMix64(seed: 5)
    let numbers: [Number] =
      [.min, .max, 0, 1]
      + (4..<grid.size.voxelCount).map { _ in Number.random(in: .min ... .max, using: &random) }
    description = "\(Number.self) · \(scaling.slope) + \(scaling.intercept)"
    stored = ScalarVolume(grid: grid, voxels: IntensityVoxels(numbers, scaling: scaling))
    floats = ScalarVolume(
      grid: grid, voxels: numbers.map { Float(scaling.slope * Double($0) + scaling.intercept) })
  }

  /// Every type of integers without a scaling, with one whose values are inexact, a falling one, and one with huge values.
  static func all(_ size: GridSize) -> [ImagePair] {
    let grid = VolumeGrid(size: size, affine: Affine(spacing: Spacing(0.7, 1.1, 2.5)))
    let scalings = [
      VoxelScaling(), VoxelScaling(slope: 0.1, intercept: -1024.3), VoxelScaling(slope: -3, intercept: 0.25),
      VoxelScaling(slope: 1e20),
    ]
    return scalings.flatMap { scaling in
      [
        ImagePair(UInt8.self, scaling, grid: grid), ImagePair(Int8.self, scaling, grid: grid),
        ImagePair(UInt16.self, scaling, grid: grid), ImagePair(Int16.self, scaling, grid: grid),
      ]
    }
  }
}

@Suite("Intensities in the type in which they are stored")
struct StoredIntensityTests {
  private let work = WorkContext(threadCount: 3)

  @Test("have the values of their floats, one by one, in ranges, pieces and boxes, and all at once")
  func values() throws {
    // More voxels than a piece has.
    for pair in ImagePair.all(GridSize(61, 43, 37)) {
      let (voxels, size) = (pair.stored.voxels, pair.stored.grid.size)
      let floats = try pair.floats.voxels.floats(work: work)
      #expect(voxels.map(\.bitPattern) == floats.map(\.bitPattern), "\(pair)")
      #expect(try voxels.floats(work: work) == floats, "\(pair)")
      #expect(
        voxels.withValues(in: 70_001..<70_123) { Array($0) } == Array(floats[70_001..<70_123]), "\(pair)")
      #expect(voxels.withValues(in: 5..<5) { $0.count } == 0)
      var pieces: [Float] = []
      voxels.forEachPiece { pieces += $0 }
      #expect(pieces == floats, "\(pair)")
      let box = VoxelBounds(lower: VoxelIndex(3, 40, 0), upper: VoxelIndex(60, 42, 36))
      #expect(
        try voxels.cropped(to: box, size: size, work: work) == floats.cropped(to: box, size: size), "\(pair)")
    }
  }

  @Test("take the bytes of their type")
  func bytes() {
    let counts = ImagePair.all(GridSize(5, 4, 3)).map(\.stored.voxels.byteCount)
    #expect(counts == (0..<4).flatMap { _ in [60, 60, 120, 120] })
    #expect(IntensityVoxels([Float](repeating: 1, count: 60)).byteCount == 240)
  }

  @Test("are equal to others where all values are, in whatever type these are stored")
  func equality() {
    for pair in ImagePair.all(GridSize(61, 43, 37)) {
      #expect(pair.stored == pair.floats, "\(pair)")
      for offset in [0, 70_000, pair.floats.voxels.count - 1] {
        var values = Array(pair.floats.voxels)
        values[offset] = values[offset].nextDown
        #expect(pair.stored.voxels != IntensityVoxels(values), "\(pair)")
      }
      #expect(pair.stored.voxels != IntensityVoxels(Array(pair.floats.voxels.dropLast())))
    }
    // One scaling undoes the other.
    #expect(
      IntensityVoxels([1, 2, 3] as [UInt8], scaling: VoxelScaling(slope: 10))
        == IntensityVoxels([10, 20, 30] as [Int16]))
  }

  @Test("are identical to a copy, until a value of it is set anew")
  func identity() {
    let voxels = IntensityVoxels([1, 2, 3] as [Int16])
    let copy = voxels
    #expect(voxels.isIdentical(to: copy))
    #expect(!voxels.isIdentical(to: IntensityVoxels([1, 2, 3] as [Int16])))
  }

  @Test("a scaling that takes a number of the type beyond the floats is known")
  func overflow() {
    #expect(Int16.areFinite(under: VoxelScaling(slope: 1e34)))
    #expect(!Int16.areFinite(under: VoxelScaling(slope: 1e36)))
    #expect(!UInt8.areFinite(under: VoxelScaling(slope: -1e38)))
    #expect(UInt8.areFinite(under: VoxelScaling(slope: 1e36)))
    #expect(!Int8.areFinite(under: VoxelScaling(slope: .nan)))
    #expect(!Int8.areFinite(under: VoxelScaling(intercept: .infinity)))
  }

  @Test("keep their type along other axes, and their values at every voxel")
  func reorientation() throws {
    for pair in ImagePair.all(GridSize(19, 7, 5)) {
      for code in ["RAS", "LPS", "SAR", "PIL", "IRA"] {
        let axes = ReorientedGrid(pair.stored.grid, orientation: Orientation(code: code)!)
        let turned = try axes.reoriented(pair.stored, work: work)
        #expect(try turned == axes.reoriented(pair.floats, work: work), "\(pair) \(code)")
        #expect(turned.voxels.byteCount == pair.stored.voxels.byteCount)
        #expect(try axes.restored(turned, work: work) == pair.stored, "\(pair) \(code)")
        let size = axes.grid.size
        let slices = (0..<size.k).flatMap { k in
          [Float](unsafeUninitializedCapacity: size.i * size.j) { slice, count in
            axes.reorientation.writeSlice(
              k, of: pair.stored.voxels, size: pair.stored.grid.size, to: slice.baseAddress!)
            count = size.i * size.j
          }
        }
        #expect(slices == Array(turned.voxels), "\(pair) \(code)")
      }
    }
  }

  @Test("give the same pixels in slices of all three planes, enlarged and reduced")
  func slices() {
    for pair in ImagePair.all(GridSize(40, 31, 22)) {
      let grid = pair.stored.grid
      let window = IntensitySummary(pair.floats).presets[1].window
      for plane in AnatomicalPlane.allCases {
        let geometry = PlaneGeometry(plane, of: grid, convention: .radiological)
        for (width, zoom) in [(90, 1.0), (12, 1.0), (33, 3.5)] {
          let projection = PaneProjection(
            geometry, width: width, height: 25, pixelAspect: 1, zoom: zoom, centre: SIMD3(20, 15, 11))
          let sampler = SliceSampler(projection, size: grid.size, slice: VoxelIndex(17, 9, 13))
          let greys = sampler.greys(of: pair.stored, window: window)
          #expect(greys == sampler.greys(of: pair.floats, window: window), "\(pair) \(plane)")
          #expect(Set(greys).count > 10)
        }
      }
    }
  }

  @Test("have the same percentiles where an odd number of voxels is counted in several pieces")
  func percentilesOfPieces() throws {
    let fractions = [0, 0.25, 0.5, 0.9999, 1]
    for pair in ImagePair.all(GridSize(67, 61, 31)) {
      #expect(
        try pair.stored.percentiles(fractions, work: work) == pair.floats.percentiles(fractions, work: work),
        "\(pair)")
    }
    let constant = ScalarVolume(
      grid: VolumeGrid(size: GridSize(5, 1, 1), affine: Affine(spacing: Spacing(1))),
      voxels: IntensityVoxels([Int16](repeating: 0, count: 5), scaling: VoxelScaling(slope: -1)))
    let found = try #require(try constant.percentiles([0, 0.3, 1], work: work))
    #expect(found == [0, 0, 0] && found.allSatisfy { $0.sign == .plus })
  }

  @Test("have the same percentiles, windows, means of components, and samples on another grid")
  func statistics() throws {
    for pair in ImagePair.all(GridSize(40, 31, 22)) {
      let (stored, floats, size) = (pair.stored, pair.floats, pair.stored.grid.size)
      let fractions = [0, 0.005, 0.31, 0.995, 1]
      #expect(
        try stored.percentiles(fractions, work: work) == floats.percentiles(fractions, work: work), "\(pair)")
      #expect(IntensitySummary(stored) == IntensitySummary(floats), "\(pair)")
      let labels = LabelVolume(
        grid: stored.grid, voxels: (0..<size.voxelCount).map { $0 % 7 < 3 || $0 % 800 > 700 ? 1 : 0 })
      var classes = [UInt16](repeating: 0, count: 65536)
      classes[1] = 1
      let list = try ComponentList(
        ChunkedLabels(labels), nil, classes: (classes, classes), limit: 20, keepsVoxels: true,
        subject: "mask", work: work)
      #expect(try list.means(in: stored, work: work) == list.means(in: floats, work: work), "\(pair)")
      let target = try stored.grid.resampled(to: Spacing(1.3))
      #expect(
        try stored.resampled(to: target, work: work) == floats.resampled(to: target, work: work), "\(pair)")
    }
  }

  @Test("windows of an image have the percentiles of its sorted values, without those that are not finite")
  func windows() {
    var values = SeededFloats.make(997, seed: 4).map { $0 * 2e9 }
    values += [0, -0.0, .leastNonzeroMagnitude, -.leastNonzeroMagnitude, 3e37, -3e37]
    let sorted = values.sorted()
    let summary = IntensitySummary(
      ScalarVolume(
        grid: VolumeGrid(size: GridSize(1006, 1, 1), affine: Affine(spacing: Spacing(1))),
        voxels: values + [.nan, .infinity, -.infinity]))
    for (name, low, high) in [
      ("percentiles 2-98 %", 20, 982), ("percentiles 5-95 %", 50, 952), ("full range", 0, 1002),
    ] {
      #expect(
        summary.presets.first { $0.name == name }?.window
          == IntensityWindow(lower: Double(sorted[low]), upper: Double(sorted[high])))
    }
  }
}
