/// The assumption that an image is CT.
package enum HounsfieldUnits {
  /// Whether intensities from `smallest` to `largest` are assumed to be Hounsfield units: fat or air, and tissue.
  ///
  /// The ends may be those of all voxels, or percentiles that leave outliers out.
  package static func areLikely(smallest: Double, largest: Double) -> Bool {
    smallest <= -100 && largest >= 50 && largest <= 20_000
  }
}
