/// The grid on which a network looks at an image.
package enum WorkingGrid: String, Hashable, Sendable, CaseIterable {
  /// The model's spacing: what it was trained on.
  case model
  /// The image's own voxels, without resampling, for models whose spacing the image has.
  case image
}
