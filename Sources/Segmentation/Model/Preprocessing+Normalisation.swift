import Volumes
import Work

extension Preprocessing {
  /// The intensity normalisation of an image.
  ///
  /// Convolutions pad with 0, which each case maps to an intensity of the image.
  package enum Normalisation: Hashable, Sendable {
    /// Clipped to lower...upper and scaled to 0...1; padding equals the lower end, air in a CT.
    case window(lower: Float, upper: Float)
    /// (value - mean) / standard deviation, both over the voxels above 0, as the heart network's authors do.
    case standardScore
    /// (value - mean) / standard deviation, both over all voxels: nnU-Net's `ZScoreNormalization`.
    case standardScoreOfAll
    /// (value - mean) / standard deviation, both over the voxels that are not 0, which alone are changed: MONAI's
    /// `NormalizeIntensityd` with `nonzero`.
    case standardScoreOfNonZero
    /// (value - mean) / standardDeviation with stated numbers, after values were clipped to `clip` where it is there:
    /// nnU-Net's `CTNormalization`, and every linear map of a range.
    case statedScore(mean: Float, standardDeviation: Float, clip: ClosedRange<Float>?)
    /// The image's percentiles `lower` and `upper`, 0 to 100, become 0 and 1, and values beyond them are clipped; 0 and 100
    /// are its least and its greatest intensity.
    case percentiles(lower: Float, upper: Float)
  }

  /// The normalisation of one image's intensities: (clip(value, lower...upper) - shift) * scale.
  struct IntensityTransform: Sendable {
    var shift, scale, lower, upper: Float
    /// Whether 0 stays 0.
    var keepsZero = false

    init(shift: Float, scale: Float, clip: ClosedRange<Float>? = nil, keepsZero: Bool = false) {
      let everything = Float.greatestFiniteMagnitude
      (self.shift, self.scale, self.keepsZero) = (shift, scale, keepsZero)
      (lower, upper) = (clip?.lowerBound ?? -everything, clip?.upperBound ?? everything)
    }

    func callAsFunction(_ value: Float) -> Float {
      keepsZero && value == 0 ? 0 : (min(max(value, lower), upper) - shift) * scale
    }
  }
}

extension Preprocessing.Normalisation {
  /// Whether releases that only know the format of version 1 can read it.
  package var isOfFirstVersion: Bool {
    switch self {
    case .window, .standardScore: true
    case .standardScoreOfAll, .standardScoreOfNonZero, .statedScore, .percentiles: false
    }
  }

  /// The transform for an image of the voxels `voxels`.
  ///
  /// An image of one value only, or without a voxel that counts, becomes 0 everywhere under the standard scores and
  /// `percentiles`.
  ///
  /// - Parameter order: The order in which voxels are added, which determines the last bits of the sums.
  /// - Throws: `Cancelled`.
  /// - Complexity: O(voxels).
  func transform(
    for voxels: IntensityVoxels, size: GridSize, order: Reorientation = .identity, work: WorkContext
  ) throws(Cancelled) -> Preprocessing.IntensityTransform {
    switch self {
    case .window(let lower, let upper):
      return Preprocessing.IntensityTransform(shift: lower, scale: 1 / (upper - lower), clip: lower...upper)
    case .statedScore(let mean, let standardDeviation, let clip):
      return Preprocessing.IntensityTransform(shift: mean, scale: 1 / standardDeviation, clip: clip)
    case .standardScore:
      return try score(of: voxels, size, order, work) { $0 > 0 }
    case .standardScoreOfAll:
      return try score(of: voxels, size, order, work) { _ in true }
    case .standardScoreOfNonZero:
      var transform = try score(of: voxels, size, order, work) { $0 != 0 }
      transform.keepsZero = true
      return transform
    case .percentiles(let lower, let upper):
      let volume = ScalarVolume(
        grid: VolumeGrid(size: size, affine: Affine(spacing: Spacing(1))), voxels: voxels)
      let found = try volume.percentiles([Double(lower) / 100, Double(upper) / 100], work: work) ?? [0, 0]
      let width = found[1] - found[0]
      return Preprocessing.IntensityTransform(
        shift: found[0], scale: width > 0 ? 1 / width : 0, clip: found[0]...found[1])
    }
  }

  /// The standard score by the voxels that count.
  private func score(
    of voxels: IntensityVoxels, _ size: GridSize, _ order: Reorientation, _ work: WorkContext,
    counts: (Float) -> Bool
  ) throws(Cancelled) -> Preprocessing.IntensityTransform {
    var count = 0.0
    var sum = 0.0
    var squares = 0.0
    let sliceSize = order.size(size)
    var slice = [Float](repeating: 0, count: sliceSize.i * sliceSize.j)
    for k in 0..<sliceSize.k {
      try work.checkCancellation()
      slice.withUnsafeMutableBufferPointer { slice in
        order.writeSlice(k, of: voxels, size: size, to: slice.baseAddress!)
      }
      for value in slice where counts(value) {
        count += 1
        sum += Double(value)
        squares += Double(value) * Double(value)
      }
    }
    let mean = count > 0 ? sum / count : 0
    let standardDeviation = count > 0 ? max(0, squares / count - mean * mean).squareRoot() : 0
    return Preprocessing.IntensityTransform(
      shift: Float(mean), scale: standardDeviation > 0 ? Float(1 / standardDeviation) : 0)
  }
}

