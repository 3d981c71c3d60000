import Work

/// What formats say of segments that share voxels, which no mask can hold together.
enum SegmentOverlap {
  /// Of segments in several layers.
  static let ofLayers = "its segments overlap"
  /// Of segments without layers.
  static let ofSegments = "has overlapping segments, and a voxel of a mask can have only one label"
}

extension Finding {
  /// The finding about a segmentation that its segments overlap, with the names of the pairs; nil for any other error.
  ///
  /// - Parameter error: The one with which the segmentation is refused as a mask.
  package init?(ofOverlap error: InputError) {
    guard [SegmentOverlap.ofLayers, SegmentOverlap.ofSegments].contains(error.problem) else { return nil }
    let options = error.problem == SegmentOverlap.ofLayers ? "--segment NAME or --layer N" : "--segment NAME"
    self.init(
      "its segments overlap (\(error.found ?? ""))",
      repair: "no mask can hold all of them; \(options) reads some")
  }
}
