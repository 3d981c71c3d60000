import Work

/// The connectivity of components.
package enum VoxelNeighbourhood: String, Hashable, Sendable, Codable, CaseIterable {
  /// Neighbours with a common face: 6-connectivity.
  case faces
  /// Neighbours with a common face, edge or corner: 26-connectivity.
  case corners
}

/// A connected component: connected voxels of one label.
package struct Component: Hashable, Sendable {
  package let label: UInt16
  /// The number of its voxels.
  package let voxelCount: Int
  /// The smallest box that holds them.
  package let bounds: VoxelBounds

  package init(label: UInt16, voxelCount: Int, bounds: VoxelBounds) {
    self.label = label
    self.voxelCount = voxelCount
    self.bounds = bounds
  }
}

/// The connected components of a mask, found by union-find over runs along i (He, Chao, Suzuki 2008).
///
/// Voxels of different labels are never connected. Components are numbered from 0 in the order of their first
/// voxel in memory, the same for any number of threads.
/// - Complexity: O(n) in voxels to find the runs, near O(r) in runs to join them.
package struct ConnectedComponents: Sendable {
  package let grid: VolumeGrid
  /// The neighbourhood that connects voxels.
  package let neighbourhood: VoxelNeighbourhood
  /// Every component, by number.
  package let components: [Component]
  /// The runs that were joined, and the component of each.
  let runs: LabelRuns
  let componentOfRun: [Int32]

  /// The components of every label but 0, or of `labels` alone.
  /// - Throws: `Cancelled`.
  package init(
    _ mask: LabelVolume, labels: Set<UInt16>? = nil, neighbourhood: VoxelNeighbourhood = .corners,
    work: WorkContext
  ) throws(Cancelled) {
    var classes = [UInt16](repeating: 0, count: 65536)
    for value in 1...65535 where labels?.contains(UInt16(value)) ?? true { classes[value] = UInt16(value) }
    try self.init(
      mask, bounds: VoxelBounds(mask.grid.size), classOfValue: classes, neighbourhood: neighbourhood,
      work: work)
  }

  /// The components of the classes that `classOfValue` gives to voxel values, within a box.
  init(
    _ mask: LabelVolume, bounds: VoxelBounds, classOfValue: [UInt16], neighbourhood: VoxelNeighbourhood,
    work: WorkContext
  ) throws(Cancelled) {
    let runs = try LabelRuns(mask, bounds: bounds, classOfValue: classOfValue, work: work.withoutProgress)
    work.report(0.6)
    try self.init(runs, on: mask.grid, neighbourhood: neighbourhood, work: work)
  }

  /// The connected components of runs on a grid.
  init(
    _ runs: LabelRuns, on grid: VolumeGrid, neighbourhood: VoxelNeighbourhood, work: WorkContext
  ) throws(Cancelled) {
    self.grid = grid
    self.neighbourhood = neighbourhood
    self.runs = runs
    var forest = RunForest(count: runs.runs.count)
    try forest.join(runs, neighbourhood, work)
    (componentOfRun, components) = forest.number(runs)
    work.report(1)
  }

  /// The number of each voxel's component plus 1, and 0 where there is none, i fastest.
  package func map() -> [Int32] {
    var map = [Int32](repeating: 0, count: grid.size.voxelCount)
    forEachRun { component, offsets in
      for offset in offsets { map[offset] = Int32(component + 1) }
    }
    return map
  }

  /// The number of the component with the most voxels of `label`, the first of equal ones; nil without such a
  /// component.
  package func largest(of label: UInt16) -> Int? {
    components.indices.filter { components[$0].label == label }
      .max { (components[$0].voxelCount, $1) < (components[$1].voxelCount, $0) }
  }

  /// Calls `body` with each run's component and the memory it covers.
  func forEachRun(_ body: (_ component: Int, _ offsets: Range<Int>) -> Void) {
    for row in 0..<runs.rowStart.count - 1 {
      let (j, k) = runs.row(row)
      let start = (k * grid.size.j + j) * grid.size.i
      for index in runs.rowStart[row]..<runs.rowStart[row + 1] {
        let run = runs.runs[index]
        body(Int(componentOfRun[index]), start + Int(run.first)..<start + Int(run.last) + 1)
      }
    }
  }
}

/// Disjoint sets of runs; the root of a set is its first run.
private struct RunForest {
  private var parent: [Int32]

  /// Each run is a component of its own.
  init(count: Int) {
    precondition(count <= Int(Int32.max), "\(count) runs")
    parent = (0..<Int32(count)).map(\.self)
  }

