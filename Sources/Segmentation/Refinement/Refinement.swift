import DenseCRF
import Synchronization
import Volumes
import Work

/// The dense CRF on one image and one unary: what the screen's knobs and the `refine` command both turn.
///
/// Only the box around the foreground is refined, with a margin of two and a half kernel widths: what lies farther
/// hears nothing of it. What depends on the image and the kernel widths is kept between calls, so that a change of
/// weights or iterations costs only the iterations.
package final class Refinement: Sendable {
  let image: ScalarVolume
  let furtherImages: [ScalarVolume]
  let source: UnarySource
  let labelValues: [UInt16]
  /// Of the image and of every further one.
  let intensityRanges: [ClosedRange<Float>?]
  private let postProcessing: PostProcessing
  /// Newest first: one for the whole foreground, one for the preview around the crosshair.
  private let prepared = Mutex<[Prepared]>([])

  /// The CRF of one box and one mix of heads.
  private struct Prepared {
    var box: VoxelBounds
    var auxiliaryHeadWeights: [Double]
    var crf: DenseCRF
    var unary: Unary
  }

  /// A refinement.
  /// - Parameters:
  ///   - furtherImages: Images on the same grid that the appearance kernel compares together with the first, each
  ///     with a θβ of its own in the settings.
  ///   - labelValues: The voxel value of each class, background's 0 first.
  ///   - intensityRange: Where intensities are clipped; nil takes the 0.5 to 99.5 percentiles of the image.
  /// - Throws: ``InputError`` when a confidence is not between 1 / classes and 1 or a further image has another
  ///   size; ``Cancelled``.
  package init(
    image: ScalarVolume, furtherImages: [ScalarVolume] = [], source: UnarySource, labelValues: [UInt16],
    intensityRange: ClosedRange<Float>?, postProcessing: PostProcessing, work: WorkContext
  ) throws {
    if case .mask(_, let confidence) = source {
      guard confidence > 1 / Double(labelValues.count), confidence < 1 else {
        throw InputError(
          "mask confidence", "cannot be refined", found: "\(confidence)",
          expected: "above \(1 / Double(labelValues.count)) and below 1")
      }
    }
    for (index, further) in furtherImages.enumerated() where further.grid.size != image.grid.size {
      throw InputError(
        "image \(index + 2)", "is on another grid", found: "\(further.grid.size)",
        expected: "\(image.grid.size)")
    }
    self.image = image
    self.furtherImages = furtherImages
    self.source = source
    self.labelValues = labelValues
    self.postProcessing = postProcessing
    intensityRanges = try ([image] + furtherImages).enumerated().map { index, image in
      if index == 0, let intensityRange { return intensityRange }
      let ends = try image.percentiles([0.005, 0.995], work: work.silent)
      return ends.map { $0[0]...max($0[0], $0[1]) }
    }
  }

  /// The refined labels on the image's own grid, post-processed.
  /// - Throws: ``InputError`` for settings that mean nothing; ``Cancelled``.
  package func labels(settings: RefinementSettings, exact: Bool = false, work: WorkContext) throws
    -> LabelVolume
  {
    var labels = LabelVolume(
      grid: image.grid, voxels: [UInt16](repeating: 0, count: image.grid.size.voxelCount))
    guard
      let foreground = try source.foregroundBounds(
        labelValues: labelValues, auxiliaryHeadWeights: settings.auxiliaryHeadWeights,
        work: work.part(0...0.1))
    else { return labels }
    let box = box(around: foreground, settings)
    let refined = try refined(box, settings, exact: exact, work: work.part(0.1...0.9))
    let size = image.grid.size
    var position = 0
    for k in box.lower.k...box.upper.k {
      for j in box.lower.j...box.upper.j {
        let row = (k * size.j + j) * size.i
        for i in box.lower.i...box.upper.i {
          labels.voxels[row + i] = labelValues[Int(refined[position])]
          position += 1
        }
      }
    }
    return try labels.postProcessed(postProcessing, work: work.part(0.9...1))
  }

  /// The refined labels of one box of the image on the box's own grid, without post-processing: for previews.
  ///
  /// Voxels beyond the box send no messages, so that a border of about one kernel width differs from the whole.
  package func labels(in box: VoxelBounds, settings: RefinementSettings, work: WorkContext) throws
    -> LabelVolume
  {
    let refined = try refined(box, settings, exact: false, work: work)
    var grid = image.grid
    grid.affine.origin = grid.affine.world(box.lower)
    grid.size = box.size
    return LabelVolume(grid: grid, voxels: refined.map { labelValues[Int($0)] })
  }

  private func refined(
    _ box: VoxelBounds, _ settings: RefinementSettings, exact: Bool, work: WorkContext
  ) throws -> [UInt8] {
    let ready = try preparation(for: box, settings, work: work.part(0...0.2))
    return try ready.crf.refine(
      ready.unary, settings: settings, method: exact ? .exact : .fast, work: work.part(0.2...1)
    ).labels
  }

  private func preparation(
    for box: VoxelBounds, _ settings: RefinementSettings, work: WorkContext
  ) throws -> Prepared {
    let kept = prepared.withLock { all in all.first { $0.box == box } }
    if let kept, kept.auxiliaryHeadWeights == settings.auxiliaryHeadWeights { return kept }
    let probabilities = try source.probabilities(
      in: box, labelValues: labelValues, auxiliaryHeadWeights: settings.auxiliaryHeadWeights, work: work)
    let unary = try Unary(
      probabilities: probabilities, classCount: labelValues.count, size: box.size, work: work.silent)
    let crf =
      try kept?.crf
      ?? DenseCRF(
        images: zip([image] + furtherImages, intensityRanges).map { image, range in
          DenseCRF.Image(
            voxels: image.voxels.cropped(to: box, size: image.grid.size), intensityRange: range)
        }, size: box.size, spacing: image.grid.spacing, work: work.silent)
    let made = Prepared(
      box: box, auxiliaryHeadWeights: settings.auxiliaryHeadWeights, crf: crf, unary: unary)
    prepared.withLock { all in all = [made] + all.filter { $0.box != box }.prefix(1) }
    return made
  }

  /// The foreground's box and its margin, from a multiple of eight voxels to one, so that small turns of a knob keep
  /// the box and the CRF's blocks lie as they do in the whole image.
  private func box(around foreground: VoxelBounds, _ settings: RefinementSettings) -> VoxelBounds {
    var box = foreground
    for axis in 0..<3 {
      let reach = 2.5 * max(settings.thetaAlphaMillimetres[axis], settings.thetaGammaMillimetres[axis])
      let voxels = reach / image.grid.spacing[axis]
      let margin =
        voxels.isFinite && voxels < 1e6 ? Int(voxels.rounded(.up)) : image.grid.size[axis]
      let step = DenseCRF.blockAlignment
      box.lower[axis] = max(0, box.lower[axis] - margin) / step * step
      box.upper[axis] = min(image.grid.size[axis], (box.upper[axis] + margin + step) / step * step) - 1
    }
    return box
  }
}
