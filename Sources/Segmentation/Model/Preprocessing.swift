import Volumes
import Work

/// How an image becomes a network's input: orientation, working grid, intensities.
///
/// Part of every model file.
package struct Preprocessing: Hashable, Sendable, Codable {
  /// What intensities become.
  ///
  /// Whatever the rule, 0 is what the convolutions' padding looks like.
  package enum Normalisation: Hashable, Sendable {
    /// Clipped to lower...upper and scaled to 0...1, so that padding looks like the lower end: air in a CT.
    case window(lower: Float, upper: Float)
    /// (value - mean) / standard deviation, both over the voxels above 0, as the heart network's authors do.
    case standardScore
  }

  /// Anatomical directions of the network's axes, "RAS".
  package var orientation: String
  /// Voxel size of the working grid.
  package var spacingMillimetres: Spacing
  /// The intensity rule.
  package var normalisation: Normalisation
  /// Millimetres that the images of the training reached along each of the network's axes; nil where nobody noted it.
  package var trainedExtentsMillimetres: [ClosedRange<Double>]?

  /// A preprocessing.
  package init(
    orientation: String = "RAS", spacingMillimetres: Spacing, normalisation: Normalisation,
    trainedExtentsMillimetres: [ClosedRange<Double>]? = nil
  ) {
    self.orientation = orientation
    self.spacingMillimetres = spacingMillimetres
    self.normalisation = normalisation
    self.trainedExtentsMillimetres = trainedExtentsMillimetres
  }

  /// The intensity rule applied to every voxel of `intensities`.
  ///
  /// An image without a voxel above 0, or of one value only, becomes 0 everywhere under `standardScore`.
  /// - Throws: `Cancelled`.
  package func normalised(_ intensities: [Float], work: WorkContext) throws(Cancelled) -> [Float] {
    let rule = try intensityRule(for: intensities, work: work)
    let count = intensities.count
    return try [Float](count: count) { normalised throws(Cancelled) in
      try intensities.withUnsafeBufferPointer { intensities throws(Cancelled) in
        let intensities = SharedBuffer(intensities)
        try work.forEach(count: Self.chunkCount(count)) { chunk, _ in
          for index in Self.chunk(chunk, of: count) {
            normalised[index] = rule(intensities[index])
          }
        }
      }
    }
  }

  /// Voxels between two chances to stop.
  private static let chunkSize = 1 << 18
  private static func chunkCount(_ count: Int) -> Int { (count + chunkSize - 1) / chunkSize }
  private static func chunk(_ index: Int, of count: Int) -> Range<Int> {
    index * chunkSize..<min((index + 1) * chunkSize, count)
  }

  /// What an intensity becomes in one image: (clip(value, lower...upper) - offset) * scale.
  struct IntensityRule: Sendable {
    var offset, scale, lower, upper: Float

    func callAsFunction(_ value: Float) -> Float { (min(max(value, lower), upper) - offset) * scale }
  }

  /// The rule for an image of these intensities.
  func intensityRule(for intensities: [Float], work: WorkContext) throws(Cancelled) -> IntensityRule {
    switch normalisation {
    case .window(let lower, let upper):
      return IntensityRule(offset: lower, scale: 1 / (upper - lower), lower: lower, upper: upper)
    case .standardScore:
      var count = 0.0
      var sum = 0.0
      var squares = 0.0
      for chunk in 0..<Self.chunkCount(intensities.count) {
        try work.checkCancellation()
        for value in intensities[Self.chunk(chunk, of: intensities.count)] where value > 0 {
          count += 1
          sum += Double(value)
          squares += Double(value) * Double(value)
        }
      }
      let mean = count > 0 ? sum / count : 0
      let deviation = count > 0 ? max(0, squares / count - mean * mean).squareRoot() : 0
      let everything = Float.greatestFiniteMagnitude
      return IntensityRule(
        offset: Float(mean), scale: deviation > 0 ? Float(1 / deviation) : 0, lower: -everything,
        upper: everything)
    }
  }
}

extension Preprocessing.Normalisation: Codable {
  private enum Key: CodingKey { case kind, lower, upper }