extension Preprocessing.Normalisation: Codable {
  private enum Key: CodingKey { case kind, lower, upper, mean, standardDeviation }

  private enum Kind: String, CaseIterable {
    case window
    case standardScore = "standard-score"
    case standardScoreOfAll = "standard-score-of-all"
    case standardScoreOfNonZero = "standard-score-of-nonzero"
    case statedScore = "stated-score"
    case percentiles
  }

  /// Reads `{"kind": "window", "lower": -125, "upper": 240}`, `{"kind": "standard-score"}`,
  /// `{"kind": "standard-score-of-all"}`, `{"kind": "standard-score-of-nonzero"}`,
  /// `{"kind": "stated-score", "mean": 99, "standardDeviation": 37, "lower": -25, "upper": 212}`, of which the last two may
  /// be absent, or `{"kind": "percentiles", "lower": 2, "upper": 98}`.
  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    let name = try values.decode(String.self, forKey: .kind)
    func range() throws -> ClosedRange<Float> {
      let lower = try values.decode(Float.self, forKey: .lower)
      let upper = try values.decode(Float.self, forKey: .upper)
      guard lower < upper, lower.isFinite, upper.isFinite else {
        throw DecodingError.dataCorruptedError(
          forKey: .upper, in: values, debugDescription: "\(name) from \(lower) to \(upper)")
      }
      return lower...upper
    }
    switch Kind(rawValue: name) {
    case .window:
      let range = try range()
      self = .window(lower: range.lowerBound, upper: range.upperBound)
    case .standardScore: self = .standardScore
    case .standardScoreOfAll: self = .standardScoreOfAll
    case .standardScoreOfNonZero: self = .standardScoreOfNonZero
    case .statedScore:
      self = .statedScore(
        mean: try values.decode(Float.self, forKey: .mean),
        standardDeviation: try values.decode(Float.self, forKey: .standardDeviation),
        clip: values.contains(.lower) || values.contains(.upper) ? try range() : nil)
    case .percentiles:
      let range = try range()
      self = .percentiles(lower: range.lowerBound, upper: range.upperBound)
    case nil:
      throw DecodingError.dataCorruptedError(
        forKey: .kind, in: values, debugDescription: "unknown normalisation \(name)")
    }
  }

  /// Writes what ``init(from:)`` reads.
  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    func write(_ kind: Kind, _ range: ClosedRange<Float>? = nil) throws {
      try values.encode(kind.rawValue, forKey: .kind)
      try values.encodeIfPresent(range?.lowerBound, forKey: .lower)
      try values.encodeIfPresent(range?.upperBound, forKey: .upper)
    }
    switch self {
    case .window(let lower, let upper): try write(.window, lower...upper)
    case .standardScore: try write(.standardScore)
    case .standardScoreOfAll: try write(.standardScoreOfAll)
    case .standardScoreOfNonZero: try write(.standardScoreOfNonZero)
    case .statedScore(let mean, let standardDeviation, let clip):
      try write(.statedScore, clip)
      try values.encode(mean, forKey: .mean)
      try values.encode(standardDeviation, forKey: .standardDeviation)
    case .percentiles(let lower, let upper): try write(.percentiles, lower...upper)
    }
  }
}

extension Preprocessing.Normalisation {
  /// Checks that numbers are in range, and that those which divide do not overflow 32-bit floats.
  /// - Throws: ``InputError`` about `subject`.
  package func validated(subject: String) throws(InputError) {
    switch self {
    case .standardScore, .standardScoreOfAll, .standardScoreOfNonZero: break
    case .window(let lower, let upper):
      guard lower < upper, (1 / (upper - lower)).isFinite, UsableRange.intensity.contains(Double(lower)),
        UsableRange.intensity.contains(Double(upper))
      else {
        throw InputError(
          subject, "window is unusable", found: "\(lower) to \(upper)",
          expected: "a lower and a higher intensity of at most \(UsableRange.intensity.upperBound)")
      }
    case .statedScore(let mean, let standardDeviation, let clip):
      let numbers = [mean, standardDeviation, clip?.lowerBound ?? 0, clip?.upperBound ?? 0]
      guard numbers.allSatisfy({ UsableRange.intensity.contains(Double($0)) }), standardDeviation > 0,
        (1 / standardDeviation).isFinite
      else {
        throw InputError(
          subject, "mean and standard deviation are unusable", found: "\(mean), \(standardDeviation)",
          expected: "intensities of at most \(UsableRange.intensity.upperBound), the second above 0")
      }
    case .percentiles(let lower, let upper):
      guard lower < upper, lower >= 0, upper <= 100 else {
        throw InputError(
          subject, "percentiles are unusable", found: "\(lower) to \(upper)",
          expected: "a lower and a higher number from 0 to 100")
      }
    }
  }

  /// The range that a CRF clips intensities to; nil for the image's own percentiles.
  package var refinementRange: ClosedRange<Float>? {
    switch self {
    case .window(let lower, let upper): lower...upper
    case .statedScore(_, _, let clip): clip
    case .standardScore, .standardScoreOfAll, .standardScoreOfNonZero, .percentiles: nil
    }
  }
}
