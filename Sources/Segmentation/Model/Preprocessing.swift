import Volumes
import Work

/// The preprocessing of a network's input: orientation, working grid, and the images with their intensity
/// normalisations; part of every model file.
package struct Preprocessing: Hashable, Sendable {
  /// Anatomical directions of the network's axes, "RAS".
  package var orientation: String
  /// Voxel size of the working grid.
  package var spacingMillimetres: Spacing
  /// The images of a case, one for each input channel of the network; at least one.
  package var channels: [Channel]
  /// Range of the training images' extents in millimetres along each of the network's axes; nil where it is unknown.
  package var trainedExtentsMillimetres: [ClosedRange<Double>]?

  /// A preprocessing of the given parts.
  package init(
    orientation: String = "RAS", spacingMillimetres: Spacing, channels: [Channel],
    trainedExtentsMillimetres: [ClosedRange<Double>]? = nil
  ) {
    precondition(!channels.isEmpty, "a network without an image")
    self.orientation = orientation
    self.spacingMillimetres = spacingMillimetres
    self.channels = channels
    self.trainedExtentsMillimetres = trainedExtentsMillimetres
  }

  /// A preprocessing of one image.
  package init(
    orientation: String = "RAS", spacingMillimetres: Spacing, normalisation: Normalisation,
    trainedExtentsMillimetres: [ClosedRange<Double>]? = nil
  ) {
    self.init(
      orientation: orientation, spacingMillimetres: spacingMillimetres,
      channels: [Channel(normalisation: normalisation)], trainedExtentsMillimetres: trainedExtentsMillimetres)
  }

  /// The normalisation of the first image, which is the one that is shown and refined.
  package var normalisation: Normalisation { channels[0].normalisation }
}

extension Preprocessing {
  /// Checks that the orientation is valid and all numbers are in range.
  /// - Throws: ``InputError`` about `subject`: an invalid orientation, a spacing, window or extent of the training
  ///   beyond ``UsableRange``.
  package func validated(subject: String) throws(InputError) {
    guard Orientation(code: orientation) != nil else {
      throw InputError(subject, "orientation is unusable", found: orientation, expected: "a code such as RAS")
    }
    for axis in 0..<3 {
      guard UsableRange.millimetres.contains(spacingMillimetres[axis]) else {
        throw InputError(
          subject, "spacing along axis \(axis) is unusable", found: "\(spacingMillimetres[axis]) mm",
          expected: "\(UsableRange.millimetres.lowerBound) to \(UsableRange.millimetres.upperBound) mm")
      }
    }
    for channel in channels { try channel.normalisation.validated(subject: subject) }
    guard channels.allSatisfy({ !$0.name.isEmpty }), Set(channels.map(\.name)).count == channels.count else {
      throw InputError(
        subject, "names of channels are unusable", found: channels.map(\.name).joined(separator: ", "),
        expected: "a name of its own for each")
    }
    for range in trainedExtentsMillimetres ?? [] {
      guard UsableRange.extentMillimetres.contains(range.lowerBound),
        UsableRange.extentMillimetres.contains(range.upperBound)
      else {
        throw InputError(
          subject, "extent of the training images is unusable",
          found: "\(range.lowerBound) to \(range.upperBound) mm",
          expected: "0 to \(UsableRange.extentMillimetres.upperBound) mm")
      }
    }
  }

  /// The orientation as axes.
  /// - Throws: ``InputError`` when the text is not an orientation such as "RAS".
  package var parsedOrientation: Orientation {
    get throws(InputError) {
      guard let parsed = Orientation(code: orientation) else {
        throw InputError("preprocessing", "orientation", found: orientation, expected: "a code such as RAS")
      }
      return parsed
    }
  }

  /// The maximum number of voxels of a working grid per voxel of the image, ten along each axis: a larger ratio mostly
  /// means that the image's lengths are in another unit.
  private static let maximumVoxelsPerVoxel = 1000
  /// Voxels of a working grid that are allowed for any image.
  private static let alwaysAllowedVoxels = 1 << 20

  /// The network's input: each image of a case along the model's axes, normalised, on the working grid.
  /// - Parameter images: One for each channel.
  /// - Throws: ``InputError`` when there is not one image for each channel on one grid, the orientation is invalid, the
  ///   images' voxels are far too large for the spacing, or the working grids do not fit in memory; ``Cancelled``.
  package func prepared(
    _ images: [ScalarVolume], grid: WorkingGrid = .model, work: WorkContext
  ) throws -> [ScalarVolume] {
    let images = try onOneGrid(images)
    let axes = ReorientedGrid(images[0].grid, orientation: try parsedOrientation)
    let target =
      try grid == .image ? axes.grid : axes.grid.resampled(to: spacingMillimetres, subject: "image")
    let ownCount = images[0].voxels.count
    let maximum = max(Self.alwaysAllowedVoxels, ownCount * Self.maximumVoxelsPerVoxel)
    guard target.size.voxelCount <= maximum else {
      let (own, wanted) = (axes.grid.spacing, spacingMillimetres)
      throw InputError(
        "image", "voxels are too large for a working grid of \(wanted.i) x \(wanted.j) x \(wanted.k) mm",
        found: "\(own.i) x \(own.j) x \(own.k) mm, \(target.size) voxels of the grid",
        expected: "at most \(maximum)")
    }
    // A normalised image as floats, which resampling needs in one array, and the working grid of every channel.
    let normalisedCount = target == axes.grid ? 0 : ownCount
    try AvailableMemory.require(
      checkedSum(
        checkedProduct(images.count, target.size.voxelCount, MemoryLayout<Float>.stride),
        checkedProduct(normalisedCount, MemoryLayout<Float>.stride)), subject: "image",
      "its working grid of \(target.size) voxels")
    return try zip(channels, images).enumerated().map { index, pair in
      let (channel, image) = pair
      let fraction = 1 / Double(images.count)
      let part = work.part(Double(index) * fraction...min(1, Double(index + 1) * fraction))
      let normalised = NormalisedImage(
        image, axes: axes,
        transform: try channel.normalisation.transform(
          for: image.voxels, size: image.grid.size, order: axes.reorientation, work: part))
      let planeCount = axes.grid.size.i * axes.grid.size.j
      let voxels = try [Float](count: axes.grid.size.voxelCount) { voxels throws(Cancelled) in
        try part.forEach(count: axes.grid.size.k) { k, _ in
          normalised.writeSlice(k, to: voxels.start + k * planeCount)
        }
      }
      return try ScalarVolume(grid: axes.grid, voxels: voxels).resampled(to: target, work: part)
    }
  }
}
