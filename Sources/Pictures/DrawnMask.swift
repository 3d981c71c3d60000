import Volumes
import Work

/// A mask to draw over pictures, with the size and position of each label.
package struct DrawnMask: Sendable {
  /// The name in legends: "A nnunet".
  package let name: String
  private let labels: ChunkedLabels
  private let statistics: [LabelStatistics]
  /// Every label with a voxel by descending size, equal sizes by ascending value.
  package let labelsBySize: [Label]

  /// A mask with the names of its labels; labels without a name get one from their value, such as "label 3".
  /// - Parameter values: Only these labels are shown; nil shows all.
  /// - Throws: `Cancelled`.
  /// - Complexity: As `LabelComponents`.
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

  /// A voxel of the largest label, near its middle; nil without a label.
  package var centre: VoxelIndex? {
    labelsBySize.first.flatMap { statistics.ascending($0.value, by: \.label) }?.centre
  }

  /// The smallest box that holds every label; nil where there is none.
  package var bounds: VoxelBounds? {
    statistics.map(\.bounds).reduce(nil) { box, part in box?.union(part) ?? part }
  }

  /// The labels in their colours; where several labels lie in one pixel, the smallest is drawn.
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

  /// The values of one structure in two masks; empty for a mask without it.
  package typealias Structure = (a: [UInt16], b: [UInt16])

  /// The difference of two masks on one grid, and a voxel at which it can be seen.
  ///
  /// A structure that only one mask has is a difference, as in the review. Where the masks have no structure in
  /// common, all labels count as one structure.
  /// - Returns: The overlay, and the middle of the largest connected component of differing voxels; nil where the masks
  ///   agree.
  /// - Throws: `InputError` where memory does not hold the components; `Cancelled`.
  package static func difference(
    _ a: DrawnMask, _ b: DrawnMask, structures: [Structure], work: WorkContext
  ) throws -> (overlay: MaskOverlay, centre: VoxelIndex?) {
    var (rankedA, rankedB): ([UInt16: UInt16], [UInt16: UInt16]) = ([:], [:])
    let hasCommon = structures.contains { !$0.a.isEmpty && !$0.b.isEmpty }
    for (position, structure) in structures.enumerated() {
      let rank = hasCommon ? UInt16(position + 1) : 1
      for value in structure.a { rankedA[value] = rank }
      for value in structure.b { rankedB[value] = rank }
    }
    let (ranksA, ranksB) = (a.ranks(rankedA), b.ranks(rankedB))
    let components = try ComponentList(
      a.labels, b.labels, classes: (ranksA.ranks, ranksB.ranks), limit: 1, keepsVoxels: false,
      subject: "where \(a.name) and \(b.name) differ", work: work)
    let axis = a.labels.grid.orientation.sliceAxis(of: .axial)
    return (
      .difference(a.labels, ranksA, b.labels, ranksB), components.entries.first?.centre(across: axis)
    )
  }
}
