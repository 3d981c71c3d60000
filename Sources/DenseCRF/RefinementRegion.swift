import CKernels
import Volumes
import Work

/// A box of voxels of a grid.
package struct VoxelBox: Hashable, Sendable, Codable {
  /// Its first voxel.
  package var lower: VoxelIndex
  /// Voxels along each axis.
  package var size: GridSize

  /// The box of `size` voxels from `lower` on.
  package init(lower: VoxelIndex, size: GridSize) {
    self.lower = lower
    self.size = size
  }

  /// Whether it has a voxel and all of them lie in a grid of `size`.
  package func fits(in grid: GridSize) -> Bool {
    (0..<3).allSatisfy { lower[$0] >= 0 && size[$0] > 0 && lower[$0] + size[$0] <= grid[$0] }
  }

  /// This box and `margin` voxels on each side, as far as the grid reaches.
  package func expanded(by margin: [Int], in grid: GridSize) -> VoxelBox {
    var box = self
    for axis in 0..<3 {
      box.lower[axis] = max(0, lower[axis] - margin[axis])
      box.size[axis] = min(grid[axis], lower[axis] + size[axis] + margin[axis]) - box.lower[axis]
    }
    return box
  }

  /// The box's values of a volume of `size`, written to `target` i fastest.
  func copy<Element>(
    from source: UnsafePointer<Element>, of size: GridSize, to target: UnsafeMutablePointer<Element>
  ) {
    for k in 0..<self.size.k {
      for j in 0..<self.size.j {
        let from = size.offset(VoxelIndex(lower.i, lower.j + j, lower.k + k))
        (target + self.size.offset(VoxelIndex(0, j, k))).initialize(from: source + from, count: self.size.i)
      }
    }
  }

  /// The box's values of the volume of `size` that starts at `offset`, i fastest.
  func crop<Element>(_ values: [Element], of size: GridSize, from offset: Int = 0) -> [Element] {
    [Element](unsafeUninitializedCapacity: self.size.voxelCount) { buffer, count in
      values.withUnsafeBufferPointer { source in
        copy(from: source.baseAddress! + offset, of: size, to: buffer.baseAddress!)
      }
      count = self.size.voxelCount
    }
  }
}

/// A part of a volume that is refined alone, with as much around it as the kernels reach.
///
/// Voxels of the box see everything within a margin of so many widths of the wider kernel on each side. With three
/// widths marginals differ from those of the whole volume by about 0.01 where they are undecided, with five by no
/// more than ``DenseCRF/Method/fast`` itself. The work is proportional to the context, so that a box around the
/// crosshair follows a turning knob.
package struct RefinementRegion: Sendable {
  /// The part that is wanted.
  package let box: VoxelBox
  /// The part that is computed.
  package let context: VoxelBox
  private let crf: DenseCRF
  private let unary: Unary

  /// The part `box` of a CRF and a unary, for kernels as wide as those of `settings` or narrower.
  /// - Throws: ``InputError`` when the box does not lie in the volume or the unary belongs to another grid.
  package init(
    _ box: VoxelBox, of crf: DenseCRF, unary: Unary, settings: RefinementSettings, marginWidths: Double = 3,
    work: WorkContext = WorkContext()
  ) throws {
    guard box.fits(in: crf.size) else {
      throw InputError(
        "region", "does not lie in the volume of \(crf.size)",
        found: "\(box.size) from (\(box.lower.i), \(box.lower.j), \(box.lower.k))")
    }
    guard unary.size == crf.size else {
      throw InputError(
        "probabilities", "are on another grid", found: "\(unary.size)", expected: "\(crf.size)")
    }
    let margin = (0..<3).map { axis in
      let theta = max(settings.thetaAlphaMillimetres[axis], settings.thetaGammaMillimetres[axis])
      return min(crf.size[axis], Int(min(marginWidths * theta / crf.spacing[axis], 1e6).rounded(.up)))
    }
    self.box = box
    context = box.expanded(by: margin, in: crf.size)
    self.crf = try DenseCRF(
      image: context.crop(crf.image, of: crf.size), size: context.size, spacing: crf.spacing,
      intensityRange: crf.intensityRange, level: crf.level, work: work)
    self.unary = unary.cropped(to: context)
  }

  /// Labels, and marginals where wanted, of the box alone.
  /// - Throws: As ``DenseCRF/refine(_:settings:method:wantsMarginals:work:)``.
  package func refine(
    settings: RefinementSettings, method: DenseCRF.Method = .fast, wantsMarginals: Bool = false,
    work: WorkContext = WorkContext()
  ) throws -> MeanFieldResult {
    let whole = try crf.refine(
      unary, settings: settings, method: method, wantsMarginals: wantsMarginals, work: work)
    let lower = VoxelIndex(
      box.lower.i - context.lower.i, box.lower.j - context.lower.j, box.lower.k - context.lower.k)
    let inner = VoxelBox(lower: lower, size: box.size)
    let count = context.size.voxelCount
    return MeanFieldResult(
      labels: inner.crop(whole.labels, of: context.size),
      marginals: whole.marginals.map { values in
        (0..<unary.classCount).flatMap { inner.crop(values, of: context.size, from: $0 * count) }
      })
  }
}

extension Unary {
  /// The unary of a box of voxels.
  func cropped(to box: VoxelBox) -> Unary {
    let stride = box.size.voxelCount.roundedUp(toMultipleOf: 16)
    let part = AlignedStorage<Float>(count: stride * (classCount - 1))
    for channel in 0..<classCount - 1 {
      box.copy(
        from: UnsafePointer(logits.start + channel * self.stride), of: size, to: part.start + channel * stride
      )
    }
    return Unary(size: box.size, classCount: classCount, stride: stride, logits: part)
  }
}
