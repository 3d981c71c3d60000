import Foundation
import Tensors
import TestSupport
import Testing
import Work

@Suite("Group and instance normalisation")
struct GroupNormalisationTests {
  @Test(
    "equal the reference whatever the mean, also with a first value far from it",
    arguments: [[1, 2, 3, 4, 5], [2, 6, 3, 5, 7], [1, 4, 9, 50, 67]], [1, 2])
  func values(shape: [Int], groups: Int) throws {
    for (mean, outlier) in [(Float(0), nil), (10_000, nil), (10_000, Float(0))] {
      var generator = SplitMix64(seed: 7)
      var input = generator.tensor(shape)
      for index in input.elements.indices { input.elements[index] += mean }
      if let outlier { input.elements[0] = outlier }
      let (scale, shift) = (generator.tensor([shape[1]]), generator.tensor([shape[1]]))
      let expected = groupNormalisationReference(
        ReferenceTensor(input), groups: groups, scale: ReferenceTensor(scale), shift: ReferenceTensor(shift),
        epsilon: Double(Float(1e-5)))
      let normalisation = GroupNormalisation(groups: groups, epsilon: 1e-5, scale: scale, shift: shift)
      try atEveryLevel { threads, what in
        let work = WorkContext(threadCount: threads)
        let statistics = try normalisation.statistics(of: input, work: work)
        let output = try normalisation.output(of: input, statistics, work: work)
        expectClose(output, expected, tolerance: 2e-6, what)
        let prepared = PreparedGroupNormalisation(normalisation)
        #expect(try prepared(input, work: work) == output, what)
        try expectSameThroughWindows(prepared, input, planes: 2, threads: threads, what)
      }
    }
  }

  @Test("the mean of 10000 with deviation 1 becomes 0 with deviation 1")
  func largeMean() throws {
    var generator = SplitMix64(seed: 8)
    let elements = (0..<1 << 18).map { _ in Float(10_000 + generator.normal()) }
    let input = Tensor(shape: [1, 1, 64, 64, 64], elements: elements)
    let output = try PreparedGroupNormalisation(
      GroupNormalisation(groups: nil, epsilon: 1e-5, scale: nil, shift: nil))(input, work: WorkContext())
    let mean = elements.reduce(0) { $0 + Double($1) } / Double(elements.count)
    let variance =
      elements.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(elements.count)
    for index in stride(from: 0, to: elements.count, by: 97) {
      let expected = (Double(elements[index]) - mean) / (variance + 1e-5).squareRoot()
      #expect(abs(Double(output.elements[index]) - expected) <= 2e-6, "element \(index)")
    }
  }

  @Test("a ReLU or leaky ReLU fused after it changes negative results alone")
  func activation() throws {
    var generator = SplitMix64(seed: 9)
    let input = generator.tensor([1, 3, 4, 5, 6])
    let normalisation = GroupNormalisation(groups: nil, epsilon: 1e-5, scale: nil, shift: nil)
    let work = WorkContext(threadCount: 2)
    let plain = try PreparedGroupNormalisation(normalisation)(input, work: work)
    for slope in [Float(0), 0.125] {
      let found = try PreparedGroupNormalisation(normalisation, negativeSlope: slope)(input, work: work)
      #expect(found.elements == plain.elements.map { $0 < 0 ? slope * $0 : $0 })
    }
  }

  @Test(
    "its gradients are those of finite differences of the reference, whatever the mean", arguments: [0, 1000])
  func gradients(mean: Double) throws {
    var generator = SplitMix64(seed: 10)
    var input = generator.tensor([2, 4, 2, 3, 3])
    for index in input.elements.indices { input.elements[index] += Float(mean) }
    let (scale, shift) = (generator.tensor([4]), generator.tensor([4]))
    let gradient = generator.tensor(input.shape)
    let normalisation = GroupNormalisation(groups: 2, epsilon: 0.5, scale: scale, shift: shift)
    let work = WorkContext(threadCount: 2)
    let found = try normalisation.gradients(
      input: input, outputGradient: gradient, normalisation.statistics(of: input, work: work), work: work)
    let (x, s, b) = (ReferenceTensor(input), ReferenceTensor(scale), ReferenceTensor(shift))
    func loss(_ x: ReferenceTensor, _ s: ReferenceTensor, _ b: ReferenceTensor) -> Double {
      dot(
        groupNormalisationReference(x, groups: 2, scale: s, shift: b, epsilon: 0.5), ReferenceTensor(gradient)
      )
    }
    #expect(differenceError(ReferenceTensor(found.input), at: x) { loss($0, s, b) } < 2e-6)
    #expect(differenceError(ReferenceTensor(found.scale), at: s) { loss(x, $0, b) } < 2e-6)
    #expect(differenceError(ReferenceTensor(found.shift), at: b) { loss(x, s, $0) } < 2e-6)
  }
}
