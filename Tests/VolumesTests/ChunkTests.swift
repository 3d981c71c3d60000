import Testing
import Volumes
import Work

/// Grids that end inside, at and after a chunk's face, of one slice, and turned so that i or j points to the head.
private let grids: [VolumeGrid] = {
  let upright = Affine(
    stepI: WorldPoint(1, 0, 0), stepJ: WorldPoint(0, 2, 0), stepK: WorldPoint(0, 0, 3),
    origin: WorldPoint(-5, 4, 3))
  let lying = Affine(
    stepI: WorldPoint(0, 0, 1.5), stepJ: WorldPoint(1, 0, 0), stepK: WorldPoint(0, -1, 0),
    origin: WorldPoint(0, 0, 0))
  let standing = Affine(
    stepI: WorldPoint(1, 0, 0), stepJ: WorldPoint(0, 0, -2), stepK: WorldPoint(0, 1, 0),
    origin: WorldPoint(0, 0, 0))
  return [
    VolumeGrid(size: GridSize(7, 5, 3), affine: upright),
    VolumeGrid(size: GridSize(32, 33, 31), affine: lying),
    VolumeGrid(size: GridSize(70, 41, 1), affine: standing),
    VolumeGrid(size: GridSize(40, 66, 35), affine: upright),
    VolumeGrid(size: GridSize(65, 34, 40), affine: standing),
  ]
}()

/// Blobs of labels 1 to 4, large and small, with single voxels between them.
private func blobs(_ grid: VolumeGrid, seed: UInt64) -> LabelVolume {
  var random = SplitMix64(seed: seed)
  var volume = LabelVolume(grid: grid, voxels: [UInt16](repeating: 0, count: grid.size.voxelCount))
  func below(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }
  for blob in 0..<24 {
    let centre = VoxelIndex(below(grid.size.i), below(grid.size.j), below(grid.size.k))
    let radius = blob < 4 ? 14 : below(4)
    let label = UInt16(below(5))
    for offset in volume.voxels.indices {
      let step = grid.size.index(offset: offset) - centre
      if step.i * step.i + step.j * step.j + step.k * step.k <= radius * radius {
        volume.voxels[offset] = label
      }
    }
  }
  return volume
}

/// Statistics voxel by voxel, with components by flooding: the reference for ``LabelComponents``.
private func plainStatistics(_ volume: LabelVolume) -> [LabelStatistics] {
  let (grid, size) = (volume.grid, volume.grid.size)
  let axis = grid.orientation.sliceAxis(of: .axial)
  var component = [Int](repeating: -1, count: size.voxelCount)
  var members: [[Int]] = []
  for start in component.indices where volume.voxels[start] != 0 && component[start] < 0 {
    component[start] = members.count
    var (flood, found) = ([start], [start])
    while let offset = flood.popLast() {
      let voxel = size.index(offset: offset)
      for step in 0..<27 {
        let next = voxel + VoxelIndex(step % 3 - 1, step / 3 % 3 - 1, step / 9 - 1)
        guard size.contains(next) else { continue }
        let neighbour = size.offset(next)
        guard component[neighbour] < 0, volume.voxels[neighbour] == volume.voxels[start] else { continue }
        component[neighbour] = members.count
        flood.append(neighbour)
        found.append(neighbour)
      }
    }
    members.append(found.sorted())
  }
  return Set(volume.voxels).subtracting([0]).sorted().map { label in
    let own = members.filter { volume.voxels[$0[0]] == label }
    let voxels = own.joined().map { size.index(offset: $0) }
    let largest = own.reduce(own[0]) { $1.count > $0.count ? $1 : $0 }.map { size.index(offset: $0) }
    let slices = Dictionary(grouping: largest) { $0[axis] }
    let slice = slices.keys.sorted().reduce(slices.keys.min()!) {
      slices[$1]!.count > slices[$0]!.count ? $1 : $0
    }
    func mean(_ voxels: [VoxelIndex]) -> SIMD3<Double> {
      voxels.reduce(SIMD3<Double>.zero) { $0 + SIMD3(Double($1.i), Double($1.j), Double($1.k)) }
        / Double(voxels.count)
    }
    let middle = mean(slices[slice]!)
    func distance(_ voxel: VoxelIndex) -> Double {
      let steps = SIMD3(Double(voxel.i), Double(voxel.j), Double(voxel.k)) - middle
      return (0..<3).reduce(0) { $0 + steps[$1] * steps[$1] * grid.spacing[$1] * grid.spacing[$1] }
    }
    let bounds = voxels.dropFirst().reduce(VoxelBounds(lower: voxels[0], upper: voxels[0])) {
      $0.union(VoxelBounds(lower: $1, upper: $1))
    }
    let centroid = mean(voxels)
    return LabelStatistics(
      label: label, voxelCount: voxels.count,
      millilitres: Double(voxels.count) * grid.voxelVolume / 1000, bounds: bounds, componentCount: own.count,
      centroid: grid.affine.world(centroid.x, centroid.y, centroid.z),
      centre: slices[slice]!.min { distance($0) < distance($1) }!)
  }
}