  /// The root of a run's set (union-find), with path halving.
  private static func root(_ run: Int, _ parent: UnsafeMutablePointer<Int32>) -> Int {
    var run = run
    while Int(parent[run]) != run {
      parent[run] = parent[Int(parent[run])]
      run = Int(parent[run])
    }
    return run
  }

  /// Joins the runs that touch.
  mutating func join(
    _ runs: LabelRuns, _ neighbourhood: VoxelNeighbourhood, _ work: WorkContext
  ) throws(Cancelled) {
    let box = runs.bounds.size
    // Rows before the present one that can touch it, as (rows down, slices down).
    let earlier = neighbourhood == .faces ? [(1, 0), (0, 1)] : [(1, 0), (1, 1), (0, 1), (-1, 1)]
    let diagonalDistance: Int32 = neighbourhood == .faces ? 0 : 1
    try parent.withUnsafeMutableBufferPointer { parent throws(Cancelled) in
      guard let parent = parent.baseAddress else { return }
      try runs.runs.withUnsafeBufferPointer { all throws(Cancelled) in
        for k in 0..<box.k {
          try work.checkCancellation()
          for j in 0..<box.j {
            let row = k * box.j + j
            let here = runs.rowStart[row]..<runs.rowStart[row + 1]
            if here.isEmpty { continue }
            for (down, below) in earlier where (0..<box.j).contains(j - down) && k >= below {
              let other = (k - below) * box.j + j - down
              RunForest.joinRows(
                here, runs.rowStart[other]..<runs.rowStart[other + 1], all, diagonalDistance, parent)
            }
          }
        }
      }
    }
  }

  /// Joins the touching runs of two rows, walking both in step.
  private static func joinRows(
    _ here: Range<Int>, _ there: Range<Int>, _ runs: UnsafeBufferPointer<LabelRun>, _ diagonalDistance: Int32,
    _ parent: UnsafeMutablePointer<Int32>
  ) {
    var a = here.lowerBound
    var b = there.lowerBound
    while a < here.upperBound, b < there.upperBound {
      unite(a, b, runs, diagonalDistance, parent)
      let (endA, endB) = (runs[a].last, runs[b].last)
      // The run that ends first touches nothing further on in the other row. Where both end together, each may
      // still touch the other's successor at a corner.
      if endA == endB {
        if a + 1 < here.upperBound { unite(a + 1, b, runs, diagonalDistance, parent) }
        if b + 1 < there.upperBound { unite(a, b + 1, runs, diagonalDistance, parent) }
      }
      if endA <= endB { a += 1 }
      if endB <= endA { b += 1 }
    }
  }

  /// Joins two runs of neighbouring rows when they touch and have the same label.
  private static func unite(
    _ a: Int, _ b: Int, _ runs: UnsafeBufferPointer<LabelRun>, _ diagonalDistance: Int32,
    _ parent: UnsafeMutablePointer<Int32>
  ) {
    let (run, other) = (runs[a], runs[b])
    guard run.label == other.label, run.first <= other.last + diagonalDistance,
      other.first <= run.last + diagonalDistance
    else {
      return
    }
    let (rootA, rootB) = (root(a, parent), root(b, parent))
    if rootA < rootB { parent[rootB] = Int32(rootA) } else { parent[rootA] = Int32(rootB) }
  }

  /// The index of the component of each run, and the components.
  mutating func number(_ runs: LabelRuns) -> ([Int32], [Component]) {
    var componentOfRun = [Int32](repeating: 0, count: parent.count)
    var labels: [UInt16] = []
    var counts: [Int] = []
    var boxes: [VoxelBounds] = []
    for row in 0..<runs.rowStart.count - 1 {
      let (j, k) = runs.row(row)
      for index in runs.rowStart[row]..<runs.rowStart[row + 1] {
        let run = runs.runs[index]
        let box = VoxelBounds(
          lower: VoxelIndex(Int(run.first), j, k), upper: VoxelIndex(Int(run.last), j, k))
        let length = Int(run.last - run.first) + 1
        // Roots are the first run of their set, so a parent has its number already.
        if Int(parent[index]) == index {
          componentOfRun[index] = Int32(labels.count)
          labels.append(run.label)
          counts.append(length)
          boxes.append(box)
        } else {
          let component = componentOfRun[Int(parent[index])]
          componentOfRun[index] = component
          counts[Int(component)] += length
          boxes[Int(component)] = boxes[Int(component)].union(box)
        }
      }
    }
    let components = labels.indices.map {
      Component(label: labels[$0], voxelCount: counts[$0], bounds: boxes[$0])
    }
    return (componentOfRun, components)
  }
}
