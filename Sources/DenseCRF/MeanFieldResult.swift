package struct MeanFieldResult: Equatable, Sendable {
  /// The most probable class of each voxel, the lowest of equals.
  package var labels: [UInt8]
  /// Marginal probabilities, class slowest; nil where they were not requested.
  package var marginals: [Float]?

  /// A result of `labels` and `marginals`.
  package init(labels: [UInt8], marginals: [Float]? = nil) {
    self.labels = labels
    self.marginals = marginals
  }
}