  /// Reads `{"kind": "window", "lower": -125, "upper": 240}` or `{"kind": "standard-score"}`.
  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    switch try values.decode(String.self, forKey: .kind) {
    case "window":
      let lower = try values.decode(Float.self, forKey: .lower)
      let upper = try values.decode(Float.self, forKey: .upper)
      guard lower < upper, lower.isFinite, upper.isFinite else {
        throw DecodingError.dataCorruptedError(
          forKey: .upper, in: values, debugDescription: "window from \(lower) to \(upper)")
      }
      self = .window(lower: lower, upper: upper)
    case "standard-score": self = .standardScore
    case let kind:
      throw DecodingError.dataCorruptedError(
        forKey: .kind, in: values, debugDescription: "unknown normalisation \(kind)")
    }
  }

  /// Writes what ``init(from:)`` reads.
  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    switch self {
    case .window(let lower, let upper):
      try values.encode("window", forKey: .kind)
      try values.encode(lower, forKey: .lower)
      try values.encode(upper, forKey: .upper)
    case .standardScore: try values.encode("standard-score", forKey: .kind)
    }
  }
}

extension Preprocessing {
  /// Refuses numbers that no image can be prepared with.
  /// - Throws: ``InputError`` about `subject`: an orientation that is none, a spacing, window or extent of the training
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
    try normalisation.validated(subject: subject)
    for range in trainedExtentsMillimetres ?? [] {
      guard UsableRange.extentMillimetres.contains(range.lowerBound),
        UsableRange.extentMillimetres.contains(range.upperBound)
      else {
        throw InputError(
          subject, "extent of the images of the training is unusable",
          found: "\(range.lowerBound) to \(range.upperBound) mm",
          expected: "0 to \(UsableRange.extentMillimetres.upperBound) mm")
      }
    }
  }

  /// The orientation as axes.
  /// - Throws: ``InputError`` when the text is no orientation such as "RAS".
  package var parsedOrientation: Orientation {
    get throws(InputError) {
      guard let parsed = Orientation(code: orientation) else {
        throw InputError("preprocessing", "orientation", found: orientation, expected: "a code such as RAS")
      }
      return parsed
    }
  }

  /// Voxels of a working grid for each of an image at most, ten along each axis: between them nothing is known, and
  /// lengths are in another unit as a rule.
  private static let mostVoxelsPerVoxel = 1000
  /// Voxels that a working grid may have whatever the image is.
  private static let leastMostVoxels = 1 << 20

  /// The image as the network sees it: its axes, its intensities, and the spacing of the model or the image's own.
  /// - Throws: ``InputError`` when the orientation is none, the image's voxels are far too large for the spacing, or the
  ///   working grid does not fit in memory; ``Cancelled``.
  package func prepared(
    _ image: ScalarVolume, grid: WorkingGrid = .model, work: WorkContext
  ) throws -> ScalarVolume {
    let axes = ReorientedGrid(image.grid, orientation: try parsedOrientation)
    let target =
      try grid == .image ? axes.grid : axes.grid.resampled(to: spacingMillimetres, subject: "image")
    let most = max(Self.leastMostVoxels, image.voxels.count * Self.mostVoxelsPerVoxel)
    guard target.size.voxelCount <= most else {
      let (own, wanted) = (axes.grid.spacing, spacingMillimetres)
      throw InputError(
        "image", "voxels are too large for a working grid of \(wanted.i) x \(wanted.j) x \(wanted.k) mm",
        found: "\(own.i) x \(own.j) x \(own.k) mm, \(target.size) voxels of the grid",
        expected: "at most \(most)")
    }
    // The reoriented image, its normalised copy, the working grid and what the resampling of a slice needs.
    try AvailableMemory.require(
      checkedProduct(2 * image.voxels.count + target.size.voxelCount, MemoryLayout<Float>.stride),
      subject: "image",
      "its working grid of \(target.size) voxels")
    var reoriented = try axes.reoriented(image, work: work)
    reoriented.voxels = try normalised(reoriented.voxels, work: work)
    return grid == .image ? reoriented : try reoriented.resampled(to: target, work: work)
  }
}

extension Preprocessing.Normalisation {
  /// Refuses a window whose ends 32-bit floats cannot tell apart or subtract.
  /// - Throws: ``InputError`` about `subject`.
  package func validated(subject: String) throws(InputError) {
    guard case .window(let lower, let upper) = self else { return }
    guard lower < upper, (1 / (upper - lower)).isFinite, UsableRange.intensity.contains(Double(lower)),
      UsableRange.intensity.contains(Double(upper))
    else {
      throw InputError(
        subject, "window is unusable", found: "\(lower) to \(upper)",
        expected: "a lower and a higher intensity of at most \(UsableRange.intensity.upperBound)")
    }
  }

  /// Where a CRF clips intensities; nil takes the image's own percentiles.
  package var refinementRange: ClosedRange<Float>? {
    if case .window(let lower, let upper) = self { return lower...upper }
    return nil
  }
}
