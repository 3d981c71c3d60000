/// What a refinement found.
package struct MeanFieldResult: Equatable, Sendable {
  /// The most probable class of each voxel, the lowest of equals.
  package var labels: [UInt8]
  /// Probabilities, class slowest, where they were asked for.
  package var marginals: [Float]?

  /// A result.
  package init(labels: [UInt8], marginals: [Float]? = nil) {
    self.labels = labels
    self.marginals = marginals
  }
}
