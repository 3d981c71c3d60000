import Synchronization
import Work

/// The classes of a voxel in two masks, which differ.
struct ClassPair: Hashable, Comparable, Sendable {
  /// 0 stands for background.
  var one, other: UInt16

  static func < (first: ClassPair, second: ClassPair) -> Bool {
    (first.one, first.other) < (second.one, second.other)
  }
}

/// The voxels whose classes in two masks differ, as runs along i.
///
/// Neither mask is expanded: each row is read from its chunks.
struct DifferingRuns: Sendable {
  /// The runs; the label of each is the number of its pair of classes, from 1.
  let runs: LabelRuns
  /// Every pair that occurs, ascending.
  let pairs: [ClassPair]

  /// Finds the runs, in two passes over the chunks that may differ: count, then fill.
  ///
  /// - Parameters:
  ///   - other: The other mask, on the same grid; nil for one that is background everywhere.
  ///   - classes: The class of each of the 65536 labels; 0 for labels that count as background.
  ///   - subject: What the error names.
  /// - Returns: nil where nothing differs.
  /// - Throws: `InputError` where memory does not hold the runs and what is computed of them; `Cancelled`.
  /// - Complexity: O(chunks + voxels of the chunks that may differ), in parallel.
  init?(
    _ one: ChunkedLabels, _ other: ChunkedLabels?, classes: (one: [UInt16], other: [UInt16]), subject: String,
    work: WorkContext
  ) throws {
    let scan = ChunkPairScan(one, other, classes)
    guard let bounds = scan.bounds else { return nil }
    let box = bounds.size
    let units = scan.units(of: bounds)
    var starts = [Int](repeating: 0, count: box.j * box.k + 1)
    let known = Mutex<Set<ClassPair>>([])
    try starts.withUnsafeMutableBufferPointer { starts throws(Cancelled) in
      let starts = DisjointBuffer(starts)
      try work.withoutProgress.forEach(count: units.count) { unit, _ in
        var found: Set<ClassPair> = []
        var last = ClassPair(one: 0, other: 0)
        scan.forEachRow(of: units[unit], in: bounds) { row, j, k in
          scan.forEachRun(units[unit], j, k) { pair, _, _ in
            starts[row + 1] += 1
            if pair != last { found.insert(pair) }
            last = pair
          }
        }
        known.withLock { $0.formUnion(found) }
      }
    }
    for row in 0..<box.j * box.k { starts[row + 1] += starts[row] }
    let count = starts[box.j * box.k]
    guard count > 0 else { return nil }
    // A run, its parent, its component and its index within the component.
    try AvailableMemory.require(
      checkedProduct(count, MemoryLayout<LabelRun>.stride + 3 * MemoryLayout<Int32>.stride), subject: subject,
      "the list of its \(count) rows of voxels")
    let pairs = known.withLock { $0.sorted() }
    // More pairs than a run can name share the last number.
    let numbers = Dictionary(
      uniqueKeysWithValues: pairs.enumerated().map { ($1, UInt16(min($0 + 1, Int(UInt16.max)))) })
    let rowStarts = starts
    let runs = try [LabelRun](count: count) { runs throws(Cancelled) in
      try work.withoutProgress.forEach(count: units.count) { unit, _ in
        var last = ClassPair(one: 0, other: 0)
        var number: UInt16 = 0
        scan.forEachRow(of: units[unit], in: bounds) { row, j, k in
          var next = rowStarts[row]
          scan.forEachRun(units[unit], j, k) { pair, first, end in
            if pair != last { (last, number) = (pair, numbers[pair] ?? 0) }
            runs[next] = LabelRun(label: number, first: Int32(first), last: Int32(end))
            next += 1
          }
        }
      }
    }
    self.pairs = pairs
    self.runs = LabelRuns(bounds: bounds, runs: runs, rowStart: starts)
  }
}

/// Two masks read together, row by row out of their chunks.
private struct ChunkPairScan: Sendable {
  /// A row of chunks along i.
  struct Unit {
    /// The chunks that may differ, ascending.
    var chunks: [Int]
    /// The first and last row of voxels along j and k.
    var rows, slices: ClosedRange<Int>
  }

  private let grid: ChunkGrid
  private let one: [ChunkedLabels.Chunk]
  private let other: [ChunkedLabels.Chunk]?
  private let classes: (one: [UInt16], other: [UInt16])
  private let mayDiffer: [Bool]
  /// The box of the chunks that may differ; nil where none may.
  let bounds: VoxelBounds?

