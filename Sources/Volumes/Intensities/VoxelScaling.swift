/// The scaling of stored numbers (`scl_slope`, `scl_inter`): value = slope · stored + intercept.
package struct VoxelScaling: Hashable, Sendable, Codable {
  /// Factor, finite and not 0.
  package var slope: Double
  /// Value of a stored 0, finite.
  package var intercept: Double

  /// A scaling; without arguments values are the stored numbers.
  package init(slope: Double = 1, intercept: Double = 0) {
    self.slope = slope
    self.intercept = intercept
  }

  /// Whether values are the stored numbers.
  package var isIdentity: Bool { slope == 1 && intercept == 0 }

  /// The value of a stored number as the nearest 32-bit float.
  @inline(__always)
  package func value(_ stored: Double) -> Float { Float(slope * stored + intercept) }
}
