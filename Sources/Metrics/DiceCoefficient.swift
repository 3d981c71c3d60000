/// The Dice coefficient 2|A∩B| / (|A| + |B|) from sizes in one unit of volume; 1 when both are empty.
package func diceCoefficient(_ one: Double, _ other: Double, common: Double) -> Double {
  one + other == 0 ? 1 : 2 * common / (one + other)
}

/// The Dice coefficient from counts of voxels.
package func diceCoefficient(_ one: Int, _ other: Int, common: Int) -> Double {
  diceCoefficient(Double(one), Double(other), common: Double(common))
}