/// The same but for the centre, which may be another voxel at the same distance, and rounding of the centroid.
private func isSame(_ one: [LabelStatistics], _ other: [LabelStatistics], _ grid: VolumeGrid) -> Bool {
  one.count == other.count
    && zip(one, other).allSatisfy { one, other in
      one.label == other.label && one.voxelCount == other.voxelCount && one.bounds == other.bounds
        && one.componentCount == other.componentCount && one.millilitres == other.millilitres
        && (0..<3).allSatisfy { abs(one.centroid[$0] - other.centroid[$0]) < 1e-9 }
        && one.centre[grid.orientation.sliceAxis(of: .axial)]
          == other.centre[grid.orientation.sliceAxis(of: .axial)]
    }
}

@Test("labels in chunks are those of the volume, whole, in any box and voxel by voxel", arguments: grids)
func chunksHoldEveryVoxel(grid: VolumeGrid) throws {
  let volume = blobs(grid, seed: 1)
  let chunked = ChunkedLabels(volume)
  #expect(try chunked.volume == volume)
  #expect(chunked.planes.flatMap(\.self) == volume.voxels)
  #expect(chunked.values() == volume.values())
  let size = grid.size
  #expect(volume.voxels.indices.allSatisfy { chunked[size.index(offset: $0)] == volume.voxels[$0] })
  let box = VoxelBounds(
    lower: VoxelIndex(size.i / 3, size.j / 4, size.k / 2),
    upper: VoxelIndex(size.i - 1, size.j * 3 / 4, size.k - 1))
  #expect(chunked.cropped(to: box) == volume.voxels.cropped(to: box, size: size))
  #expect(chunked.volume(croppedTo: box).grid == grid.cropped(to: box))
  #expect(try chunked == ChunkedLabels(chunked.volume))
}

@Test(
  "copies are identical until one of them is changed, and equal labels in other memory are not",
  arguments: grids)
func copiesAreIdentical(grid: VolumeGrid) throws {
  let labels = ChunkedLabels(blobs(grid, seed: 2))
  let (copy, twin) = (labels, ChunkedLabels(blobs(grid, seed: 2)))
  #expect(labels.isIdentical(to: copy))
  #expect(labels == twin && !labels.isIdentical(to: twin))
  let change = try #require(LabelChange(from: labels, to: ChunkedLabels(blobs(grid, seed: 3))))
  let changed = labels.applying(change)
  #expect(!labels.isIdentical(to: changed) && labels.isIdentical(to: copy))
  let (some, none): (ChunkedLabels?, ChunkedLabels?) = (labels, nil)
  #expect(some.isIdentical(to: copy) && !some.isIdentical(to: none) && !none.isIdentical(to: some))
  #expect(none.isIdentical(to: none))
}

@Test("a change leads from one mask to another, and its inverse back", arguments: grids)
func changesHaveAnInverse(grid: VolumeGrid) throws {
  let (old, new) = (ChunkedLabels(blobs(grid, seed: 2)), ChunkedLabels(blobs(grid, seed: 3)))
  let change = try #require(LabelChange(from: old, to: new))
  #expect(old.applying(change) == new)
  #expect(new.applying(change.inverse) == old)
  #expect(LabelChange(from: old, to: old) == nil)
  #expect(new.differingVoxelCount(from: old) == zip(old.voxels, new.voxels).count { $0 != $1 })
  let changed = old.voxels.indices.filter { old.voxels[$0] != new.voxels[$0] }.map {
    grid.size.index(offset: $0)
  }
  let box = changed.dropFirst().reduce(VoxelBounds(lower: changed[0], upper: changed[0])) {
    $0.union(VoxelBounds(lower: $1, upper: $1))
  }
  #expect(change.box == box)
}

