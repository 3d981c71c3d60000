import Foundation
import Volumes
import Work

extension ImageFile {
  /// This mask, extended with background to the size of the image.
  ///
  /// A file is returned unchanged unless it is a mask whose format leaves out slices or margins without labels, and
  /// whose voxels, or slices with labels where the distance of its slices is not that of the image, are those of the image.
  ///
  /// - Parameter image: The grid of the image, whose axes may have another order or direction.
  package func extended(to image: VolumeGrid) -> ImageFile {
    guard leavesOutBackground else { return self }
    let mask = box(of: image) == nil ? withSlices(of: image) ?? self : self
    guard mask.grid.size.voxelCount < image.size.voxelCount, let box = mask.box(of: image),
      box.union(VoxelBounds(mask.grid.size)) == box
    else { return mask }
    return mask.extended(over: box)
  }

  /// This mask with the distance between slices of an image, along whichever of its axes the slices follow each other; nil
  /// where its slices are not slices of the image.
  private func withSlices(of image: VolumeGrid) -> ImageFile? {
    let own = grid.affine.stepK.lps
    for step in [image.affine.stepI, image.affine.stepJ, image.affine.stepK] {
      let lengths = length(step.lps) * length(own)
      let cosine = lengths > 0 ? dot(step.lps, own) / lengths : 0
      guard abs(cosine) > 0.999 else { continue }
      let along = cosine > 0 ? step : WorldPoint(lps: step.lps * -1)
      return withSliceStep?(along).flatMap { $0.box(of: image) == nil ? nil : $0 }
    }
    return nil
  }

  /// This mask, extended with background so that it covers the masks of other files, where the image is not known.
  ///
  /// Segmentations of one image leave out different slices, and other masks of it hold all of them. A file is returned
  /// unchanged unless it is a mask whose format leaves out background. Grids with other voxels do not count, and neither do
  /// those that neither contain this one nor differ from it in their slices (k) alone.
  package func extended(toCover others: [VolumeGrid]) -> ImageFile {
    guard leavesOutBackground else { return self }
    let own = VoxelBounds(grid.size)
    let whole = others.reduce(own) { whole, other in
      guard let box = box(of: other) else { return whole }
      let union = box.union(own)
      let areSliced = (union.size.i, union.size.j) == (own.size.i, own.size.j)
      return union == box || areSliced && union.size.k <= Self.maximumSliceCount ? whole.union(union) : whole
    }
    return whole == own ? self : extended(over: whole)
  }

  /// The relation of this mask's grid to that of an image.
  ///
  /// - Throws: ``InputError`` where they do not fit. Dimensions tell nothing of a mask whose format leaves out background;
  ///   its error says which of its voxels is none of the image.
  package func fit(on image: VolumeGrid) throws(InputError) -> GridFit {
    do throws(InputError) {
      return try GridFit(mask: grid, image: image, subject: path)
    } catch {
      guard leavesOutBackground, image.affine.determinant != 0 else { throw error }
      let bounds = VoxelBounds(grid.size)
      for (name, index) in [("first", bounds.lower), ("last", bounds.upper)] {
        let place = image.affine.continuousIndex(grid.affine.world(index))
        let isVoxel = (0..<3).allSatisfy { abs(place[$0] - place[$0].rounded()) <= GridFit.toleranceVoxels }
        let isInside = (0..<3).allSatisfy { (-0.5..<Double(image.size[$0]) - 0.5).contains(place[$0]) }
        if isVoxel, isInside { continue }
        throw InputError(
          path,
          "does not fit the image: its \(name) voxel lies "
            + (isInside ? "between those of the image" : "outside of the image"),
          found: "voxel (\((0..<3).map { decimals(place[$0], 2) }.joined(separator: ", "))) of the image",
          expected: isInside ? "whole numbers" : "one of \(image.size)")
      }
      func spacing(_ grid: VolumeGrid) -> String {
        (0..<3).map { significant(grid.spacing[$0], 4) }.joined(separator: " x ") + " mm"
      }
      throw InputError(
        path, "does not fit the image: its voxels have another size or direction",
        found: "\(spacing(grid)), \(grid.orientation)", expected: "\(spacing(image)), \(image.orientation)")
    }
  }

