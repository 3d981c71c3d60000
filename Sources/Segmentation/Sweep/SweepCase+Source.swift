import Volumes
import Work

extension SweepCase {
  /// A case of an image, its class probabilities and its ground truth.
  ///
  /// - Parameters:
  ///   - source: The class probabilities, on the image's grid.
  ///   - labelValues: The voxel value of each class, background's 0 first.
  ///   - trueClasses: The true class of each voxel of the image, 0 for background, 255 to ignore it.
  ///   - intensityRange: The range that intensities are clipped to; nil for the 0.5 to 99.5 percentiles.
  ///   - start: The start of the search; its widths determine the margin around the foreground.
  /// - Throws: ``InputError`` when image and probabilities do not fit, or a voxel is not finite; ``Cancelled``.
  package init(
    name: String, image: ScalarVolume, source: UnarySource, labelValues: [UInt16], trueClasses: [UInt8],
    intensityRange: ClosedRange<Float>?, start: RefinementSettings, work: WorkContext
  ) throws {
    let weights = start.auxiliaryHeadWeights
    let foreground = try source.foregroundBounds(
      labelValues: labelValues, auxiliaryHeadWeights: weights, work: work.part(0...0.2))
    let ends =
      try intensityRange == nil ? image.percentiles([0.005, 0.995], work: work.withoutProgress) : nil
    let margin = (0..<3).map { axis in
      let marginMillimetres =
        2.5 * max(start.thetaAlphaMillimetres[axis], start.thetaGammaMillimetres[axis])
      return min(Int(saturating: (marginMillimetres / image.grid.spacing[axis]).rounded(.up)), 64)
    }
    try self.init(
      name: name, image: image,
      probabilities: { box in
        try source.probabilities(
          in: box, labelValues: labelValues, auxiliaryHeadWeights: weights, work: work.part(0.2...0.5))
      }, box: foreground?.grown(by: margin, within: image.grid.size), classCount: labelValues.count,
      trueClasses: trueClasses,
      intensityRange: intensityRange ?? ends.map { $0[0]...max($0[0], $0[1]) } ?? 0...1,
      work: work.part(0.5...1))
  }
}