@Test("a chunk whose voxels become equal is one value again, and equal to a uniform chunk")
func changesKeepChunksSmall() throws {
  let grid = grids[3]
  let empty = ChunkedLabels(
    LabelVolume(grid: grid, voxels: [UInt16](repeating: 0, count: grid.size.voxelCount)))
  let voxel = VoxelIndex(35, 33, 2)
  let box = VoxelBounds(lower: voxel, upper: voxel)
  let painted = empty.setting(in: box) { _, _ in 7 }
  #expect(painted[voxel] == 7 && painted.differingVoxelCount(from: empty) == 1)
  #expect(painted.setting(in: box) { _, _ in 0 } == empty)
  let change = try #require(LabelChange(from: empty, to: painted))
  #expect(change.byteCount == 0 && change.inverse.byteCount <= 32 * 32 * 32 * 2)
  let whole = VoxelBounds(grid.size)
  #expect(empty.setting(in: whole) { _, _ in 5 }.setting(in: whole) { _, _ in 0 } == empty)
  #expect(painted.replacing([7], by: 0) == empty)
  #expect(painted.replacing([1, 2], by: 0) == nil)
}

@Test("statistics from the parts of chunks are those of counting voxel by voxel", arguments: grids)
func componentsAgreeWithFlooding(grid: VolumeGrid) throws {
  for seed in 1...4 as ClosedRange<UInt64> {
    let volume = blobs(grid, seed: seed)
    for threads in [1, 2] {
      let found = try LabelComponents(ChunkedLabels(volume), work: WorkContext(threadCount: threads))
      #expect(isSame(found.statistics, plainStatistics(volume), grid), "seed \(seed)")
    }
  }
}

@Test("components after changes of one voxel or many equal those of a full count", arguments: grids)
func componentsFollowChanges(grid: VolumeGrid) throws {
  var random = SplitMix64(seed: 9)
  func below(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }
  var labels = ChunkedLabels(blobs(grid, seed: 4))
  var components = try LabelComponents(labels, work: WorkContext())
  for step in 0..<40 {
    let centre = VoxelIndex(below(grid.size.i), below(grid.size.j), below(grid.size.k))
    let radius = step % 3 == 0 ? 0 : below(9)
    let label = UInt16(below(6))
    var (lower, upper) = (centre, centre)
    for axis in 0..<3 {
      lower[axis] = max(0, centre[axis] - radius)
      upper[axis] = min(grid.size[axis] - 1, centre[axis] + radius)
    }
    let changed = labels.setting(in: VoxelBounds(lower: lower, upper: upper)) { voxel, old in
      (voxel.i + voxel.j + voxel.k) % 5 == 0 ? old : label
    }
    guard let change = LabelChange(from: labels, to: changed) else { continue }
    labels = changed
    components.apply(change, labels: labels)
    #expect(components == (try LabelComponents(labels, work: WorkContext())), "step \(step)")
    if step % 10 == 0 { #expect(try isSame(components.statistics, plainStatistics(labels.volume), grid)) }
  }
}

@Test("every voxel's pair of labels is visited, in chunks as in volumes", arguments: grids)
func pairsAreMet(grid: VolumeGrid) throws {
  let (one, other) = (blobs(grid, seed: 5), blobs(grid, seed: 6))
  var expected: [[UInt16]: Int] = [:]
  for (a, b) in zip(one.voxels, other.voxels) { expected[[a, b], default: 0] += 1 }
  var inChunks: [[UInt16]: Int] = [:]
  try ChunkedLabels(one).forEachPair(with: ChunkedLabels(other), work: WorkContext()) {
    inChunks[[$0, $1], default: 0] += $2
  }
  var inVolumes: [[UInt16]: Int] = [:]
  try one.forEachPair(with: other, work: WorkContext()) { inVolumes[[$0, $1], default: 0] += $2 }
  #expect(inChunks == expected)
  #expect(inVolumes == expected)
}
