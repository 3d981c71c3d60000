import Volumes
import Work

/// The mean field with every pair of voxels in double precision and untruncated kernels.
///
/// The appearance kernel costs O(n²) per iteration and channel, the separable smoothness kernel O(n (i + j + k)).
/// Intensities are clipped to the range but not rounded.
struct ExactMeanField: Sendable {
  private let size: GridSize
  private let settings: RefinementSettings
  /// The one-dimensional kernels with θα and with θγ, by axis and distance in voxels.
  private let alpha, gamma: [[Double]]
  /// Clipped intensities in units of θβ, [voxel, image].
  private let intensities: [Double]
  private let imageCount: Int
  /// The factors that the normalisation applies before and after each kernel: powers of the kernel's row sums.
  private var before, after: (appearance: [Double], smoothness: [Double])

  init(crf: DenseCRF, settings: RefinementSettings, work: WorkContext) throws(Cancelled) {
    size = crf.size
    self.settings = settings
    func table(_ theta: Spacing) -> [[Double]] {
      let sigmas = crf.voxels(theta)
      return (0..<3).map { axis in (0..<crf.size[axis]).map { gaussian(Double($0) / sigmas[axis]) } }
    }
    alpha = table(settings.thetaAlphaMillimetres)
    gamma = table(settings.thetaGammaMillimetres)
    imageCount = crf.images.count
    intensities = (0..<crf.size.voxelCount).flatMap { voxel in
      zip(crf.images, settings.thetaBetas).map { image, thetaBeta in
        Double(min(max(image.voxels[voxel], image.range.lowerBound), image.range.upperBound)) / thetaBeta
      }
    }
    let ones = [Double](repeating: 1, count: crf.size.voxelCount)
    before = (ones, ones)
    after = (ones, ones)
    let exponents = settings.normalisation.exponents
    let appearance = try appearanceSums(ones, skipsSelf: false, work: work.withoutProgress)
    work.report(0.15)
    let smoothness = try smoothnessSums(ones, work: work.withoutProgress)
    func power(_ sums: [Double], _ exponent: Double) -> [Double] {
      exponent == 0 ? ones : sums.map { exponent == -1 ? 1 / $0 : 1 / $0.squareRoot() }
    }
    before = (power(appearance, exponents.before), power(smoothness, exponents.before))
    after = (power(appearance, exponents.after), power(smoothness, exponents.after))
  }

  func run(_ unary: Unary, wantsMarginals: Bool, work: WorkContext) throws(Cancelled) -> MeanFieldResult {
    let channels = unary.classCount - 1
    let count = size.voxelCount
    var logits = (0..<channels).map { channel in
      (0..<count).map { Double(unary.logits.start[channel * unary.stride + unary.position($0)]) }
    }
    let unaryLogits = logits
    for iteration in 0..<settings.iterations {
      let differences = Self.marginals(logits)
      for channel in 0..<channels {
        let difference = zip(differences[channel + 1], differences[0]).map { $0 - $1 }
        logits[channel] = zip(unaryLogits[channel], try message(difference, work: work.withoutProgress)).map {
          $0 + $1
        }
        let done = Double(iteration * channels + channel + 1) / Double(settings.iterations * channels)
        work.report(0.15 + 0.85 * done)
      }
    }
    let marginals = Self.marginals(logits)
    let labels = (0..<count).map { voxel in
      UInt8((0...channels).reduce(0) { marginals[$1][voxel] > marginals[$0][voxel] ? $1 : $0 })
    }
    work.report(1)
    return MeanFieldResult(
      labels: labels, marginals: wantsMarginals ? marginals.flatMap { $0.map(Float.init) } : nil)
  }

  /// The weighted messages of both kernels.
  private func message(_ values: [Double], work: WorkContext) throws(Cancelled) -> [Double] {
    var sum = [Double](repeating: 0, count: values.count)
    if settings.appearanceWeight > 0 {
      let sent = zip(values, before.appearance).map { $0 * $1 }
      let received = try appearanceSums(sent, skipsSelf: settings.excludesSelf, work: work)
      for voxel in sum.indices {
        sum[voxel] += settings.appearanceWeight * after.appearance[voxel] * received[voxel]
      }
    }
    if settings.smoothnessWeight > 0 {
      let sent = zip(values, before.smoothness).map { $0 * $1 }
      let received = try smoothnessSums(sent, work: work)
      for voxel in sum.indices {
        let others = settings.excludesSelf ? received[voxel] - sent[voxel] : received[voxel]
        sum[voxel] += settings.smoothnessWeight * after.smoothness[voxel] * others
      }
    }
    return sum
  }

  private func appearanceSums(
    _ values: [Double], skipsSelf: Bool, work: WorkContext
  ) throws(Cancelled) -> [Double] {
    var sums = [Double](repeating: 0, count: values.count)
    let (size, alpha, imageCount) = (self.size, self.alpha, self.imageCount)
    try sums.withUnsafeMutableBufferPointer { sums throws(Cancelled) in
      let sums = DisjointBuffer(sums)
      try work.forEach(count: values.count, grain: 4) { voxel, _ in
        let own = size.index(offset: voxel)
        var sum = 0.0
        var other = 0
        for k in 0..<size.k {
          if work.cancellation.isRequested { return }
          for j in 0..<size.j {
            let spatial = alpha[2][abs(k - own.k)] * alpha[1][abs(j - own.j)]
            for i in 0..<size.i {
              var square = 0.0
              for image in 0..<imageCount {
                let difference =
                  intensities[other * imageCount + image] - intensities[voxel * imageCount + image]
                square += difference * difference
              }
              sum += spatial * alpha[0][abs(i - own.i)] * exponential(-0.5 * square) * values[other]
              other += 1
            }
          }
        }
        sums[voxel] = skipsSelf ? sum - values[voxel] : sum
      }
    }
    try work.checkCancellation()
    return sums
  }

  private func smoothnessSums(_ values: [Double], work: WorkContext) throws(Cancelled) -> [Double] {
    var result = values
    var step = 1
    for axis in 0..<3 {
      let extent = size[axis]
      let taps = gamma[axis]
      let lines = values.count / extent
      let stride = step
      try result.withUnsafeMutableBufferPointer { result throws(Cancelled) in
        let result = DisjointBuffer(result)
        try work.forEach(count: lines, grain: 16) { line, _ in
          let start = line / stride * stride * extent + line % stride
          let old = (0..<extent).map { result[start + $0 * stride] }
          for x in 0..<extent {
            result[start + x * stride] = (0..<extent).reduce(0.0) { $0 + taps[abs($1 - x)] * old[$1] }
          }
        }
      }
      step *= extent
    }
    return result
  }

  /// Q of class 0 and of every channel.
  private static func marginals(_ logits: [[Double]]) -> [[Double]] {
    let count = logits[0].count
    var result = [[Double]](repeating: [Double](repeating: 0, count: count), count: logits.count + 1)
    for voxel in 0..<count {
      let highest = logits.reduce(0.0) { max($0, $1[voxel]) }
      var sum = exponential(-highest)
      result[0][voxel] = sum
      for (channel, values) in logits.enumerated() {
        result[channel + 1][voxel] = exponential(values[voxel] - highest)
        sum += result[channel + 1][voxel]
      }
      for label in result.indices { result[label][voxel] /= sum }
    }
    return result
  }
}
