import Work

/// The voxels whose labels differ between two masks on one grid.
package struct LabelDifference: Equatable, Sendable {
  /// Voxels that differ.
  package private(set) var voxelCount = 0
  /// The number of connected regions (26 neighbours) that they make.
  package private(set) var regionCount = 0
  /// For each label of the first mask, the voxels that have it there and not in the second; none for labels that lose
  /// nothing.
  package private(set) var lost: [UInt16: Int] = [:]

  private static let everyLabel = (0...65535).map { UInt16($0) }

  /// Compares two masks.
  /// - Throws: `InputError` where memory does not hold the rows of voxels that differ; `Cancelled`.
  /// - Complexity: O(chunks + voxels of the chunks that differ), in parallel.
  package init(from one: ChunkedLabels, to other: ChunkedLabels, work: WorkContext) throws {
    let classes = (one: Self.everyLabel, other: Self.everyLabel)
    guard
      let found = try DifferingRuns(one, other, classes: classes, subject: "comparison", work: work)
    else { return }
    // Runs of different pairs that touch are one run of voxels that differ.
    var runs: [LabelRun] = []
    runs.reserveCapacity(found.runs.runs.count)
    var rowStart = [0]
    rowStart.reserveCapacity(found.runs.rowStart.count)
    var lengths = [Int](repeating: 0, count: found.pairs.count)
    for row in 0..<found.runs.rowStart.count - 1 {
      for run in found.runs.runs[found.runs.rowStart[row]..<found.runs.rowStart[row + 1]] {
        let length = Int(run.last - run.first) + 1
        lengths[Int(run.label) - 1] += length
        if runs.count > rowStart[row], runs[runs.count - 1].last + 1 == run.first {
          runs[runs.count - 1].last = run.last
        } else {
          runs.append(LabelRun(label: 1, first: run.first, last: run.last))
        }
      }
      rowStart.append(runs.count)
    }
    voxelCount = lengths.reduce(0, +)
    for (pair, length) in zip(found.pairs, lengths) { lost[pair.one, default: 0] += length }
    let merged = LabelRuns(bounds: found.runs.bounds, runs: runs, rowStart: rowStart)
    regionCount = try ConnectedComponents(merged, on: one.grid, neighbourhood: .corners, work: work)
      .components.count
  }
}
