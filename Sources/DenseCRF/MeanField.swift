import Work

/// A way to compute the mean field's iterations.
protocol MeanField: Sendable {
  /// Bytes that ``run(wantsMarginals:work:)`` allocates at most; nil where they overflow an `Int`.
  func byteCount(wantsMarginals: Bool, workers: Int) -> Int?
  /// Voxels times the classes that an iteration computes in them.
  var computedVoxelClasses: Int { get }
  func run(wantsMarginals: Bool, work: WorkContext) throws(Cancelled) -> MeanFieldResult
}
