import TestSupport
import Testing
import Volumes
import Work

private let oblique = Affine(
  stepI: WorldPoint(-0.6, 0.45, 0), stepJ: WorldPoint(-0.6, -0.8, 0), stepK: WorldPoint(0, 0, 1.3),
  origin: WorldPoint(31, -12, 5))

/// A linear function of world position on a grid.
private func ramp(_ grid: VolumeGrid) -> ScalarVolume {
  let voxels = (0..<grid.size.voxelCount).map { offset -> Float in
    let point = grid.affine.world(grid.size.index(offset: offset))
    return Float(0.3 * point.x - 0.7 * point.y + 0.5 * point.z + 2)
  }
  return ScalarVolume(grid: grid, voxels: voxels)
}

/// The greatest difference from the ramp over target voxels whose extent lies inside the source.
private func interiorError(_ volume: ScalarVolume, source: VolumeGrid) -> Float {
  let exact = ramp(volume.grid)
  var worst: Float = 0
  var compared = 0
  for offset in volume.voxels.indices {
    let index = volume.grid.size.index(offset: offset)
    let position = source.affine.continuousIndex(volume.grid.affine.world(index))
    let isInterior = (0..<3).allSatisfy { axis in
      let margin = max(0.5 * volume.grid.spacing[axis] / source.spacing[axis] - 0.5, 0)
      return position[axis] >= margin && position[axis] <= Double(source.size[axis] - 1) - margin
    }
    guard isInterior else { continue }
    compared += 1
    worst = max(worst, abs(volume.voxels[offset] - exact.voxels[offset]))
  }
  #expect(compared > volume.voxels.count / 8)
  return worst
}

@Test("a linear function of position survives resampling to coarser, finer and mixed spacings")
func linearFunctionsSurvive() throws {
  let source = VolumeGrid(size: GridSize(40, 31, 23), affine: oblique)
  let spacings = [
    Spacing(3), Spacing(2.2, 3.7, 1.31), Spacing(0.4), Spacing(0.9, 0.5, 3), Spacing(0.75, 1, 1.3),
    Spacing(1.9),
  ]
  for spacing in spacings {
    let target = try source.resampled(to: spacing)
    let resampled = try ramp(source).resampled(to: target, work: WorkContext(threadCount: 2))
    #expect(interiorError(resampled, source: source) < 1e-4, "spacing \(spacing)")
  }
}

@Test("a working grid has the spacing asked for, the same centre, and covers the field of view")
func workingGrid() throws {
  let source = VolumeGrid(size: GridSize(512, 300, 78), affine: oblique)
  let target = try source.resampled(to: Spacing(3))
  // 512 x 0.75 = 384, 300 x 1 = 300, 78 x 1.3 = 101.4 mm.
  #expect(target.size == GridSize(128, 100, 34))
  let spacing = target.spacing
  #expect(abs(spacing.i - 3) + abs(spacing.j - 3) + abs(spacing.k - 3) < 1e-12)
  let a = source.affine.world(255.5, 149.5, 38.5)
  let b = target.affine.world(63.5, 49.5, 16.5)
  #expect(abs(a.x - b.x) + abs(a.y - b.y) + abs(a.z - b.z) < 1e-9)
  #expect(try source.resampled(to: Spacing(0.7501, 1, 1.3)) == source)
}

@Test("coarsening by a whole factor is the plain mean of the voxels inside")
func wholeFactorIsTheMean() throws {
  let source = VolumeGrid(size: GridSize(6, 4, 2), affine: Affine(spacing: Spacing(1)))
  let volume = ScalarVolume(grid: source, voxels: SeededFloats.make(48, seed: 1))
  let coarse = try volume.resampled(to: source.resampled(to: Spacing(2)), work: WorkContext())
  var means: [Float] = []
  for j in 0..<2 {
    for i in 0..<3 {
      var sum: Float = 0
      for offset in 0..<8 {
        sum +=
          volume.voxels[
            source.size.offset(VoxelIndex(2 * i + offset & 1, 2 * j + offset >> 1 & 1, offset >> 2))]
      }
      means.append(sum / 8)
    }
  }
  #expect(zip(coarse.voxels, means).allSatisfy { abs($0 - $1) < 1e-6 })
  #expect(coarse.voxels.count == 6)
}

@Test("coarsening keeps a constant at its value up to the border")
func constantsStay() throws {
  let source = VolumeGrid(size: GridSize(17, 13, 9), affine: oblique)
  let volume = ScalarVolume(grid: source, voxels: [Float](repeating: 40, count: source.size.voxelCount))
  for spacing in [Spacing(2.7), Spacing(0.3), Spacing(100)] {
    let resampled = try volume.resampled(to: source.resampled(to: spacing), work: WorkContext())
    #expect(resampled.voxels.allSatisfy { abs($0 - 40) < 1e-4 })
  }
}

