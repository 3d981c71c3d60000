import Volumes
import Work

/// A mask that pictures show: its labels, and how much there is of each and where.
package struct DrawnMask: Sendable {
  /// The name in legends: "A nnunet".
  package let name: String
  private let labels: ChunkedLabels
  private let statistics: [LabelStatistics]
  /// Every label that occurs, the largest first, of equal ones the one with the lower value.
  package let labelsBySize: [Label]

  /// A mask with the names of its labels; labels without one are called after their values.
  /// - Parameter values: Only these labels are shown; nil shows all.
  /// - Throws: `Cancelled`.
  /// - Complexity: As of `LabelComponents`.
  package init(
    _ mask: LabelVolume, name: String, names: LabelTable?, only values: Set<UInt16>? = nil, work: WorkContext
  ) throws(Cancelled) {
    self.name = name
    labels = ChunkedLabels(mask)
    statistics = try LabelComponents(labels, work: work).statistics.filter {
      values?.contains($0.label) ?? true
    }
    let table = (names ?? LabelTable()).completed(for: statistics.map(\.label), coding: mask.coding)
    labelsBySize = statistics.sorted { ($1.voxelCount, $0.label) < ($0.voxelCount, $1.label) }
      .compactMap { table[$0.label] }
  }

  /// A voxel in the middle of its largest label; nil without a label.
  package var centre: VoxelIndex? {
    labelsBySize.first.flatMap { statistics.ascending($0.value, by: \.label) }?.centre
  }

  /// The smallest box that holds every label; nil where there is none.
  package var bounds: VoxelBounds? {
    statistics.map(\.bounds).reduce(nil) { box, part in box?.union(part) ?? part }
  }

  /// Its labels in their colours, of two in one pixel the smaller.
  package func overlay(_ style: MaskOverlay.Style) -> MaskOverlay {
    let ranked = Dictionary(
      uniqueKeysWithValues: labelsBySize.enumerated().map { ($1.value, UInt16($0 + 1)) })
    return .labels(labels, ranks(ranked), colours: labelsBySize.map(\.colour), style)
  }

  private func ranks(_ ranked: [UInt16: UInt16]) -> LabelRanks {
    var ranks = LabelRanks()
    for (value, rank) in ranked {
      ranks.give(rank, to: value, bounds: statistics.ascending(value, by: \.label)?.bounds)
    }
    return ranks
  }

  /// Values that are one structure in two masks; empty for a mask that does not know it.
  package typealias Structure = (a: [UInt16], b: [UInt16])

  /// The difference of two masks on one grid, and a voxel to look at it.
  ///
  /// Structures that only one mask knows are no difference, as in the review. Where the masks have none in common, all
  /// labels are one structure.
  /// - Returns: The overlay, and the middle of the largest connected place where they differ; nil where they agree.
  /// - Throws: `InputError` where memory does not hold the places; `Cancelled`.
  package static func difference(
    _ a: DrawnMask, _ b: DrawnMask, structures: [Structure], work: WorkContext
  ) throws -> (overlay: MaskOverlay, centre: VoxelIndex?) {
    var (rankedA, rankedB): ([UInt16: UInt16], [UInt16: UInt16]) = ([:], [:])
    let common = structures.filter { !$0.a.isEmpty && !$0.b.isEmpty }
    for (position, structure) in (common.isEmpty ? structures : common).enumerated() {
      let rank = common.isEmpty ? 1 : UInt16(position + 1)
      for value in structure.a { rankedA[value] = rank }
      for value in structure.b { rankedB[value] = rank }
    }
    let (ranksA, ranksB) = (a.ranks(rankedA), b.ranks(rankedB))
    let places = try ComponentList(
      a.labels, b.labels, classes: (ranksA.ranks, ranksB.ranks), limit: 1, keepsVoxels: false,
      subject: "where \(a.name) and \(b.name) differ", work: work)
    let axis = a.labels.grid.orientation.sliceAxis(of: .axial)
    return (
      .difference(a.labels, ranksA, b.labels, ranksB), places.entries.first?.centre(across: axis)
    )
  }
}
