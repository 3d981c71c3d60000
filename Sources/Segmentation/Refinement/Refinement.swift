import DenseCRF
import Synchronization
import Volumes
import Work

/// The dense CRF on one image and one unary, for the live view and the `refine` command.
///
/// Only the box around the foreground is refined, with a margin of two and a half kernel widths; messages to voxels
/// beyond are negligible. Data that depends on the image and the kernel widths is cached between calls, so that a
/// change of weights or iterations costs only the iterations.
package final class Refinement: Sendable {
  let image: ScalarVolume
  let furtherImages: [ScalarVolume]
  let source: UnarySource
  let labelValues: [UInt16]
  private let coding: LabelCoding
  /// The range that intensities are clipped to, of the image and of every further one.
  let intensityRanges: [ClosedRange<Float>?]
  private let postProcessing: PostProcessing
  private let cache = Mutex(Cache())

  /// Prepared data for the next call.
  private struct Cache {
    /// The foreground's box under the mix of heads used last.
    var foreground: (auxiliaryHeadWeights: [Double], box: VoxelBounds?)?
    /// The CRF of the box around the foreground.
    var whole: Prepared?
    /// The CRF of the preview's box.
    var part: Prepared?
  }

  /// The CRF of one box and one mix of heads.
  struct Prepared {
    var box: VoxelBounds
    var auxiliaryHeadWeights: [Double]
    var crf: DenseCRF
    var unary: Unary
    /// The voxel value of each class; without classes that do not contribute to the box.
    var labelValues: [UInt16]
    /// Margin of the clipped intensity range around the foreground's intensities; 0 for no clipping.
    var intensityMargin: Float
  }

  /// Prepares a refinement of `source` on `image`.
  /// - Parameters:
  ///   - furtherImages: Images on the same grid that the appearance kernel compares together with the first, each
  ///     with a θβ of its own in the settings.
  ///   - labelValues: The voxel value of each class, background's 0 first.
  ///   - coding: The label coding of the result; a mask's refinement takes the mask's own.
  ///   - intensityRange: The range that intensities are clipped to; nil for the image's 0.5 to 99.5 percentiles.
  /// - Throws: ``InputError`` for more than 255 labels, when a confidence is not between 1 / classes and 1, or a
  ///   further image has another size; ``Cancelled``.
  package init(
    image: ScalarVolume, furtherImages: [ScalarVolume] = [], source: UnarySource, labelValues: [UInt16],
    coding: LabelCoding = .identity, intensityRange: ClosedRange<Float>?, postProcessing: PostProcessing,
    work: WorkContext
  ) throws {
    guard (2...Unary.maximumClassCount).contains(labelValues.count) else {
      throw InputError(
        "mask", "has an unusable number of labels to refine", found: "\(labelValues.count - 1)",
        expected: "1 to \(Unary.maximumClassCount - 1)")
    }
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
    self.coding = if case .mask(let mask, _) = source { mask.coding } else { coding }
    self.postProcessing = postProcessing
    intensityRanges = try ([image] + furtherImages).enumerated().map { index, image in
      if index == 0, let intensityRange { return intensityRange }
      let ends = try image.percentiles([0.005, 0.995], work: work.withoutProgress)
      return ends.map { $0[0]...max($0[0], $0[1]) }
    }
  }

  /// The range that the image's intensities are clipped to; nil where the image has no finite intensity.
  package var intensityRange: ClosedRange<Float>? { intensityRanges[0] }

  /// The refined labels on the image's own grid, post-processed.
  /// - Throws: ``InputError`` for invalid settings; ``Cancelled``.
  package func labels(settings: RefinementSettings, exact: Bool = false, work: WorkContext) throws
    -> LabelVolume
  {
    let size = image.grid.size
    guard let box = try wholeBox(settings, work: work.part(0...0.1)) else {
      return LabelVolume(
        grid: image.grid, voxels: try [UInt16](checkedRepeating: 0, count: size.voxelCount), coding: coding)
    }
    let refined = try refined(box, settings, exact: exact, isWhole: true, work: work.part(0.1...0.9))
    let voxels = try [UInt16](count: size.voxelCount) { voxels throws(Cancelled) in
      try work.withoutProgress.forEach(count: size.k) { k, _ in
        let plane = voxels.start + k * size.j * size.i
        plane.update(repeating: 0, count: size.j * size.i)
        guard (box.lower.k...box.upper.k).contains(k) else { return }
        for j in 0..<box.size.j {
          let from = ((k - box.lower.k) * box.size.j + j) * box.size.i
          let row = plane + (box.lower.j + j) * size.i + box.lower.i
          for i in 0..<box.size.i { row[i] = refined.labelValues[Int(refined.classes[from + i])] }
        }
      }
    }
    let labels = LabelVolume(grid: image.grid, voxels: voxels, coding: coding)
    return try labels.postProcessed(postProcessing, work: work.part(0.9...1)).labels
  }

  /// The refined labels of one box of the image on the box's own grid, without post-processing, for previews.
  ///
  /// Voxels beyond the box send no messages, so that a border of about one kernel width differs from the whole image's
  /// result.
  package func labels(in box: VoxelBounds, settings: RefinementSettings, work: WorkContext) throws
    -> LabelVolume
  {
    let refined = try refined(box, settings, exact: false, isWhole: false, work: work)
    var grid = image.grid
    grid.affine.origin = grid.affine.world(box.lower)
    grid.size = box.size
    return LabelVolume(
      grid: grid, voxels: refined.classes.map { refined.labelValues[Int($0)] }, coding: coding)
  }

  /// The class of each voxel of a box, and the label value of each class.
  private func refined(
    _ box: VoxelBounds, _ settings: RefinementSettings, exact: Bool, isWhole: Bool, work: WorkContext
  ) throws -> (classes: [UInt8], labelValues: [UInt16]) {
    let ready = try preparation(
      for: box, settings, isWhole: isWhole, isExact: exact, work: work.part(0...0.2))
    let refined = try ready.crf.refine(
      ready.unary, settings: settings, method: exact ? .exact : .fast, work: work.part(0.2...1)
    ).labels
    let classes =
      settings.changedLabels.isEmpty
      ? refined : try limited(refined, of: ready, settings, work: work.withoutProgress)
    return (classes, ready.labelValues)
  }

  /// `refined` where both the label before and after may change (or is background), else the label before.
  private func limited(
    _ refined: [UInt8], of ready: Prepared, _ settings: RefinementSettings, work: WorkContext
  ) throws -> [UInt8] {
    var without = settings
    (without.appearanceWeight, without.smoothnessWeight, without.iterations) = (0, 0, 0)
    let before = try ready.crf.refine(ready.unary, settings: without, work: work).labels
    let mayChange = ready.labelValues.map { $0 == 0 || settings.changedLabels.contains($0) }
    return zip(before, refined).map { mayChange[Int($0)] && mayChange[Int($1)] ? $1 : $0 }
  }

  /// The box that ``labels(settings:exact:work:)`` refines; nil without foreground.
  private func wholeBox(_ settings: RefinementSettings, work: WorkContext) throws -> VoxelBounds? {
    try foregroundBox(settings.auxiliaryHeadWeights, work: work).map { box(around: $0, settings) }
  }

  /// The foreground's box under a mix of heads, cached for the mix used last; nil without foreground.
  func foregroundBox(_ auxiliaryHeadWeights: [Double], work: WorkContext) throws -> VoxelBounds? {
    if let known = cache.withLock({ $0.foreground }), known.auxiliaryHeadWeights == auxiliaryHeadWeights {
      return known.box
    }
    let found = try source.foregroundBounds(
      labelValues: labelValues, auxiliaryHeadWeights: auxiliaryHeadWeights, work: work)
    cache.withLock { $0.foreground = (auxiliaryHeadWeights, found) }
    return found
  }

  /// The CRF of a box, from the cache as far as possible.
  func preparation(
    for box: VoxelBounds, _ settings: RefinementSettings, isWhole: Bool, isExact: Bool = false,
    work: WorkContext
  ) throws -> Prepared {
    let known = cache.withLock { isWhole ? [$0.whole] : [$0.part, $0.whole] }.compactMap(\.self)
    let cached = known.first { $0.box == box }
    let margin = isExact ? 0 : Self.intensityMargin(settings)
    let sameImage = cached.flatMap { $0.intensityMargin == margin ? $0 : nil }
    if let sameImage, sameImage.auxiliaryHeadWeights == settings.auxiliaryHeadWeights { return sameImage }
    // Only a part may reuse the intensity range of another box or mix of heads: the result for the whole image must not
    // depend on earlier calls.
    if !isWhole, labelValues.count == 2, case .prediction = source,
      let around = known.first(where: {
        $0.auxiliaryHeadWeights == settings.auxiliaryHeadWeights && $0.intensityMargin == margin
          && $0.box.contains(box)
      })
    {
      return store(try around.cropped(to: box), isWhole: false)
    }
    try AvailableMemory.require(
      byteCount(of: box, isWhole: isWhole), fraction: work.memoryFraction, subject: "CRF",
      "refining \(labelValues.count) classes on \(box.size) voxels", advice: DenseCRF.memoryAdvice)
    let unary: Unary
    var classes = Array(labelValues.indices)
    // A sample of a whole image suffices to find the foreground's intensities.
    var likely: [Int] = []
    if isWhole {
      unary = try source.unary(
        in: box, labelValues: labelValues, auxiliaryHeadWeights: settings.auxiliaryHeadWeights, work: work)
      if !isExact { likely = unary.likelyForeground(sampleCount: 1 << 20) }
    } else if case .mask(let mask, let confidence) = source {
      (classes, unary) = try source.presentClasses(in: box, labelValues: labelValues, work: work)
      let background = labelValues[0]
      let isLikely = (
        background: confidence < 0.5, other: (1 - confidence) / Double(labelValues.count - 1) < 0.5
      )
      likely = mask.voxels.cropped(to: box, size: mask.grid.size).enumerated()
        .filter { $0.element == background ? isLikely.background : isLikely.other }.map(\.offset)
      if likely.isEmpty { likely = Array(0..<box.size.voxelCount) }
    } else {
      var probabilities = try source.probabilities(
        in: box, labelValues: labelValues, auxiliaryHeadWeights: settings.auxiliaryHeadWeights, work: work)
      (classes, probabilities) = Self.contributingClasses(probabilities, labelValues.count)
      unary = try Unary(
        probabilities: probabilities, classCount: classes.count, size: box.size, work: work.withoutProgress)
      let voxels = 0..<box.size.voxelCount
      likely = voxels.filter { probabilities[$0] < 0.5 }
      if likely.isEmpty { likely = Array(voxels) }
    }
    let crf =
      try (isWhole && !isExact ? nil : sameImage?.crf)
      ?? DenseCRF(
        images: zip([image] + furtherImages, intensityRanges).map { image, range in
          let voxels = try image.voxels.cropped(to: box, size: image.grid.size, work: work.withoutProgress)
          return DenseCRF.Image(
            voxels: voxels, intensityRange: range.map { voxels.range(within: $0, of: likely, margin: margin) }
          )
        }, size: box.size, spacing: image.grid.spacing, work: work.withoutProgress)
    let made = Prepared(
      box: box, auxiliaryHeadWeights: settings.auxiliaryHeadWeights, crf: crf, unary: unary,
      labelValues: classes.map { labelValues[$0] }, intensityMargin: margin)
    return store(made, isWhole: isWhole)
  }

  /// Bytes of ``preparation(for:_:isWhole:isExact:work:)`` and the kernels of one channel at most: probabilities and
  /// logits of each class (of a mask one byte), and voxels, levels and sorted sample of each image; nil where they
  /// overflow an `Int`.
  private func byteCount(of box: VoxelBounds, isWhole: Bool) -> Int? {
    let ofClasses = if case .mask = source { 1 } else { 2 * labelValues.count * MemoryLayout<Float>.stride }
    // A box may need a lattice, of several vertices for each voxel.
    let perVoxel = ofClasses + (1 + furtherImages.count) * 8 + (isWhole ? 16 : 176)
    return checkedProduct(box.size.voxelCount, perVoxel)
  }

  /// A power of two of four to eight θβ, so that small changes of θβ keep the cached preparation.
  private static func intensityMargin(_ settings: RefinementSettings) -> Float {
    var margin: Float = 4
    while margin < 4 * Float(settings.thetaBetas.max() ?? 1), margin < 1e9 { margin *= 2 }
    return margin
  }

  /// The classes that contribute to a box, and their probabilities: background, the most probable other class, and all
  /// classes of at least ``minimumContribution`` in some voxel.
  ///
  /// The logits of these classes are not changed. A small box has few of many labels, and the cost is linear in
  /// classes.
  private static func contributingClasses(_ probabilities: [Float], _ classCount: Int) -> ([Int], [Float]) {
    let count = probabilities.count / classCount
    let maximumProbabilities = (0..<classCount).map {
      probabilities[$0 * count..<($0 + 1) * count].max() ?? 0
    }
    let second = maximumProbabilities.indices.dropFirst().max {
      maximumProbabilities[$0] < maximumProbabilities[$1]
    }
    let classes = maximumProbabilities.indices.filter {
      $0 == 0 || $0 == second || maximumProbabilities[$0] >= minimumContribution
    }
    return (classes, classes.flatMap { probabilities[$0 * count..<($0 + 1) * count] })
  }

  /// Classes whose probability is below this everywhere are excluded from a part.
  private static let minimumContribution: Float = 0.15

  private func store(_ made: Prepared, isWhole: Bool) -> Prepared {
    cache.withLock { if isWhole { $0.whole = made } else { $0.part = made } }
    return made
  }

  /// The foreground's box with its margin, aligned to multiples of eight voxels: small changes of a kernel width keep
  /// the box, and the CRF's blocks are aligned as in the whole image.
  private func box(around foreground: VoxelBounds, _ settings: RefinementSettings) -> VoxelBounds {
    var box = foreground
    for axis in 0..<3 {
      let marginMillimetres =
        2.5 * max(settings.thetaAlphaMillimetres[axis], settings.thetaGammaMillimetres[axis])
      let voxels = marginMillimetres / image.grid.spacing[axis]
      let margin = min(Int(saturating: voxels.rounded(.up)), image.grid.size[axis])
      let step = DenseCRF.blockAlignment
      box.lower[axis] = max(0, box.lower[axis] - margin) / step * step
      box.upper[axis] = min(image.grid.size[axis], (box.upper[axis] + margin + step) / step * step) - 1
    }
    return box
  }
}

extension [Float] {
  /// The range of the likely foreground's intensities (2nd to 98th percentile of the voxels `likely`), widened by
  /// `margin` and clamped to `limits`.
  ///
  /// Messages between the foreground and intensities beyond the range are negligible with or without clipping, and a
  /// narrower range is filtered faster. Without likely foreground the range is `limits`.
  fileprivate func range(
    within limits: ClosedRange<Float>, of likely: [Int], margin: Float
  ) -> ClosedRange<Float> {
    guard !likely.isEmpty else { return limits }
    let values = likely.map { self[$0] }.sorted()
    let (low, high) = (values[values.count / 50], values[values.count - 1 - values.count / 50])
    // Integer ends, so that integer intensities stay integers.
    let ends = ((low - margin).rounded(.down)...(high + margin).rounded(.up)).clamped(to: limits)
    return ends.lowerBound < ends.upperBound ? ends : limits
  }
}
