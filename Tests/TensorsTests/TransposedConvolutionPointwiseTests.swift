import Tensors
import TestSupport
import Testing
import Work

@Suite struct TransposedConvolutionPointwiseTests {
  private static let cases:
    [(geometry: TransposedConvolutionGeometry, biases: (own: Bool, pointwiseWeight: Bool))] = [
      (.init(kernel: Extent3(4), padding: Extent3(1)), (true, true)),
      (.init(kernel: Extent3(3, 2, 4), padding: Extent3(1, 0, 1)), (false, true)),
      (.init(kernel: Extent3(3), padding: Extent3(1), outputPadding: Extent3(1)), (true, false)),
      (.init(kernel: Extent3(2)), (false, false)),
    ]

  @Test(
    "a transposed convolution and a pointwise convolution are one transposed convolution, with the gradients of both",
    arguments: cases.indices)
  func references(index: Int) throws {
    let (geometry, biases) = Self.cases[index]
    var generator = SplitMix64(seed: UInt64(20 + index))
    let (inputChannels, middleChannels, outputChannels) = (5, 4, 3)
    let (k, extent) = (geometry.kernel, Extent3(3, 4, 5))
    let input = generator.tensor([2, inputChannels, extent.d, extent.h, extent.w])
    let weight = generator.tensor([inputChannels, middleChannels, k.d, k.h, k.w])
    let pointwiseWeight = generator.tensor([outputChannels, middleChannels, 1, 1, 1])
    let bias = biases.own ? generator.tensor([middleChannels]) : nil
    let pointwiseBias = biases.pointwiseWeight ? generator.tensor([outputChannels]) : nil
    let mixed = TransposedConvolutionPointwise(
      weight: weight, bias: bias, pointwiseWeight: pointwiseWeight, pointwiseBias: pointwiseBias)
    let work = WorkContext(threadCount: 2)

    let inside = transposedConvolutionReference(
      ReferenceTensor(input), weight: ReferenceTensor(weight), bias: bias.map { ReferenceTensor($0) },
      geometry: geometry)
    let pointwise = ConvolutionGeometry(kernel: Extent3(1))
    let logits = convolutionReference(
      inside, weight: ReferenceTensor(pointwiseWeight), bias: pointwiseBias.map { ReferenceTensor($0) },
      geometry: pointwise)
    let output = try transposedConvolution(
      input, weight: mixed.product.weight, bias: mixed.product.bias, geometry: geometry, work: work)
    expectClose(output, logits)

    let gradient = generator.tensor(output.shape)
    let found = mixed.gradients(
      productWeight: try transposedConvolutionWeightGradient(
        input: input, outputGradient: gradient, geometry: geometry, work: work),
      productBias: try channelSums(gradient, work: work))
    let betweenGradient = convolutionInputGradientReference(
      ReferenceTensor(gradient), weight: ReferenceTensor(pointwiseWeight), inputExtent: output.extent,
      geometry: pointwise)
    expectClose(
      found.weight,
      convolutionWeightGradientReference(
        input: betweenGradient, outputGradient: ReferenceTensor(input), geometry: geometry.adjoint))
    expectClose(
      found.pointwiseWeight,
      convolutionWeightGradientReference(
        input: inside, outputGradient: ReferenceTensor(gradient), geometry: pointwise))
    expectClose(found.bias, betweenGradient.channelSums)
    expectClose(found.pointwiseBias, ReferenceTensor(gradient).channelSums)
    let inputGradient = try transposedConvolutionInputGradient(
      gradient, weight: mixed.product.weight, geometry: geometry, work: work)
    expectClose(
      inputGradient,
      convolutionReference(
        betweenGradient, weight: ReferenceTensor(weight), bias: nil, geometry: geometry.adjoint))
  }
}

extension ReferenceTensor {
  /// The sum of every channel.
  fileprivate var channelSums: ReferenceTensor {
    var sums = ReferenceTensor(shape: [shape[1]])
    for (index, value) in elements.enumerated() {
      sums.elements[index / extent.product % shape[1]] += value
    }
    return sums
  }
}
