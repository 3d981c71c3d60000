import Foundation
import Tensors
import TestSupport
import Testing
import Work

@Suite struct NormalisationTests {
  @Test(
    "batch normalisation and its gradients equal the references",
    arguments: [[1, 1, 1, 1, 3], [2, 3, 4, 5, 7], [3, 8, 2, 9, 33], [1, 2, 3, 100, 67]])
  func training(_ shape: [Int]) throws {
    var generator = SplitMix64(seed: 7)
    var input = generator.tensor(shape)
    // A mean that is large against the deviation.
    for index in input.elements.indices { input.elements[index] += 8 }
    let (scale, shift) = (generator.tensor([shape[1]]), generator.tensor([shape[1]]))
    let gradient = generator.tensor(shape)
    let (x, s) = (ReferenceTensor(input), ReferenceTensor(scale))
    let expected = batchNormalisationReference(x, scale: s, shift: ReferenceTensor(shift))
    let gradients = batchNormalisationGradientsReference(
      input: x, outputGradient: ReferenceTensor(gradient), scale: s)
    let count = Double(input.elements.count / shape[1])
    try atEveryLevel { threads, what in
      let work = WorkContext(threadCount: threads)
      let (output, statistics) = try batchNormalisation(input, scale: scale, shift: shift, work: work)
      // Rounding the mean of 8 to single precision moves every output by up to 1e-6 deviations.
      expectClose(output, expected.output, tolerance: 5e-6, what)
      for channel in 0..<shape[1] {
        let variance = expected.biasedVariance[channel]
        #expect(abs(Double(statistics.mean[channel]) - expected.mean[channel]) < 1e-5, what)
        #expect(abs(Double(statistics.biasedVariance[channel]) / variance - 1) < 1e-5, what)
        #expect(
          abs(Double(statistics.unbiasedVariance[channel]) * (count - 1) / (variance * count) - 1) < 1e-5,
          what)
      }
      let found = try batchNormalisationGradients(
        input: input, outputGradient: gradient, scale: scale, statistics: statistics, work: work)
      expectClose(found.input, gradients.input, tolerance: 1e-5, what)
      expectClose(found.scale, gradients.scale, tolerance: 1e-5, what)
      expectClose(found.shift, gradients.shift, tolerance: 1e-5, what)
    }
  }

  @Test("inference normalises by the running statistics")
  func inference() throws {
    let input = Tensor(shape: [1, 2, 1, 1, 3], elements: [1, 2, 3, -1, 0, 1])
    let output = try batchNormalisation(
      input, scale: Tensor(shape: [2], elements: [2, 1]), shift: Tensor(shape: [2], elements: [0, 5]),
      mean: Tensor(shape: [2], elements: [2, 0]), variance: Tensor(shape: [2], elements: [4, 0.25]),
      epsilon: 0, work: WorkContext(threadCount: 1))
    #expect(output.elements == [-1, 0, 1, 3, 5, 7])
  }

  @Test("the references' gradients are the derivatives of the reference")
  func finiteDifferences() {
    var generator = SplitMix64(seed: 8)
    let input = ReferenceTensor(generator.tensor([2, 2, 2, 3, 3]))
    let (scale, shift) = (
      ReferenceTensor(generator.tensor([2])), ReferenceTensor(generator.tensor([2]))
    )
    let gradient = ReferenceTensor(generator.tensor(input.shape))
    let found = batchNormalisationGradientsReference(input: input, outputGradient: gradient, scale: scale)
    #expect(
      differenceError(found.input, at: input) {
        dot(batchNormalisationReference($0, scale: scale, shift: shift).output, gradient)
      } < 1e-6)
    #expect(
      differenceError(found.scale, at: scale) {
        dot(batchNormalisationReference(input, scale: $0, shift: shift).output, gradient)
      } < 1e-7)
    #expect(
      differenceError(found.shift, at: shift) {
        dot(batchNormalisationReference(input, scale: scale, shift: $0).output, gradient)
      } < 1e-7)
  }
}

@Suite struct ReLUTests {
  @Test("ReLU zeroes negative values, keeps NaN, and passes gradients where it passed values")
  func values() throws {
    var tensor = Tensor(shape: [1, 1, 1, 1, 5], elements: [-1, 0, 2, .nan, -.infinity])
    let work = WorkContext(threadCount: 1)
    try relu(&tensor, work: work)
    #expect(tensor.elements[0..<3] == [0, 0, 2] && tensor.elements[3].isNaN && tensor.elements[4] == 0)
    var gradient = Tensor(shape: [1, 1, 1, 1, 5], elements: [1, 2, 3, 4, 5])
    tensor.elements[3] = 1
    let sums = try reluGradient(&gradient, output: tensor, work: work)
    #expect(gradient.elements == [0, 0, 3, 4, 0])
    #expect(sums.elements == [7])
    let kept = Tensor(shape: [1, 1, 1, 1, 5], elements: [1, 2, 3, 4, 5])
    #expect(try channelSums(kept, wherePositive: tensor, work: work).elements == [7])
  }

  @Test("sums, scaling and addition work on every element, whatever the number of threads")
  func arithmetic() throws {
    var generator = SplitMix64(seed: 9)
    let (a, b) = (generator.tensor([2, 3, 5, 60, 70]), generator.tensor([2, 3, 5, 60, 70]))
    for threads in [1, 3] {
      let work = WorkContext(threadCount: threads)
      var sum = a
      try add(b, times: 2, to: &sum, work: work)
      #expect(sum.elements == zip(a.elements, b.elements).map { $0 + 2 * $1 })
      try scale(&sum, by: 0.5, work: work)
      #expect(sum.elements == zip(a.elements, b.elements).map { ($0 + 2 * $1) * 0.5 })
      var reluOutput = a
      try relu(&reluOutput, work: work)
      #expect(reluOutput == reluReference(ReferenceTensor(a)).rounded)
      var gradient = b
      try reluGradient(&gradient, output: reluOutput, work: work)
      #expect(
        gradient
          == reluGradientReference(ReferenceTensor(b), output: ReferenceTensor(reluOutput)).rounded)
    }
    var sums = [Double](repeating: 0, count: 3)
    var magnitudes = sums
    for (index, value) in a.elements.enumerated() {
      sums[index / 21_000 % 3] += Double(value)
      magnitudes[index / 21_000 % 3] += Double(abs(value))
    }
    try atEveryLevel { threads, what in
      let found = try channelSums(a, work: WorkContext(threadCount: threads))
      for channel in 0..<3 {
        #expect(abs(Double(found.elements[channel]) - sums[channel]) < 1e-7 * magnitudes[channel], what)
      }
      var masked = a
      let left = try reluGradient(&masked, output: b, work: WorkContext(threadCount: threads))
      let positive = try channelSums(a, wherePositive: b, work: WorkContext(threadCount: threads))
      let added = try channelSums(masked, work: WorkContext(threadCount: threads))
      expectClose(left, ReferenceTensor(added), what)
      expectClose(positive, ReferenceTensor(added), what)
    }
  }
}
