import Work

/// One image's intensities as whole numbers: clipped to a range and rounded to evenly spaced levels.
///
/// Levels are no more than 0.02 θβ apart, or one unit where the image has only whole numbers and they are fewer.
struct IntensityLevels: Sendable {
  /// Intensities at level 0 and at the last level.
  let lower, upper: Float
  /// Levels, at least 1.
  let count: Int
  /// Distance of two levels in units of θβ.
  let spacing: Double

  private static let minimumExtent = 1e-30

  /// Levels per unit of intensity.
  var perUnit: Float { count > 1 ? Float(count - 1) / (upper - lower) : 0 }

  /// The levels of `image`; nil where 16 bits do not count them.
  init?(_ image: ComparedImage, thetaBeta: Double) {
    lower = image.range.lowerBound
    upper = image.range.upperBound
    let extent = Double(upper) - Double(lower)
    let needed = (extent / (0.02 * thetaBeta)).rounded(.up)
    let steps = image.isWhole ? min(extent, needed) : needed
    guard steps < 65_536 else { return nil }
    // So narrow a range is one level: its reciprocal is not a 32-bit float.
    count = extent < Self.minimumExtent ? 1 : Int(saturating: steps) + 1
    spacing = count > 1 ? extent / Double(count - 1) / thetaBeta : 0
  }

  /// The kernel of every distance of two levels.
  func kernel() -> [Double] { (0..<count).map { gaussian(Double($0) * spacing) } }

  func level(_ intensity: Float) -> Int {
    Int(saturating: (min(max(intensity, lower), upper) - lower) * perUnit + 0.5)
  }
}
