import Metrics
import Volumes
import Work

/// The distances between the borders of A and B, label by label.
package struct SurfaceDistances: Equatable, Sendable {
  /// The borders of one pair of labels.
  package struct Row: Equatable, Sendable {
    /// The position of the pair in the request.
    package var pair: Int
    package var measures: SurfaceDistanceMeasures
    /// The border voxel that is furthest from the other border; the reference is A.
    package var furthest: BorderVoxel
  }

  /// Border voxels within this distance agree in the surface Dice: the tolerance of `segdeck compare`.
  package static let toleranceMillimetres = 2.0

  /// The versions and pairs of labels that are measured.
  package let request: SpatialComparisonRequest
  /// The pairs that were measured so far and have voxels in both versions, ascending by pair.
  package private(set) var rows: [Row] = []
  /// The rows by descending maximum distance; rows with equal distances in the order of the pairs.
  package private(set) var worstFirst: [Row] = []
  /// The pairs that are still to be measured, the next one first.
  package private(set) var remaining: [Int]
  /// The reason why the remaining pairs could not be measured, in one line; nil where they can be.
  package var failure: String?

  /// Nothing measured yet.
  ///
  /// - Parameter first: The pair to begin with; nil for the first.
  init(_ request: SpatialComparisonRequest, first: Int?) {
    self.request = request
    // A label that one version does not have has no border there.
    let pairs = request.pairs.indices.filter {
      request.pairs[$0].valueA != nil && request.pairs[$0].valueB != nil && request.boxes[$0] != nil
    }
    remaining = pairs.filter { $0 == first } + pairs.filter { $0 != first }
  }

  /// The row of a label of A, or of B; nil where it is not measured yet, or has no voxel in one of them.
  package func row(of value: UInt16, inA: Bool) -> Row? {
    rows.first { value == (inA ? request.pairs[$0.pair].valueA : request.pairs[$0.pair].valueB) }
  }

  /// Measures remaining pairs until `seconds` are over, at least one pair.
  /// - Throws: `Cancelled`.
  /// - Complexity: O(voxels of the box around both versions of a label) for each, and about 14 bytes for each of them;
  ///   on sheared grids O(n log n) for n border voxels.
  package mutating func measure(for seconds: Double, _ work: WorkContext) throws(Cancelled) {
    let end = ContinuousClock.now + .seconds(seconds)
    var found = rows
    var count = 0
    while count < remaining.count, count == 0 || ContinuousClock.now < end {
      if let row = try measured(remaining[count], work) { found.append(row) }
      count += 1
    }
    // One removal instead of one for each pair, because a mask may have thousands of labels.
    remaining.removeFirst(count)
    rows = found.sorted { $0.pair < $1.pair }
    worstFirst = found.sorted {
      (-$0.furthest.distanceMillimetres, $0.pair) < (-$1.furthest.distanceMillimetres, $1.pair)
    }
  }

  private func measured(_ pair: Int, _ work: WorkContext) throws(Cancelled) -> Row? {
    guard let b = request.b, let box = request.boxes[pair], let valueA = request.pairs[pair].valueA,
      let valueB = request.pairs[pair].valueB
    else { return nil }
    // Both labels lie within the box, so a crop to it keeps their borders.
    try AvailableMemory.requireAllocation(2 * box.size.voxelCount * MemoryLayout<UInt16>.stride)
    let comparison = try StructureComparison(
      MatchedStructure(name: "", referenceValues: [valueA], otherValues: [valueB]),
      reference: request.a.volume(croppedTo: box), other: b.volume(croppedTo: box),
      toleranceMillimetres: SurfaceDistances.toleranceMillimetres, work: work.withoutProgress)
    guard let measures = comparison.distances, var furthest = comparison.furthest else { return nil }
    furthest.index = furthest.index + box.lower
    return Row(pair: pair, measures: measures, furthest: furthest)
  }
}
