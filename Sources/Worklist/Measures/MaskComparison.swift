import Metrics
import Volumes
import Work

/// The labels of a mask compared with those of another, matched as `segdeck compare` matches them unless a reader paired
/// them.
struct MaskComparison {
  private var structures: [UInt16: MatchedStructure] = [:]
  private let extents: LabelExtents
  /// Labels that only the other mask has.
  private(set) var absent: [CaseMeasures.LabelMeasures] = []
  /// For the code of a label, the label of the other mask that overlaps it most, where it is compared with another
  /// label.
  private(set) var contradictions: [UInt16: CaseMeasures.Contradiction] = [:]

  /// - Parameter pairings: The pairings of both masks' labels that readers chose.
  init(
    _ mask: LabelVolume, _ names: LabelTable?, _ codes: [UInt16], with other: LabelVolume,
    _ otherNames: LabelTable?, pairings: CasePairings, work: WorkContext
  ) throws(Cancelled) {
    extents = try LabelExtents(reference: mask, other: other, work: work)
    let coding = mask.coding
    let overlaps = LabelOverlaps(extents)
    let otherCodes = overlaps.otherVoxelCounts.keys.sorted()
    let partners = pairings.partners(names, otherNames, overlaps: overlaps, coding: coding)
    var declared: [UInt16: UInt16] = [:]
    for structure in MatchedStructure.matches(
      reference: codes, referenceNames: names, other: otherCodes, otherNames: otherNames,
      partners: partners?.codes, coding: coding)
    {
      for code in structure.referenceValues { structures[code] = structure }
      if let code = structure.otherValues.first, structure.referenceValues.isEmpty {
        absent.append(
          CaseMeasures.LabelMeasures(
            value: coding.value(of: code), name: structure.name, millilitres: 0, componentCount: 0, dice: 0,
            otherMillilitres: Double(extents.overlap(of: structure).otherVoxelCount) * mask.grid.voxelVolume
              / 1000))
      } else if let one = structure.referenceValues.first, let two = structure.otherValues.first {
        declared[one] = two
      }
    }
    // The reader saw which overlaps contradict the names and values that were kept.
    if let partners, partners.areKept { return }
    let tables = (
      (names ?? LabelTable()).completed(for: codes, coding: coding),
      (otherNames ?? LabelTable()).completed(for: otherCodes, coding: coding)
    )
    let matching = LabelMatching(
      reference: tables.0, other: tables.1, declared: declared, overlaps: overlaps)
    for pair in overlaps.pairs
    // A label that a reader left without a partner is compared with nothing on purpose.
    where (partners?.codes[pair.reference] != nil || partners == nil)
      && matching.proposed[pair.reference] == pair.other
      && structures[pair.reference]?.otherValues.contains(pair.other) != true
    {
      contradictions[pair.reference] = CaseMeasures.Contradiction(
        name: tables.1[pair.other]?.name ?? coding.name(of: pair.other), dice: pair.dice)
    }
  }

  func name(_ code: UInt16) -> String? { structures[code]?.name }

  /// The voxels of the label's structure in the other mask; nil for an unknown label.
  func otherVoxelCount(_ code: UInt16) -> Int? {
    structures[code].map { extents.overlap(of: $0).otherVoxelCount }
  }

  func dice(_ code: UInt16) -> Double? { structures[code].map { extents.overlap(of: $0).dice } }
}
