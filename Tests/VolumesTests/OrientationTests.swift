import TestSupport
import Testing
import Volumes
import Work

/// A grid of size 3x4x5 with the given voxel axes, rotated by `degrees` about the patient's long axis.
private func grid(_ code: String, degrees: Double = 0) -> VolumeGrid {
  let orientation = Orientation(code: code)!
  let (sine, cosine) = degrees == 0 ? (0, 1) : (0.5, 0.75.squareRoot())
  func step(_ direction: AnatomicalDirection, _ spacing: Double) -> WorldPoint {
    let length = direction.isPositive ? spacing : -spacing
    switch direction.worldAxis {
    case 0: return WorldPoint(length * cosine, length * sine, 0)
    case 1: return WorldPoint(-length * sine, length * cosine, 0)
    default: return WorldPoint(0, 0, length)
    }
  }
  return VolumeGrid(
    size: GridSize(3, 4, 5),
    affine: Affine(
      stepI: step(orientation.i, 0.75), stepJ: step(orientation.j, 1.25), stepK: step(orientation.k, 3),
      origin: WorldPoint(-17, 40.5, 8)))
}

/// The 48 codes of three different axes.
private let allCodes: [String] = {
  let letters = AnatomicalDirection.allCases.map(\.rawValue)
  return letters.flatMap { a in letters.flatMap { b in letters.map { a + b + $0 } } }
    .filter { Orientation(code: $0) != nil }
}()

@Test("there are 48 orientations, and each is read back from the affine that has it, straight or rotated")
func orientationOfAffine() {
  #expect(allCodes.count == 48)
  for code in allCodes {
    #expect(grid(code).orientation.code == code)
    #expect(grid(code, degrees: 30).orientation.code == code)
  }
}

@Test("a code that repeats an axis, or is not a code, gives no orientation")
func badCodes() {
  #expect(["RLS", "LP", "LPSA", "XYZ", ""].map { Orientation(code: $0) } == [nil, nil, nil, nil, nil])
  #expect(Orientation(code: "lps") == .lps)
}

@Test("every axis of a strongly oblique affine gets a world axis of its own")
func obliqueAxesAreOneToOne() {
  // i and j both lean most to the right; the pairing with the larger sum gives j the front.
  let affine = Affine(
    stepI: WorldPoint(1, 0.2, 0), stepJ: WorldPoint(0.8, 0.7, 0.1), stepK: WorldPoint(0, -0.1, -1),
    origin: WorldPoint(0, 0, 0))
  #expect(Orientation(nearest: affine).code == "RAI")
}

@Test("planes are found by anatomy")
func planesByAnatomy() {
  let orientation = Orientation(code: "AIR")!
  #expect(AnatomicalPlane.allCases.map { orientation.sliceAxis(of: $0) } == [1, 0, 2])
}

@Test("reorienting keeps every voxel's value at its world position, and restoring gives the volume back")
func reorientingKeepsWorldPositions() throws {
  let work = WorkContext(threadCount: 2)
  for (from, to) in allCodes.enumerated().map({ ($1, allCodes[($0 * 29 + 11) % 48]) }) {
    let original = grid(from, degrees: 30)
    let volume = ScalarVolume(grid: original, voxels: (0..<60).map(Float.init))
    let mapping = ReorientedGrid(original, orientation: Orientation(code: to)!)
    #expect(mapping.grid.orientation.code == to)
    let turned = try mapping.reoriented(volume, work: work)
    for offset in 0..<60 {
      let index = original.size.index(offset: offset)
      let new = mapping.reoriented(index)
      #expect(mapping.original(new) == index)
      #expect(turned.voxels[mapping.grid.size.offset(new)] == Float(offset))
      let (a, b) = (original.affine.world(index), mapping.grid.affine.world(new))
      #expect(abs(a.x - b.x) + abs(a.y - b.y) + abs(a.z - b.z) < 1e-12)
    }
    #expect(try mapping.restored(turned, work: work) == volume)
  }
}

