import Volumes
import Work

/// An image along a model's axes with normalised intensities, computed slice by slice where they are needed.
struct NormalisedImage: Sendable {
  /// The image's grid, and the grid along the model's axes.
  let axes: ReorientedGrid
  private let voxels: IntensityVoxels
  private let transform: Preprocessing.IntensityTransform

  /// - Parameter transform: The normalisation of the image's intensities.
  init(_ image: ScalarVolume, axes: ReorientedGrid, transform: Preprocessing.IntensityTransform) {
    precondition(image.grid == axes.original, "an image of another grid")
    self.axes = axes
    voxels = image.voxels
    self.transform = transform
  }

  /// Writes slice k, i fastest.
  func writeSlice(_ k: Int, to target: UnsafeMutablePointer<Float>) {
    axes.reorientation.writeSlice(k, of: voxels, size: axes.original.size, to: target)
    for index in 0..<axes.grid.size.i * axes.grid.size.j { target[index] = transform(target[index]) }
  }
}
