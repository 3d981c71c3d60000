/// The measures of one structure of one case that enter every mean, over cases or over structures.
///
/// - Both masks have the structure: its measures.
/// - Only one of them has it, it is missed: Dice 0, VOE 100 %, RVD 100 or -100 %, every distance the diagonal of the
///   image, SLIVER07 0. So no mask gains in any mean by losing a structure.
/// - Neither has it: the structure is correctly absent, and the case counts in no mean of this structure.
package struct CountedMeasures: Hashable, Sendable {
  /// Dice, 0...1.
  package let dice: Double
  /// Volumetric overlap error (VOE) in percent.
  package let volumetricOverlapErrorPercent: Double
  /// Relative volume difference (RVD) in percent.
  package let relativeVolumeDifferencePercent: Double
  /// Average symmetric surface distance (ASSD) in millimetres.
  package let averageMillimetres: Double
  /// Root mean square surface distance (RMSD) in millimetres.
  package let rootMeanSquareMillimetres: Double
  /// Hausdorff distance (maximum surface distance) in millimetres.
  package let maximumMillimetres: Double
  /// 95th percentile of the surface distances (HD95) in millimetres.
  package let percentile95Millimetres: Double
  package let sliver07: SLIVER07Scores
  /// The structure's term of the HVSMR score.
  package let hvsmrTerm: Double

  /// The measures of a comparison in means; nil where neither mask has the structure.
  package init?(_ comparison: StructureComparison) {
    guard comparison.foundIn != .neither else { return nil }
    let overlap = comparison.overlap
    dice = overlap.dice
    volumetricOverlapErrorPercent = overlap.volumetricOverlapErrorPercent
    if let distances = comparison.distances, let difference = overlap.relativeVolumeDifferencePercent {
      relativeVolumeDifferencePercent = difference
      averageMillimetres = distances.averageMillimetres
      rootMeanSquareMillimetres = distances.rootMeanSquareMillimetres
      maximumMillimetres = distances.maximumMillimetres
      percentile95Millimetres = distances.percentile95Millimetres
      sliver07 = SLIVER07Scores(
        overlapErrorPercent: overlap.volumetricOverlapErrorPercent, volumeDifferencePercent: difference,
        averageMillimetres: distances.averageMillimetres,
        rootMeanSquareMillimetres: distances.rootMeanSquareMillimetres,
        maximumMillimetres: distances.maximumMillimetres)
    } else {
      let diagonal = comparison.diagonalMillimetres
      relativeVolumeDifferencePercent = comparison.foundIn == .reference ? -100 : 100
      averageMillimetres = diagonal
      rootMeanSquareMillimetres = diagonal
      maximumMillimetres = diagonal
      percentile95Millimetres = diagonal
      sliver07 = .missed
    }
    hvsmrTerm = HVSMRScore.term(
      dice: dice, averageMillimetres: averageMillimetres, maximumMillimetres: maximumMillimetres)
  }
}

extension StructureComparison {
  /// The masks, of two, that have a structure.
  package enum Presence: String, Hashable, Sendable, Codable {
    case both, reference, other, neither
  }

  /// The masks that have this structure.
  package var foundIn: Presence {
    switch (overlap.referenceVoxelCount > 0, overlap.otherVoxelCount > 0) {
    case (true, true): .both
    case (true, false): .reference
    case (false, true): .other
    case (false, false): .neither
    }
  }

  /// Whether only one of the two masks has it.
  package var isMissed: Bool { foundIn == .reference || foundIn == .other }

  /// The surface Dice: 0 where only one mask has the structure, because no border agrees; nil where neither has it.
  package var surfaceDice: Double? { distances?.surfaceDice ?? (isMissed ? 0 : nil) }
}
