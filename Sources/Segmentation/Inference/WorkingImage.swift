import Networks
import Tensors
import Volumes
import Work

/// The images of a case as a network's input, plane by plane: along the model's axes, with normalised intensities, padded
/// with zeros to multiples of the total stride.
struct WorkingImage: Sendable {
  /// The grid of the planes, without padding.
  let grid: VolumeGrid
  /// Writes slice k of one channel, i fastest, without padding.
  private typealias SliceWriter = @Sendable (_ k: Int, _ target: UnsafeMutablePointer<Float>) -> Void
  private let channels: [SliceWriter]

  /// Preprocessed volumes on one grid, one for each channel.
  init(_ prepared: [ScalarVolume]) {
    grid = prepared[0].grid
    channels = prepared.map { volume in
      { [voxels = volume.voxels, size = volume.grid.size] k, target in
        Reorientation.identity.writeSlice(k, of: voxels, size: size, to: target)
      }
    }
  }

  /// Images on their own grid, preprocessed plane by plane without a second copy.
  /// - Throws: ``InputError`` when there is not one image for each channel on one grid, or the model's orientation is
  ///   invalid; ``Cancelled``.
  init(_ images: [ScalarVolume], preprocessing: Preprocessing, work: WorkContext) throws {
    let images = try preprocessing.onOneGrid(images)
    let axes = ReorientedGrid(images[0].grid, orientation: try preprocessing.parsedOrientation)
    grid = axes.grid
    channels = try zip(preprocessing.channels, images).map { channel, image in
      let normalised = NormalisedImage(
        image, axes: axes,
        transform: try channel.normalisation.transform(for: image.voxels, size: image.grid.size, work: work))
      return { k, target in normalised.writeSlice(k, to: target) }
    }
  }

  /// Writes the planes that `window` names.
  func write(to window: ActivationWindow, work: WorkContext) throws(Cancelled) {
    let (size, extent) = (grid.size, window.extent)
    precondition(
      window.channels == channels.count && window.batch == 1 && size.i <= extent.w && size.j <= extent.h,
      "\(size) voxels for planes of \(extent), \(window.channels) channels")
    try work.forEach(count: channels.count * window.planes.count) { index, _ in
      let (channel, plane) = (index / window.planes.count, index % window.planes.count)
      let k = window.planes.lowerBound + plane
      let target = window.start(sample: 0, channel: channel) + plane * window.planeStride
      guard k < size.k else { return target.update(repeating: 0, count: window.planeStride) }
      channels[channel](k, target)
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
