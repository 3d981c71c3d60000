/// Scores of segmentation challenges.
package enum ChallengeScores {
  /// The score of one liver by SLIVER07 (Heimann 2009), 0...100, where 75 is what a second human reader reaches.
  ///
  /// The mean over VOE, |RVD|, ASSD, RMSD and maximum distance of max(0, 100 - 25 e / e_ref), with
  /// e_ref = 6.4 %, 4.7 %, 1.0 mm, 1.8 mm, 19 mm.
  ///
  /// - Returns: nil when a measure is undefined because one structure is empty.
  package static func sliver07(_ overlap: OverlapMeasures, _ distances: SurfaceDistanceMeasures?) -> Double? {
    guard let distances, let volumeDifference = overlap.relativeVolumeDifferencePercent else { return nil }
    let errors = [
      overlap.volumetricOverlapErrorPercent / 6.4, abs(volumeDifference) / 4.7, distances.averageMillimetres,
      distances.rootMeanSquareMillimetres / 1.8, distances.maximumMillimetres / 19,
    ]
    return errors.map { max(0, 100 - 25 * $0) }.reduce(0, +) / Double(errors.count)
  }

  /// What one structure adds to the score of HVSMR 2016, which is the sum over blood pool and myocardium.
  ///
  /// 0.5 Dice - 0.25 ASSD - maximum distance / 30, distances in millimetres.
  /// The challenge prints the last factor as 0.03; only 1/30 gives the published scores.
  package static func hvsmr(dice: Double, averageMillimetres: Double, maximumMillimetres: Double) -> Double {
    0.5 * dice - 0.25 * averageMillimetres - maximumMillimetres / 30
  }
}
