/// Something in a file that is not as it should be, and how it was read all the same.
package struct Finding: Hashable, Sendable, Codable, CustomStringConvertible {
  /// What is wrong: "scl_slope is nan".
  package var problem: String
  /// What was done about it: "voxels are not scaled".
  package var repair: String

  /// A finding.
  package init(_ problem: String, repair: String) {
    self.problem = problem
    self.repair = repair
  }

  /// "scl_slope is nan; voxels are not scaled".
  package var description: String { "\(problem); \(repair)" }
}