@Test("labels and every class of probabilities come back on the original grid")
func labelsAndProbabilitiesAreRestored() throws {
  let work = WorkContext()
  let mapping = ReorientedGrid(grid("LPS"), orientation: Orientation(code: "SAR")!)
  let labels = LabelVolume(grid: mapping.original, voxels: (0..<60).map { UInt16($0) })
  #expect(try mapping.restored(mapping.reoriented(labels, work: work), work: work) == labels)
  let first = ScalarVolume(grid: mapping.original, voxels: (0..<60).map(Float.init))
  let second = ScalarVolume(grid: mapping.original, voxels: (0..<60).map { Float(100 - $0) })
  let turned = ProbabilityVolume(
    grid: mapping.grid, classCount: 2,
    values: try [first, second].flatMap { try mapping.reoriented($0, work: work).voxels })
  #expect(
    try mapping.restored(turned, work: work)
      == ProbabilityVolume(grid: mapping.original, classCount: 2, values: first.voxels + Array(second.voxels))
  )
}

@Test("each of the 48 reorientations is undone by its inverse")
func inverseUndoes() throws {
  #expect(Set(Reorientation.all).count == 48)
  let values = (0..<60).map(Float.init)
  for reorientation in Reorientation.all {
    let size = GridSize(3, 4, 5)
    let turned = try reorientation.reordered(values, size: size, work: WorkContext())
    let back = try reorientation.inverse.reordered(
      turned, size: reorientation.size(size), work: WorkContext())
    #expect(back == values)
  }
}

@Test("a large transposition agrees with copying voxel by voxel")
func tiledCopyAgreesWithPlain() throws {
  let size = GridSize(37, 50, 21)
  let values = SeededFloats.make(size.voxelCount, seed: 3)
  let reorientation = Reorientation(oldAxes: [2, 0, 1], isFlipped: [true, false, true])
  let turned = try reorientation.reordered(values, size: size, work: WorkContext(threadCount: 2))
  let newSize = reorientation.size(size)
  var plain = [Float](repeating: 0, count: values.count)
  for offset in values.indices {
    plain[newSize.offset(reorientation.newIndex(size.index(offset: offset), oldSize: size))] = values[offset]
  }
  #expect(turned == plain)
}

@Test("a mask within a tenth of a voxel fits, one beyond is refused with the corner and its distance")
func maskTolerance() throws {
  let image = VolumeGrid(size: GridSize(10, 10, 10), affine: Affine(spacing: Spacing(2)))
  var near = image
  near.affine.origin.x = 0.19
  #expect(try GridFit(mask: near, image: image, subject: "m.nii") == .same)
  #expect(abs(GridFit.same.largestOffsetVoxels(of: near, on: image) - 0.095) < 1e-9)
  #expect(GridFit.same.largestOffsetVoxels(of: image, on: image) < 1e-9)
  var far = image
  far.affine.origin.x = 3
  #expect(
    throws: InputError(
      "m.nii", "does not fit the image: corner (0, 0, 0) lies 3.0 mm away", found: "(3.0, 0.0, 0.0) mm RAS",
      expected: "(0.0, 0.0, 0.0) mm RAS")
  ) { try GridFit(mask: far, image: image, subject: "m.nii") }
  var wider = image
  wider.affine.stepI.x = 2.1
  #expect(
    throws: InputError(
      "m.nii", "does not fit the image: corner (9, 0, 0) lies 0.9 mm away", found: "(18.9, 0.0, 0.0) mm RAS",
      expected: "(18.0, 0.0, 0.0) mm RAS")
  ) { try GridFit(mask: wider, image: image, subject: "m.nii") }
}

@Test("a mask of other dimensions is refused with both")
func maskOfOtherDimensions() {
  let image = VolumeGrid(size: GridSize(10, 11, 12), affine: Affine(spacing: Spacing(1)))
  let mask = VolumeGrid(size: GridSize(10, 11, 13), affine: image.affine)
  #expect(
    throws: InputError(
      "m.nii", "does not fit the image: other dimensions", found: "10x11x13", expected: "10x11x12")
  ) { try GridFit(mask: mask, image: image, subject: "m.nii") }
}

@Test("a mask stored along other axes fits by the reorientation that lays it on the image")
func permutedMaskFits() throws {
  let image = grid("LPS", degrees: 30)
  for reorientation in Reorientation.all.dropFirst() {
    let mask = reorientation.grid(image)
    #expect(
      try GridFit(mask: mask, image: image, subject: "m.nii") == .reoriented(reorientation.inverse))
    #expect(GridFit.reoriented(reorientation.inverse).largestOffsetVoxels(of: mask, on: image) < 1e-9)
  }
}
