import Work

/// The relation of a mask's grid to its image's grid.
package enum GridFit: Hashable, Sendable {
  case same
  /// The same voxels stored along other axes; the reorientation maps the mask to the image's axes.
  case reoriented(Reorientation)

  /// The largest distance of corresponding corners, in voxels of the image.
  package static let toleranceVoxels = 0.1

  /// Compares the grid of a mask with that of its image.
  ///
  /// They fit when their dimensions agree and each of the eight corner voxels lies within
  /// ``toleranceVoxels`` of its counterpart along every axis of the image, directly or after one of the 47
  /// axis permutations and flips.
  ///
  /// - Parameters:
  ///   - subject: what the error line calls the mask, its file name as a rule.
  ///   - imageName: what it calls the image.
  /// - Throws: `InputError` with the first difference: dimensions, or a corner and its distance in millimetres.
  package init(
    mask: VolumeGrid, image: VolumeGrid, subject: String, imageName: String = "the image"
  ) throws(InputError) {
    if GridFit.firstStrayCorner(of: mask, on: image) == nil, mask.size == image.size {
      self = .same
      return
    }
    for reorientation in Reorientation.all.dropFirst() where reorientation.size(mask.size) == image.size {
      if GridFit.firstStrayCorner(of: reorientation.grid(mask), on: image) == nil {
        self = .reoriented(reorientation)
        return
      }
    }
    guard mask.size == image.size else {
      throw InputError(
        subject, "does not fit \(imageName): other dimensions", found: mask.size.description,
        expected: image.size.description)
    }
    let corner = GridFit.firstStrayCorner(of: mask, on: image)!
    let (found, expected) = (mask.affine.world(corner), image.affine.world(corner))
    let difference = [found.x - expected.x, found.y - expected.y, found.z - expected.z]
    let distance = difference.reduce(0) { $0 + $1 * $1 }.squareRoot()
    throw InputError(
      subject,
      "does not fit \(imageName): corner (\(corner.i), \(corner.j), \(corner.k)) lies \(GridFit.text(distance)) mm away",
      found: GridFit.text(found), expected: GridFit.text(expected))
  }

  /// Checks that a grid is that of an image, with the voxels in the same order.
  ///
  /// - Parameters:
  ///   - subject: what the error line calls the grid, its file name as a rule.
  ///   - imageName: what it calls the image.
  /// - Throws: `InputError` as ``init(mask:image:subject:imageName:)``, and for the same voxels in another order.
  package static func requireSame(
    _ grid: VolumeGrid, as image: VolumeGrid, subject: String, imageName: String = "the image"
  ) throws(InputError) {
    guard case .same = try GridFit(mask: grid, image: image, subject: subject, imageName: imageName) else {
      throw InputError(
        subject, "lies on the voxels of \(imageName) in another order", found: grid.orientation.description,
        expected: image.orientation.description)
    }
  }

  /// The greatest distance of a corner voxel of a mask that fits so from its image's, along any axis, in voxels.
  package func largestOffsetVoxels(of mask: VolumeGrid, on image: VolumeGrid) -> Double {
    let grid =
      switch self {
      case .same: mask
      case .reoriented(let reorientation): reorientation.grid(mask)
      }
    return GridFit.corners(of: image).map { corner in
      let offset = GridFit.offset(of: corner, in: grid, on: image)
      return max(abs(offset.x), abs(offset.y), abs(offset.z))
    }.max() ?? 0
  }

  /// The first corner voxel of `mask` that is not where the same voxel of `image` is; nil when all are.
  private static func firstStrayCorner(of mask: VolumeGrid, on image: VolumeGrid) -> VoxelIndex? {
    corners(of: image).first { corner in
      let offset = offset(of: corner, in: mask, on: image)
      // Written so that NaN does not fit.
      return !(0..<3).allSatisfy { abs(offset[$0]) <= toleranceVoxels }
    }
  }

  private static func corners(of grid: VolumeGrid) -> [VoxelIndex] {
    let size = grid.size
    return (0..<8).map { corner in
      VoxelIndex(
        corner & 1 == 0 ? 0 : size.i - 1, corner & 2 == 0 ? 0 : size.j - 1, corner & 4 == 0 ? 0 : size.k - 1)
    }
  }

  /// The displacement from a voxel of `image` to the same voxel of `mask`, in voxels of the image.
  private static func offset(of index: VoxelIndex, in mask: VolumeGrid, on image: VolumeGrid) -> SIMD3<Double>
  {
    image.affine.continuousIndex(mask.affine.world(index))
      - SIMD3(Double(index.i), Double(index.j), Double(index.k))
  }

  /// A distance in millimetres with two decimals.
  private static func text(_ millimetres: Double) -> String {
    let hundredths = (millimetres * 100).rounded()
    return "\(hundredths == 0 ? 0 : hundredths / 100)"
  }

  /// "(1.5, 2.0, -3.0) mm RAS".
  private static func text(_ point: WorldPoint) -> String {
    "(\(text(point.x)), \(text(point.y)), \(text(point.z))) mm RAS"
  }
}
