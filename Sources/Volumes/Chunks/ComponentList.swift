import Work

/// The connected components (26-connectivity) of the voxels whose classes in two masks differ, the largest first.
///
/// Voxels of different pairs of classes are never connected. Without a second mask they are the components of each
/// class of the first.
package struct ComponentList: Equatable, Sendable {
  package struct Entry: Hashable, Sendable {
    /// The component's class in the first mask and in the other; 0 is background.
    package let classInOne, classInOther: UInt16
    package let voxelCount: Int
    /// The smallest box that holds it.
    package let bounds: VoxelBounds
    /// The representative voxel for slices across each axis; see ``centre(across:)``.
    fileprivate let centres: [VoxelIndex]

    /// The representative voxel: in the slice across an axis with the most voxels (the first of equal ones), the voxel
    /// nearest to the mean of those.
    package func centre(across axis: Int) -> VoxelIndex { centres.count == 1 ? centres[0] : centres[axis] }
  }

  /// Voxels of one component in a row.
  private struct Run: Equatable, Sendable {
    var first, last, j, k: Int32
  }

  /// The largest components, at most as many as were asked for; the first in memory among equal ones.
  package let entries: [Entry]
  /// The number of all components, listed or not.
  package let count: Int
  /// The runs of each entry, if they are kept, and where those of each begin.
  private let runs: [Run]
  private let starts: [Int]

  /// Finds the components.
  ///
  /// - Parameters:
  ///   - other: The other mask, on the same grid; nil for one that is background everywhere.
  ///   - classes: The class of each of the 65536 labels in the one mask and in the other; 0 for labels that count as
  ///     background.
  ///   - limit: The maximum number of listed components.
  ///   - keepsVoxels: Whether the voxels of the listed components are kept: 16 bytes for each run along i.
  ///   - subject: What the error names.
  /// - Throws: `InputError` where memory does not hold the runs, 24 bytes for each, before they are allocated;
  ///   `Cancelled`.
  /// - Complexity: O(chunks + voxels of the chunks that may differ), in parallel, and near O(runs + differing voxels).
  package init(
    _ one: ChunkedLabels, _ other: ChunkedLabels?, classes: (one: [UInt16], other: [UInt16]), limit: Int,
    keepsVoxels: Bool, subject: String, work: WorkContext
  ) throws {
    guard
      let differing = try DifferingRuns(
        one, other, classes: classes, subject: subject, work: work.part(0...0.5))
    else {
      (entries, count, runs, starts) = ([], 0, [], [0])
      return
    }
    let found = try ConnectedComponents(
      differing.runs, on: one.grid, neighbourhood: .corners, work: work.part(0.5...0.7))
    count = found.components.count
    let order = found.components.indices.sorted {
      (found.components[$1].voxelCount, $0) < (found.components[$0].voxelCount, $1)
    }.prefix(max(0, limit))
    let grouped = try GroupedRuns(found, order: order)
    try work.checkCancellation()
    var entries: [Entry] = []
    entries.reserveCapacity(order.count)
    for (rank, number) in order.enumerated() {
      if rank & 63 == 0 { try work.checkCancellation() }
      let component = found.components[number]
      let pair = differing.pairs[Int(component.label) - 1]
      entries.append(
        Entry(
          classInOne: pair.one, classInOther: pair.other, voxelCount: component.voxelCount,
          bounds: component.bounds,
          centres: grouped.centres(of: rank, component.bounds, differing.runs, spacing: one.grid.spacing)))
    }
    self.entries = entries
    (runs, starts) = keepsVoxels ? (grouped.runs, grouped.starts) : ([], [0])
    work.report(1)
  }

  /// The runs of components, those of each together.
  private struct GroupedRuns {
    let runs: [Run]
    let starts: [Int]

    /// Collects the runs of the components of `order`; counting sort, the order of memory within each.
    init(_ found: ConnectedComponents, order: ArraySlice<Int>) throws(Cancelled) {
      var rankOf = [Int32](repeating: -1, count: found.components.count)
      for (rank, number) in order.enumerated() { rankOf[number] = Int32(rank) }
      var starts = [Int](repeating: 0, count: order.count + 1)
      for number in found.componentOfRun where rankOf[Int(number)] >= 0 {
        starts[Int(rankOf[Int(number)]) + 1] += 1
      }
      for rank in order.indices { starts[rank + 1] += starts[rank] }
      var ends = starts
      var runs = try [Run](checkedRepeating: Run(first: 0, last: 0, j: 0, k: 0), count: starts[order.count])
      for row in 0..<found.runs.rowStart.count - 1 {
        let (j, k) = found.runs.row(row)
        for index in found.runs.rowStart[row]..<found.runs.rowStart[row + 1] {
          let rank = Int(rankOf[Int(found.componentOfRun[index])])
          guard rank >= 0 else { continue }
          let run = found.runs.runs[index]
          runs[ends[rank]] = Run(first: run.first, last: run.last, j: Int32(j), k: Int32(k))
          ends[rank] += 1
        }
      }
      (self.runs, self.starts) = (runs, starts)
    }

    /// See ``ComponentList/Entry/centre(across:)``: one voxel where all axes have the same.
    func centres(of rank: Int, _ bounds: VoxelBounds, _ all: LabelRuns, spacing: Spacing) -> [VoxelIndex] {
      if bounds.size.voxelCount == 1 { return [bounds.lower] }
      var slices = (0..<3).map {
        [CentreSearch.Slice](repeating: CentreSearch.Slice(), count: bounds.size[$0])
      }
      for run in runs[starts[rank]..<starts[rank + 1]] {
        let (first, j, k) = (Int(run.first), Int(run.j), Int(run.k))
        let count = Int(run.last) - first + 1
        let sum = SIMD3(count * first + count * (count - 1) / 2, count * j, count * k)
        slices[1][j - bounds.lower.j].count += count
        slices[1][j - bounds.lower.j].sum &+= sum
        slices[2][k - bounds.lower.k].count += count
        slices[2][k - bounds.lower.k].sum &+= sum
        for i in first..<first + count {
          slices[0][i - bounds.lower.i].count += 1
          slices[0][i - bounds.lower.i].sum &+= SIMD3(i, j, k)
        }
      }
      return (0..<3).map { axis in
        var search = CentreSearch(slices: slices[axis], first: bounds.lower[axis], axis: axis)
        search.choose()
        for run in runs[starts[rank]..<starts[rank + 1]] {
          search.consider(
            VoxelIndex(Int(run.first), Int(run.j), Int(run.k)), Int(run.last - run.first) + 1,
            spacing: spacing)
        }
        return search.nearest
      }
    }
  }

  // MARK: - Voxels

  /// The number of voxels of each entry that satisfy `isCounted` with their label in a mask on the same grid; the
  /// voxels must have been kept.
  /// - Throws: `Cancelled`.
  /// - Complexity: O(voxels of the entries).
  package func counts(
    in labels: ChunkedLabels, work: WorkContext, where isCounted: (UInt16) -> Bool
  ) throws(Cancelled) -> [Int] {
    var counts = [Int](repeating: 0, count: entries.count)
    for rank in entries.indices {
      if rank & 63 == 0 { try work.checkCancellation() }
      for run in runs[starts[rank]..<starts[rank + 1]] {
        labels.forEachChunk(from: Int(run.first), to: Int(run.last), Int(run.j), Int(run.k)) { row in
          switch row.chunk {
          case .uniform(let label): counts[rank] += isCounted(label) ? row.count : 0
          case .voxels(let voxels):
            counts[rank] += voxels[row.start..<row.start + row.count].count(where: isCounted)
          }
        }
      }
    }
    return counts
  }

  /// The mean of an image on the same grid over the voxels of each entry, which must have been kept.
  /// - Throws: `Cancelled`.
  /// - Complexity: O(voxels of the entries).
  package func means(in image: ScalarVolume, work: WorkContext) throws(Cancelled) -> [Double] {
    try image.voxels.run(EntryMeans(list: self, size: image.grid.size, work: work))
  }

  fileprivate func means<Number: StoredIntensity>(
    of values: StoredValues<Number>, size: GridSize, work: WorkContext
  ) throws(Cancelled) -> [Double] {
    var means = [Double](repeating: 0, count: entries.count)
    for rank in entries.indices {
      if rank & 63 == 0 { try work.checkCancellation() }
      for run in runs[starts[rank]..<starts[rank + 1]] {
        let first = size.offset(VoxelIndex(Int(run.first), Int(run.j), Int(run.k)))
        for offset in first...first + Int(run.last - run.first) { means[rank] += Double(values[offset]) }
      }
      means[rank] /= Double(max(1, entries[rank].voxelCount))
    }
    return means
  }

  /// A mask on the same grid with `label` in all voxels of some entries, which must have been kept.
  /// - Complexity: O(voxels of the entries + voxels of the chunks that change).
  package func setting(_ ranks: some Sequence<Int>, to label: UInt16, in labels: ChunkedLabels)
    -> ChunkedLabels
  {
    var rows: [ChunkedLabels.Row] = []
    for rank in ranks {
      for run in runs[starts[rank]..<starts[rank + 1]] {
        labels.forEachChunk(from: Int(run.first), to: Int(run.last), Int(run.j), Int(run.k)) {
          rows.append($0)
        }
      }
    }
    return labels.setting(rows, to: label)
  }
}

private struct EntryMeans: IntensityLoop {
  let list: ComponentList
  let size: GridSize
  let work: WorkContext

  func run<Number: StoredIntensity>(over values: StoredValues<Number>) throws(Cancelled) -> [Double] {
    try list.means(of: values, size: size, work: work)
  }
}

extension ChunkedLabels {
  /// Voxels along i that lie in one chunk.
  struct Row {
    /// The chunk, and its number.
    var chunk: Chunk
    var number: Int
    /// The offset of the first voxel within the chunk, and how many there are.
    var start, count: Int
  }

  /// Calls `body` with the parts of the voxels from i `first` to `last` of a row, one for each chunk.
  func forEachChunk(from first: Int, to last: Int, _ j: Int, _ k: Int, _ body: (Row) -> Void) {
    var i = first
    while i <= last {
      let number = chunkGrid.chunk(of: VoxelIndex(i, j, k))
      let box = chunkGrid.box(number)
      let end = min(last, box.upper.i)
      body(
        Row(
          chunk: chunks[number], number: number, start: box.size.offset(VoxelIndex(i, j, k) - box.lower),
          count: end - i + 1))
      i = end + 1
    }
  }
}