@Test("interpolation agrees with eight corners written out, and threads do not matter")
func trilinearAgreesWithPlain() throws {
  let source = VolumeGrid(size: GridSize(7, 6, 5), affine: Affine(spacing: Spacing(2)))
  let volume = ScalarVolume(grid: source, voxels: SeededFloats.make(210, seed: 2))
  let target = try source.resampled(to: Spacing(0.7, 1.1, 0.9))
  let fast = try volume.resampled(to: target, work: WorkContext(threadCount: 1))
  #expect(try volume.resampled(to: target, work: WorkContext(threadCount: 3)) == fast)
  for offset in fast.voxels.indices {
    let position = source.affine.continuousIndex(target.affine.world(target.size.index(offset: offset)))
    var sum = 0.0
    for corner in 0..<8 {
      var weight = 1.0
      var index = VoxelIndex(0, 0, 0)
      for axis in 0..<3 {
        let clamped = min(max(position[axis], 0), Double(source.size[axis] - 1))
        let lower = min(clamped.rounded(.down), Double(source.size[axis] - 2))
        let isUpper = corner >> axis & 1 == 1
        weight *= isUpper ? clamped - lower : 1 - (clamped - lower)
        index[axis] = Int(lower) + (isUpper ? 1 : 0)
      }
      sum += weight * Double(volume.voxels[source.size.offset(index)])
    }
    #expect(abs(Float(sum) - fast.voxels[offset]) < 1e-5)
  }
}

@Test("labels take the nearest voxel and are background outside")
func nearestLabels() throws {
  let source = VolumeGrid(size: GridSize(3, 1, 1), affine: Affine(spacing: Spacing(2)))
  let mask = LabelVolume(grid: source, voxels: [5, 0, 7])
  let target = VolumeGrid(
    size: GridSize(9, 1, 1), affine: Affine(spacing: Spacing(1, 2, 2), origin: WorldPoint(-2, 0, 0)))
  // World x of the target runs from -2 to 6; the source covers -1 to 5.
  #expect(try mask.resampled(to: target, work: WorkContext()).voxels == [0, 0, 5, 5, 0, 0, 7, 7, 0])
}

@Test("slabs of interpolated probabilities are the slices of the whole, class by class")
func slabsAreSlices() throws {
  let source = VolumeGrid(size: GridSize(6, 5, 4), affine: Affine(spacing: Spacing(3)))
  let target = try source.resampled(to: Spacing(1.25))
  let work = WorkContext(threadCount: 2)
  let classes = (0..<3).map { ScalarVolume(grid: source, voxels: SeededFloats.make(120, seed: $0)) }
  let probabilities = ProbabilityVolume(
    grid: source, classCount: 3, values: classes.flatMap(\.voxels))
  let whole = try classes.map { try $0.resampled(to: target, work: work).voxels }
  let plane = target.size.i * target.size.j
  var slab = [Float](repeating: 9, count: 2 * 3 * plane + 1)
  try ProbabilityInterpolation(from: source, to: target)
    .fill(&slab, slices: 4..<7, classes: 1..<3, of: probabilities, work: work)
  #expect(slab == Array(whole[1][4 * plane..<7 * plane]) + Array(whole[2][4 * plane..<7 * plane]) + [9])
}

@Test("the arg max of interpolated probabilities is that of the whole volumes, ties going to the lower class")
func argMaxOfInterpolated() throws {
  let source = VolumeGrid(size: GridSize(6, 5, 4), affine: Affine(spacing: Spacing(3)))
  let target = try source.resampled(to: Spacing(1.25))
  let work = WorkContext(threadCount: 2)
  var classes = (0..<3).map { ScalarVolume(grid: source, voxels: SeededFloats.make(120, seed: $0)) }
  classes[2].voxels = IntensityVoxels(classes[1].voxels[0...20] + Array(classes[2].voxels[21...]))
  let probabilities = ProbabilityVolume(grid: source, classCount: 3, values: classes.flatMap(\.voxels))
  let whole = try classes.map { try $0.resampled(to: target, work: work).voxels }
  let expected = whole[0].indices.map { offset -> UInt16 in
    let values = whole.map { $0[offset] }
    return [0, 6, 4][values.firstIndex(of: values.max()!)!]
  }
  let labels = try ProbabilityInterpolation(from: source, to: target)
    .argMax(of: probabilities, labelValues: [0, 6, 4], work: work)
  #expect(labels == LabelVolume(grid: target, voxels: expected))
}

@Test("a cancelled resampling throws")
func cancelledResampling() {
  let grid = VolumeGrid(size: GridSize(8, 8, 8), affine: Affine(spacing: Spacing(1)))
  let work = WorkContext()
  work.cancellation.request()
  #expect(throws: Cancelled()) { try ramp(grid).resampled(to: grid.resampled(to: Spacing(2)), work: work) }
}