  /// The maximum number of slices of masks that lie apart, above that of any image.
  private static let maximumSliceCount = 65535

  /// This mask with background up to the edges of a box that contains it.
  private func extended(over box: VoxelBounds) -> ImageFile {
    let size = box.size
    var affine = grid.affine
    affine.origin = grid.affine.world(box.lower)
    let offset = VoxelIndex(-box.lower.i, -box.lower.j, -box.lower.k)
    let finding = Finding(
      "the mask holds \(grid.size) of \(size) voxels", repair: "the others are background")
    return ImageFile(
      path: path, storage: storage, source: ImageSource(grid: VolumeGrid(size: size, affine: affine)),
      voxelType: voxelType, scaling: scaling, frameSizes: frameSizes, files: files, labelNames: labelNames,
      dicomSubject: dicomSubject, reader: ExtendedVoxels(file: self, size: size, offset: offset),
      findings: findings + [finding])
  }

  /// The voxels of another grid in this mask's own indices; nil where they are not voxels of one grid with the mask's.
  private func box(of other: VolumeGrid) -> VoxelBounds? {
    guard other.affine.determinant != 0 else { return nil }
    var lower = SIMD3<Double>(repeating: .infinity)
    var upper = SIMD3<Double>(repeating: -.infinity)
    for corner in 0..<8 {
      let index = VoxelIndex(
        corner & 1 == 0 ? 0 : other.size.i - 1, corner & 2 == 0 ? 0 : other.size.j - 1,
        corner & 4 == 0 ? 0 : other.size.k - 1)
      let own = grid.affine.continuousIndex(other.affine.world(index))
      guard
        (0..<3).allSatisfy({
          abs(own[$0] - own[$0].rounded()) <= GridFit.toleranceVoxels && abs(own[$0]) < 1e6
        })
      else { return nil }
      for axis in 0..<3 {
        lower[axis] = min(lower[axis], own[axis].rounded())
        upper[axis] = max(upper[axis], own[axis].rounded())
      }
    }
    let box = VoxelBounds(
      lower: VoxelIndex(Int(lower.x), Int(lower.y), Int(lower.z)),
      upper: VoxelIndex(Int(upper.x), Int(upper.y), Int(upper.z)))
    let extents = [box.size.i, box.size.j, box.size.k]
    return extents.sorted() == (0..<3).map({ other.size[$0] }).sorted() ? box : nil
  }
}

/// The voxels of a mask within a larger grid of zeros.
private struct ExtendedVoxels: VoxelReader {
  let file: ImageFile
  let size: GridSize
  /// The mask's first voxel in the larger grid.
  let offset: VoxelIndex

  func readVoxels(
    frames: Range<Int>, work: WorkContext, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws -> [Finding] {
    let width = file.voxelType.byteCount
    let (rowBytes, ownRowBytes) = (size.i * width, file.grid.size.i * width)
    let empty = [UInt8](repeating: 0, count: rowBytes * size.j)
    func deliverEmpty(_ count: Int) throws {
      for _ in 0..<count {
        try work.checkCancellation()
        try empty.withUnsafeBytes { try body($0) }
      }
    }
    for frame in frames {
      try deliverEmpty(offset.k)
      var slice = empty
      var filled = 0
      let ownSliceBytes = ownRowBytes * file.grid.size.j
      try file.readStoredVoxels(frames: frame..<frame + 1, work: work) { bytes in
        var position = 0
        while position < bytes.count {
          // Copies up to the end of the row, or of the piece.
          let (row, column) = (filled / ownRowBytes, filled % ownRowBytes)
          let count = min(ownRowBytes - column, bytes.count - position)
          let target = (row + offset.j) * rowBytes + offset.i * width + column
          slice.withUnsafeMutableBytes {
            UnsafeMutableRawBufferPointer(rebasing: $0[target..<target + count])
              .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[position..<position + count]))
          }
          (position, filled) = (position + count, filled + count)
          if filled == ownSliceBytes {
            try slice.withUnsafeBytes { try body($0) }
            filled = 0
          }
        }
      }
      try deliverEmpty(size.k - offset.k - file.grid.size.k)
    }
    return []
  }
}