  init(_ one: ChunkedLabels, _ other: ChunkedLabels?, _ classes: (one: [UInt16], other: [UInt16])) {
    precondition(other.map { $0.chunkGrid == one.chunkGrid } ?? true, "masks on different grids")
    precondition(classes.one.count == 65536 && classes.other.count == 65536, "classes of all labels")
    (grid, self.one, self.other, self.classes) = (one.chunkGrid, one.chunks, other?.chunks, classes)
    let hasSameClasses = classes.one == classes.other
    mayDiffer = one.chunks.indices.map { chunk in
      switch (one.chunks[chunk], other?.chunks[chunk] ?? .uniform(0)) {
      case (.uniform(let label), .uniform(let partner)):
        classes.one[Int(label)] != classes.other[Int(partner)]
      case (let first, let second): !(hasSameClasses && first == second)
      }
    }
    var bounds: VoxelBounds?
    for chunk in mayDiffer.indices where mayDiffer[chunk] {
      bounds = bounds?.union(grid.box(chunk)) ?? grid.box(chunk)
    }
    self.bounds = bounds
  }

  /// The rows of chunks of the box that have a chunk that may differ, j fastest.
  func units(of bounds: VoxelBounds) -> [Unit] {
    var units: [Unit] = []
    for chunk in grid.chunks(in: bounds) where mayDiffer[chunk] {
      let box = grid.box(chunk)
      if let last = units.last, last.rows.lowerBound == box.lower.j, last.slices.lowerBound == box.lower.k {
        units[units.count - 1].chunks.append(chunk)
      } else {
        units.append(
          Unit(
            chunks: [chunk], rows: box.lower.j...box.upper.j, slices: box.lower.k...box.upper.k))
      }
    }
    return units
  }

  /// Calls `body` with the number of each row of a unit among those of the box, and its j and k.
  func forEachRow(of unit: Unit, in bounds: VoxelBounds, _ body: (_ row: Int, _ j: Int, _ k: Int) -> Void) {
    for k in unit.slices {
      for j in unit.rows { body((k - bounds.lower.k) * bounds.size.j + j - bounds.lower.j, j, k) }
    }
  }

  /// Calls `body` with each run of voxels of a row whose classes differ: the pair, the first and the last i.
  func forEachRun(_ unit: Unit, _ j: Int, _ k: Int, _ body: (ClassPair, _ first: Int, _ last: Int) -> Void) {
    var run = (pair: ClassPair(one: 0, other: 0), first: 0, last: -1)
    for chunk in unit.chunks {
      let box = grid.box(chunk)
      let start = box.size.offset(VoxelIndex(box.lower.i, j, k) - box.lower)
      ChunkPairScan.withRow(one[chunk], start) { row, step in
        ChunkPairScan.withRow(other?[chunk] ?? .uniform(0), start) { otherRow, otherStep in
          var labels = (row[0], otherRow[0])
          var pair = pair(labels.0, labels.1)
          for i in 0..<box.size.i {
            let (label, partner) = (row[i &* step], otherRow[i &* otherStep])
            if label != labels.0 || partner != labels.1 {
              labels = (label, partner)
              pair = self.pair(label, partner)
            }
            guard pair.one != pair.other else { continue }
            let position = box.lower.i &+ i
            if pair == run.pair, position == run.last + 1 {
              run.last = position
            } else {
              if run.last >= run.first { body(run.pair, run.first, run.last) }
              run = (pair, position, position)
            }
          }
        }
      }
    }
    if run.last >= run.first { body(run.pair, run.first, run.last) }
  }

  private func pair(_ label: UInt16, _ partner: UInt16) -> ClassPair {
    ClassPair(one: classes.one[Int(label)], other: classes.other[Int(partner)])
  }

  /// Calls `body` with the labels of a chunk from an offset on, and the step from one to the next.
  private static func withRow(
    _ chunk: ChunkedLabels.Chunk, _ start: Int, _ body: (UnsafePointer<UInt16>, _ step: Int) -> Void
  ) {
    switch chunk {
    case .uniform(let label): withUnsafePointer(to: label) { body($0, 0) }
    // SAFETY: the row lies inside the chunk's box, whose voxels the array has.
    case .voxels(let voxels): voxels.withUnsafeBufferPointer { body($0.baseAddress! + start, 1) }
    }
  }
}
