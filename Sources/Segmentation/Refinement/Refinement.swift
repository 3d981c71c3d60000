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
  private let coding: LabelCoding
  /// Of the image and of every further one.
  let intensityRanges: [ClosedRange<Float>?]
  private let postProcessing: PostProcessing
  private let kept = Mutex(Kept())

  /// What the next call may need again.
  private struct Kept {
    /// The foreground's box of the mix of heads used last.
    var foreground: (auxiliaryHeadWeights: [Double], box: VoxelBounds?)?
    /// All of the foreground.
    var whole: Prepared?
    /// The box around the crosshair.
    var part: Prepared?
  }

  /// The CRF of one box and one mix of heads.
  struct Prepared {
    var box: VoxelBounds
    var auxiliaryHeadWeights: [Double]
    var crf: DenseCRF
    var unary: Unary
    /// The voxel value of each class; those that have no say in a part are left out.
    var labelValues: [UInt16]
    /// How far beyond the foreground's intensities others are told apart; 0 for as far as there are any.
    var intensityReach: Float
  }

  /// A refinement.
  /// - Parameters:
  ///   - furtherImages: Images on the same grid that the appearance kernel compares together with the first, each
  ///     with a θβ of its own in the settings.
  ///   - labelValues: The voxel value of each class, background's 0 first.
  ///   - coding: What those stand for; a mask's own coding goes on in what is refined from it.
  ///   - intensityRange: Where intensities are clipped; nil takes the 0.5 to 99.5 percentiles of the image.
  /// - Throws: ``InputError`` for more than 255 labels, when a confidence is not between 1 / classes and 1, or a
  ///   further image has another size; ``Cancelled``.
  package init(
    image: ScalarVolume, furtherImages: [ScalarVolume] = [], source: UnarySource, labelValues: [UInt16],
    coding: LabelCoding = .identity, intensityRange: ClosedRange<Float>?, postProcessing: PostProcessing,
    work: WorkContext
  ) throws {
    guard (2...Unary.mostClasses).contains(labelValues.count) else {
      throw InputError(
        "mask", "has an unusable number of labels to refine", found: "\(labelValues.count - 1)",
        expected: "1 to \(Unary.mostClasses - 1)")
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
      let ends = try image.percentiles([0.005, 0.995], work: work.silent)
      return ends.map { $0[0]...max($0[0], $0[1]) }
    }
  }

  /// Where the image's intensities are clipped; nil where it has none.
  package var intensityRange: ClosedRange<Float>? { intensityRanges[0] }

  /// The refined labels on the image's own grid, post-processed.
  /// - Throws: ``InputError`` for settings that mean nothing; ``Cancelled``.
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
      try work.silent.forEach(count: size.k) { k, _ in
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

  /// The refined labels of one box of the image on the box's own grid, without post-processing: for previews.
  ///
  /// Voxels beyond the box send no messages, so that a border of about one kernel width differs from the whole.
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
      settings.changedLabels.isEmpty ? refined : try limited(refined, of: ready, settings, work: work.silent)
    return (classes, ready.labelValues)
  }

  /// `refined` where it exchanges labels that may change, with each other or background, and else what it came from.
  private func limited(
    _ refined: [UInt8], of ready: Prepared, _ settings: RefinementSettings, work: WorkContext
  ) throws -> [UInt8] {
    var without = settings
    (without.appearanceWeight, without.smoothnessWeight, without.iterations) = (0, 0, 0)
    let before = try ready.crf.refine(ready.unary, settings: without, work: work).labels
    let mayChange = ready.labelValues.map { $0 == 0 || settings.changedLabels.contains($0) }
    return zip(before, refined).map { mayChange[Int($0)] && mayChange[Int($1)] ? $1 : $0 }
  }

  /// Where ``labels(settings:exact:work:)`` refines; nil without foreground.
  private func wholeBox(_ settings: RefinementSettings, work: WorkContext) throws -> VoxelBounds? {
    try foregroundBox(settings.auxiliaryHeadWeights, work: work).map { box(around: $0, settings) }
  }

  /// The foreground's box under a mix of heads, kept from the last call where that had the same mix; nil without foreground.
  func foregroundBox(_ auxiliaryHeadWeights: [Double], work: WorkContext) throws -> VoxelBounds? {
    if let known = kept.withLock({ $0.foreground }), known.auxiliaryHeadWeights == auxiliaryHeadWeights {
      return known.box
    }
    let found = try source.foregroundBounds(
      labelValues: labelValues, auxiliaryHeadWeights: auxiliaryHeadWeights, work: work)
    kept.withLock { $0.foreground = (auxiliaryHeadWeights, found) }
    return found
  }

  /// The CRF of a box, from what is kept as far as it is the same.
  func preparation(
    for box: VoxelBounds, _ settings: RefinementSettings, isWhole: Bool, isExact: Bool = false,
    work: WorkContext
  ) throws -> Prepared {
    let known = kept.withLock { isWhole ? [$0.whole] : [$0.part, $0.whole] }.compactMap(\.self)
    let kept = known.first { $0.box == box }
    let reach = isExact ? 0 : Self.intensityReach(settings)
    let sameImage = kept.flatMap { $0.intensityReach == reach ? $0 : nil }
    if let sameImage, sameImage.auxiliaryHeadWeights == settings.auxiliaryHeadWeights { return sameImage }
    // Only a part may keep the range of intensities of another box or mix of heads: all of the image must come out as it
    // does without what was looked at before.
    if !isWhole, labelValues.count == 2, case .prediction = source,
      let around = known.first(where: {
        $0.auxiliaryHeadWeights == settings.auxiliaryHeadWeights && $0.intensityReach == reach
          && $0.box.contains(box)
      })
    {
      return keep(try around.cropped(to: box), isWhole: false)
    }
    try AvailableMemory.require(
      Self.byteCount(classes: labelValues.count, box: box, images: 1 + furtherImages.count, isWhole: isWhole),
      share: work.memoryShare, subject: "CRF", "\(labelValues.count) classes on \(box.size) voxels")
    let unary: Unary
    var classes = Array(labelValues.indices)
    // Whole images are long: a sample says what their foreground looks like.
    var likely: [Int] = []
    if isWhole {
      unary = try source.unary(
        in: box, labelValues: labelValues, auxiliaryHeadWeights: settings.auxiliaryHeadWeights, work: work)
      if !isExact { likely = unary.likelyForeground(probes: 1 << 20) }
    } else {
      var probabilities = try source.probabilities(
        in: box, labelValues: labelValues, auxiliaryHeadWeights: settings.auxiliaryHeadWeights, work: work)
      (classes, probabilities) = Self.classesWithASay(probabilities, labelValues.count)
      unary = try Unary(
        probabilities: probabilities, classCount: classes.count, size: box.size, work: work.silent)
      let voxels = 0..<box.size.voxelCount
      likely = voxels.filter { probabilities[$0] < 0.5 }
      if likely.isEmpty { likely = Array(voxels) }
    }
    let crf =
      try (isWhole && !isExact ? nil : sameImage?.crf)
      ?? DenseCRF(
        images: zip([image] + furtherImages, intensityRanges).map { image, range in
          let voxels = try image.voxels.cropped(to: box, size: image.grid.size, work: work.silent)
          return DenseCRF.Image(
            voxels: voxels, intensityRange: range.map { voxels.range(within: $0, of: likely, reach: reach) })
        }, size: box.size, spacing: image.grid.spacing, work: work.silent)
    let made = Prepared(
      box: box, auxiliaryHeadWeights: settings.auxiliaryHeadWeights, crf: crf, unary: unary,
      labelValues: classes.map { labelValues[$0] }, intensityReach: reach)
    return keep(made, isWhole: isWhole)
  }

  /// Bytes that ``preparation(for:_:isWhole:isExact:work:)`` and the kernels of one channel take at most: probabilities
  /// and logits of each class, and of each image its voxels, levels and their share of the sorted sample; nil where an
  /// `Int` does not hold them.
  private static func byteCount(classes: Int, box: VoxelBounds, images: Int, isWhole: Bool) -> Int? {
    // A box may need a lattice, of several vertices for each voxel.
    let perVoxel = 2 * classes * MemoryLayout<Float>.stride + images * 8 + (isWhole ? 16 : 176)
    return checkedProduct(box.size.voxelCount, perVoxel)
  }

  /// Four to eight θβ, in steps of factors of 2, so that small turns keep what was prepared.
  private static func intensityReach(_ settings: RefinementSettings) -> Float {
    var reach: Float = 4
    while reach < 4 * Float(settings.thetaBetas.max() ?? 1), reach < 1e9 { reach *= 2 }
    return reach
  }

  /// The classes that are likely, or most likely, in some voxel, and their probabilities; background, one more at least.
  ///
  /// The logits of those that stay are as they were. Few of many labels lie in a small box, and time goes with classes.
  private static func classesWithASay(_ probabilities: [Float], _ classCount: Int) -> ([Int], [Float]) {
    let count = probabilities.count / classCount
    let say = (0..<classCount).map { probabilities[$0 * count..<($0 + 1) * count].max() ?? 0 }
    let second = say.indices.dropFirst().max { say[$0] < say[$1] }
    let classes = say.indices.filter { $0 == 0 || $0 == second || say[$0] >= leastSay }
    return (classes, classes.flatMap { probabilities[$0 * count..<($0 + 1) * count] })
  }

  /// A class that is nowhere more probable than this is left out of a part.
  private static let leastSay: Float = 0.15

  private func keep(_ made: Prepared, isWhole: Bool) -> Prepared {
    kept.withLock { if isWhole { $0.whole = made } else { $0.part = made } }
    return made
  }

  /// The foreground's box and its margin, from a multiple of eight voxels to one, so that small turns of a knob keep
  /// the box and the CRF's blocks lie as they do in the whole image.
  private func box(around foreground: VoxelBounds, _ settings: RefinementSettings) -> VoxelBounds {
    var box = foreground
    for axis in 0..<3 {
      let reach = 2.5 * max(settings.thetaAlphaMillimetres[axis], settings.thetaGammaMillimetres[axis])
      let voxels = reach / image.grid.spacing[axis]
      let margin = min(Int(saturating: voxels.rounded(.up)), image.grid.size[axis])
      let step = DenseCRF.blockAlignment
      box.lower[axis] = max(0, box.lower[axis] - margin) / step * step
      box.upper[axis] = min(image.grid.size[axis], (box.upper[axis] + margin + step) / step * step) - 1
    }
    return box
  }
}

extension [Float] {
  /// The intensities of likely foreground, at positions `likely`, and `reach` beyond, clipped to `limits`.
  ///
  /// What lies further away looks alike to no foreground voxel: clipped there, it says to foreground what it would
  /// say unclipped, and a narrower range is filtered sooner. Without likely foreground these are `limits`.
  fileprivate func range(
    within limits: ClosedRange<Float>, of likely: [Int], reach: Float
  ) -> ClosedRange<Float> {
    guard !likely.isEmpty else { return limits }
    let values = likely.map { self[$0] }.sorted()
    let (low, high) = (values[values.count / 50], values[values.count - 1 - values.count / 50])
    // Whole ends keep whole intensities whole.
    let ends = ((low - reach).rounded(.down)...(high + reach).rounded(.up)).clamped(to: limits)
    return ends.lowerBound < ends.upperBound ? ends : limits
  }
}
