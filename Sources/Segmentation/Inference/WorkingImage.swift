import Networks
import Tensors
import Volumes
import Work

/// An image as a network's input, plane by plane: along the model's axes, with normalised intensities, padded with
/// zeros to multiples of the total stride.
struct WorkingImage: Sendable {
  /// The grid of the planes, without padding.
  let grid: VolumeGrid
  /// Writes slice k, i fastest, without padding.
  private let writeSlice: @Sendable (_ k: Int, _ target: UnsafeMutablePointer<Float>) -> Void

  /// A preprocessed volume.
  init(_ prepared: ScalarVolume) {
    grid = prepared.grid
    writeSlice = { [voxels = prepared.voxels, size = prepared.grid.size] k, target in
      Reorientation.identity.writeSlice(k, of: voxels, size: size, to: target)
    }
  }

  /// An image on its own grid, preprocessed plane by plane without a second copy.
  /// - Throws: ``InputError`` when the model's orientation is invalid; ``Cancelled``.
  init(_ image: ScalarVolume, preprocessing: Preprocessing, work: WorkContext) throws {
    let axes = ReorientedGrid(image.grid, orientation: try preprocessing.parsedOrientation)
    grid = axes.grid
    let normalised = NormalisedImage(
      image, axes: axes,
      transform: try preprocessing.intensityTransform(for: image.voxels, size: image.grid.size, work: work))
    writeSlice = { k, target in normalised.writeSlice(k, to: target) }
  }

  /// Writes the planes that `window` names.
  func write(to window: ActivationWindow, work: WorkContext) throws(Cancelled) {
    let (size, extent) = (grid.size, window.extent)
    precondition(
      window.channels == 1 && window.batch == 1 && size.i <= extent.w && size.j <= extent.h,
      "\(size) voxels for planes of \(extent), \(window.channels) channels")
    try work.forEach(count: window.planes.count) { index, _ in
      let k = window.planes.lowerBound + index
      let target = window.start(sample: 0, channel: 0) + index * window.planeStride
      guard k < size.k else { return target.update(repeating: 0, count: window.planeStride) }
      writeSlice(k, target)
      // Rows are moved to the padded layout from the last one on, so that none is overwritten before it is moved.
      for j in (0..<size.j).reversed() where size.i < extent.w {
        let row = target + j * extent.w
        row.update(from: target + j * size.i, count: size.i)
        (row + size.i).update(repeating: 0, count: extent.w - size.i)
      }
      (target + size.j * extent.w).update(repeating: 0, count: (extent.h - size.j) * extent.w)
    }
  }
}
