import Work

/// Voxels first...last of one row along i, all of one class.
struct LabelRun: Equatable, Sendable {
  /// The class that the lookup gave, never 0.
  var label: UInt16
  /// First and last i of the run.
  var first, last: Int32
}

/// The voxels of a box as runs along i, row by row (j fastest, then k): what components and statistics work on.
struct LabelRuns: Sendable {
  /// The box that was scanned.
  let bounds: VoxelBounds
  /// Runs, row after row.
  let runs: [LabelRun]
  /// The index of the first run of each row; one more element at the end.
  let rowStart: [Int]

  /// Runs that are known already, row after row of a box.
  init(bounds: VoxelBounds, runs: [LabelRun], rowStart: [Int]) {
    precondition(rowStart.count == bounds.size.j * bounds.size.k + 1, "\(rowStart.count) rows")
    self.bounds = bounds
    self.runs = runs
    self.rowStart = rowStart
  }

  /// Scans a box of a mask, two passes: count, then fill.
  ///
  /// - Parameter classOfValue: for each of the 65536 voxel values its class; 0 leaves the voxel out.
  /// - Throws: `Cancelled`.
  init(_ mask: LabelVolume, bounds: VoxelBounds, classOfValue: [UInt16], work: WorkContext) throws(Cancelled)
  {
    precondition(classOfValue.count == 65536, "\(classOfValue.count) classes")
    let box = bounds.size
    let size = mask.grid.size
    var starts = [Int](repeating: 0, count: box.j * box.k + 1)
    var runs: [LabelRun] = []
    try mask.voxels.withUnsafeBufferPointer { voxels throws(Cancelled) in
      let voxels = SharedBuffer(UnsafeBufferPointer(rebasing: voxels[size.offset(bounds.lower)...]))
      @Sendable func row(_ row: Int) -> UnsafePointer<UInt16> {
        voxels.start + (row / box.j * size.j + row % box.j) * size.i
      }
      try classOfValue.withUnsafeBufferPointer { classes throws(Cancelled) in
        let classes = SharedBuffer(classes)
        try starts.withUnsafeMutableBufferPointer { starts throws(Cancelled) in
          let starts = DisjointBuffer(starts)
          try work.forEach(count: box.j * box.k, grain: 64) { index, _ in
            starts[index + 1] = LabelRuns.scan(row(index), box.i, classes.start, nil, 0)
          }
          for index in 0..<box.j * box.k { starts[index + 1] += starts[index] }
        }
        runs = try [LabelRun](
          checkedRepeating: LabelRun(label: 0, first: 0, last: 0), count: starts[box.j * box.k])
        let shared = starts
        try runs.withUnsafeMutableBufferPointer { runs throws(Cancelled) in
          let runs = DisjointBuffer(runs)
          try work.forEach(count: box.j * box.k, grain: 64) { index, _ in
            if shared[index] < shared[index + 1] {
              _ = LabelRuns.scan(
                row(index), box.i, classes.start, runs.start + shared[index], Int32(bounds.lower.i))
            }
          }
        }
      }
    }
    self.bounds = bounds
    self.runs = runs
    rowStart = starts
  }

  /// Counts the runs of one row and writes them where `output` is given.
  private static func scan(
    _ row: UnsafePointer<UInt16>, _ count: Int, _ classes: UnsafePointer<UInt16>,
    _ output: UnsafeMutablePointer<LabelRun>?, _ firstI: Int32
  ) -> Int {
    var found = 0
    var i = 0
    while i < count {
      let value = row[i]
      var end = i + 1
      while end < count, row[end] == value { end += 1 }
      // Different values may share a class, and then a run.
      let label = classes[Int(value)]
      while end < count, classes[Int(row[end])] == label { end += 1 }
      if label != 0 {
        output?[found] = LabelRun(label: label, first: firstI + Int32(i), last: firstI + Int32(end - 1))
        found += 1
      }
      i = end
    }
    return found
  }

  /// The row of a run, as j and k of the whole grid.
  func row(_ index: Int) -> (j: Int, k: Int) {
    (bounds.lower.j + index % bounds.size.j, bounds.lower.k + index / bounds.size.j)
  }
}
