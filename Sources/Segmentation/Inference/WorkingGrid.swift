/// The grid on which a network runs.
package enum WorkingGrid: String, Hashable, Sendable, CaseIterable {
  /// The model's spacing, on which it was trained.
  case model
  /// The image's own grid, without resampling, for images of the model's spacing.
  case image
}
