import Tensors
import TestSupport
import Testing
import Work

/// Every operation can be stopped at each of its tiles.
@Suite("Cancellation") struct CancellationTests {
  static let fastMethods = ConvolutionMethod.allCases.filter { $0 != .reference }

  /// A convolution with several tiles, that `method` supports.
  static func problem(_ method: ConvolutionMethod) -> ConvolutionCase {
    let geometries = [
      ConvolutionGeometry(kernel: Extent3(3, 5, 5), padding: Extent3(1, 2, 2)),
      ConvolutionGeometry(kernel: Extent3(3), padding: Extent3(1)), ConvolutionGeometry(kernel: Extent3(1)),
    ]
    let supported = geometries.first {
      method.supports(.init(geometry: $0, weightShape: [16, 16, $0.kernel.d, $0.kernel.h, $0.kernel.w]))
    }
    guard let supported else { preconditionFailure("\(method) supports none of \(geometries)") }
    return ConvolutionCase(
      inputChannels: 16, outputChannels: 16, extent: Extent3(24, 60, 64), geometry: supported)
  }

  @Test("a convolution stops at each of its tiles", arguments: fastMethods)
  func convolutionStops(method: ConvolutionMethod) throws {
    let problem = Self.problem(method)
    let (input, weight, bias, gradient) = problem.operands()
    let convolution = try PreparedConvolution(
      weight: weight, geometry: problem.geometry, inputExtent: problem.extent, method: method,
      work: WorkContext())
    try expectStops(atEachOf: 4, "preparation and forward pass") { work in
      let convolution = try PreparedConvolution(
        weight: weight, geometry: problem.geometry, inputExtent: problem.extent, method: method, work: work)
      _ = try convolution.apply(input, bias: bias, activation: .relu, work: work)
    }
    try expectStops(atEachOf: 4, "input gradient") { work in
      _ = try convolutionInputGradient(
        gradient, weight: weight, inputExtent: problem.extent, geometry: problem.geometry, method: method,
        work: work)
    }
    try expectStops(atEachOf: 4, "both gradients") { work in
      _ = try convolution.gradients(input: input, outputGradient: gradient, work: work)
    }
    try expectStops(atEachOf: 4, "weight gradient") { work in
      _ = try convolutionWeightGradient(
        input: input, outputGradient: gradient, geometry: problem.geometry, work: work)
    }
  }

  @Test("a transposed convolution stops at each of its tiles", arguments: [3, 4])
  func transposedConvolutionStops(taps: Int) throws {
    var generator = SplitMix64(seed: 1)
    let geometry = TransposedConvolutionGeometry(
      kernel: Extent3(taps), padding: Extent3(1), outputPadding: Extent3(taps == 3 ? 1 : 0))
    let input = generator.tensor([1, 16, 12, 20, 24])
    let weight = generator.tensor([16, 8, taps, taps, taps])
    let gradient = generator.tensor([1, 8, 24, 40, 48])
    try expectStops(atEachOf: 4, "forward pass") {
      _ = try transposedConvolution(input, weight: weight, geometry: geometry, work: $0)
    }
    try expectStops(atEachOf: 4, "input gradient") {
      _ = try transposedConvolutionInputGradient(gradient, weight: weight, geometry: geometry, work: $0)
    }
    try expectStops(atEachOf: 4, "weight gradient") {
      _ = try transposedConvolutionWeightGradient(
        input: input, outputGradient: gradient, geometry: geometry, work: $0)
    }
  }

  @Test("pooling, normalisation, ReLU, softmax, loss and sums stop at each of their chunks")
  func smallOperationsStop() throws {
    var generator = SplitMix64(seed: 2)
    let input = generator.tensor([1, 4, 20, 40, 48])
    let gradient = generator.tensor([1, 4, 20, 40, 48])
    let halved = PoolingGeometry(kernel: Extent3(2), stride: Extent3(2))
    let pooled = try maxPooling(input, geometry: halved, work: WorkContext())
    let (scale, shift) = (generator.tensor([4]), generator.tensor([4]))
    let normalised = try batchNormalisation(input, scale: scale, shift: shift, work: WorkContext())
    let labels = try LabelsWithHistogram(
      (0..<input.extent.product).map { UInt8($0 % 4) }, work: WorkContext())
    let operations: [(String, Int, (WorkContext) throws -> Void)] = [
      ("pooling", 40, { _ = try maxPooling(input, geometry: halved, work: $0) }),
      (
        "pooling's gradient", 40,
        {
          _ = try maxPoolingInputGradient(
            pooled.output, argMaxIndices: pooled.argMaxIndices, geometry: halved, inputExtent: input.extent,
            work: $0)
        }
      ),
      (
        "batch normalisation", 16, { _ = try batchNormalisation(input, scale: scale, shift: shift, work: $0) }
      ),
      (
        "batch normalisation's gradients", 16,
        {
          _ = try batchNormalisationGradients(
            input: input, outputGradient: gradient, scale: scale, statistics: normalised.statistics, work: $0)
        }
      ),
      (
        "ReLU", 8,
        {
          var output = input
          try relu(&output, work: $0)
        }
      ),
      (
        "ReLU's gradient", 8,
        {
          var output = gradient
          try reluGradient(&output, output: input, work: $0)
        }
      ),
      ("softmax", 2, { _ = try softmax(input, work: $0) }),
      ("loss of voxels", 2, { _ = try softmaxCrossEntropy(logits: input, labels: labels, work: $0) }),
      ("loss of classes", 4, { _ = try softmaxDice(logits: input, labels: labels, work: $0) }),
      ("channel sums", 8, { _ = try channelSums(gradient, work: $0) }),
      (
        "addition", 8,
        {
          var sum = input
          try add(gradient, to: &sum, work: $0)
        }
      ),
    ]
    for (name, least, body) in operations { try expectStops(atEachOf: least, Comment(rawValue: name), body) }
  }
}
