/// The five measures of SLIVER07 as scores: 100 is perfect, 75 what a second human reader reaches, 0 the worst.
///
/// Each is max(0, 100 - 25 e / e_ref), with e_ref = 6.4 %, 4.7 %, 1.0 mm, 1.8 mm, 19 mm (Heimann et al. 2009).
package struct SLIVER07Scores: Hashable, Sendable {
  /// Score of the volumetric overlap error.
  package let overlapError: Double
  /// Score of the relative volume difference, whose sign does not count.
  package let volumeDifference: Double
  /// Score of the average symmetric surface distance.
  package let averageDistance: Double
  /// Score of the root-mean-square symmetric surface distance.
  package let rootMeanSquareDistance: Double
  /// Score of the maximum symmetric surface distance.
  package let maximumDistance: Double

  /// The case's score: the mean of the five.
  package var total: Double {
    (overlapError + volumeDifference + averageDistance + rootMeanSquareDistance + maximumDistance) / 5
  }

  /// The scores of these errors, in percent and millimetres.
  package init(
    overlapErrorPercent: Double, volumeDifferencePercent: Double, averageMillimetres: Double,
    rootMeanSquareMillimetres: Double, maximumMillimetres: Double
  ) {
    func score(_ error: Double, secondReader: Double) -> Double { max(0, 100 - 25 * error / secondReader) }
    overlapError = score(overlapErrorPercent, secondReader: 6.4)
    volumeDifference = score(abs(volumeDifferencePercent), secondReader: 4.7)
    averageDistance = score(averageMillimetres, secondReader: 1)
    rootMeanSquareDistance = score(rootMeanSquareMillimetres, secondReader: 1.8)
    maximumDistance = score(maximumMillimetres, secondReader: 19)
  }

  /// The scores of one structure of one case; nil when a measure is undefined because one version of it is empty.
  package init?(_ comparison: StructureComparison) {
    guard comparison.foundIn == .both, let counted = CountedMeasures(comparison) else { return nil }
    self = counted.sliver07
  }

  /// The scores of a missed structure: 0.
  static let missed = SLIVER07Scores(
    overlapErrorPercent: .infinity, volumeDifferencePercent: .infinity, averageMillimetres: .infinity,
    rootMeanSquareMillimetres: .infinity, maximumMillimetres: .infinity)
}

/// The score of HVSMR 2016, a sum over the structures of a case (there blood pool and myocardium).
package enum HVSMRScore {
  /// The term of one structure: 0.5 Dice - 0.25 average distance - maximum distance / 30, distances in millimetres.
  ///
  /// The challenge prints the last factor as 0.03; only 1/30 gives the published scores.
  package static func term(dice: Double, averageMillimetres: Double, maximumMillimetres: Double) -> Double {
    0.5 * dice - 0.25 * averageMillimetres - maximumMillimetres / 30
  }

  /// The score of a case; nil when a structure has none because one version of it is empty, or there are no structures.
  package static func overall(_ structures: [StructureComparison]) -> Double? {
    let terms = structures.compactMap(\.hvsmrTerm)
    return terms.isEmpty || terms.count < structures.count ? nil : terms.reduce(0, +)
  }

  /// The score of a case in a mean: missed structures as ``CountedMeasures`` has it; nil when neither mask has one of
  /// the structures, or there are no structures.
  package static func counted(_ structures: [StructureComparison]) -> Double? {
    let terms = structures.compactMap { CountedMeasures($0)?.hvsmrTerm }
    return terms.isEmpty || terms.count < structures.count ? nil : terms.reduce(0, +)
  }
}
