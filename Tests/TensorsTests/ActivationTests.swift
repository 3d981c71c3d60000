import Tensors
import TestSupport
import Testing
import Work

private let activations: [Activation] = [
  .leakyReLU(slope: 0.01), .elu(alpha: 0.75), .gelu, .geluByTanh, .silu, .sigmoid, .tanh,
  .clip(lower: -0.5, upper: 6), .softplus,
]

@Suite struct ActivationTests {
  /// Arguments from far below to far above 0, in an order that mixes them, and in rows that end inside a vector.
  private static let arguments: Tensor = {
    var generator = SplitMix64(seed: 12)
    let count = 3 * 7 * 5 * 93
    let scales: [Float] = [1e-6, 1e-2, 0.7, 1, 3, 9, 40, 100, 1e4, 1e30]
    return Tensor(
      shape: [1, 3, 7, 5, 93],
      elements: generator.floats(count).enumerated().map { $1 * scales[$0 % scales.count] })
  }()

  @Test("activations and their derivatives equal the definitions, also far from 0", arguments: activations)
  func values(_ activation: Activation) throws {
    let arguments = Self.arguments
    try atEveryLevel { threads, what in
      let work = WorkContext(threadCount: threads)
      var values = arguments
      try activate(&values, by: [activation], work: work)
      var slopes = Tensor(shape: arguments.shape, repeating: 1)
      try activationGradient(&slopes, at: arguments, functions: [activation], work: work)
      for (index, argument) in arguments.elements.enumerated() {
        let x = Double(argument)
        let (value, slope) = (activation.value(at: x), activation.derivative(at: x))
        #expect(
          abs(Double(values.elements[index]) - value) <= 5e-7 * max(1, abs(value)),
          "\(what): value at \(argument) is \(values.elements[index]), not \(value)")
        // Far below 0 the definition of some derivatives is infinity times 0.
        if abs(x) < 1e3 {
          #expect(
            abs(Double(slopes.elements[index]) - slope) <= 1e-6,
            "\(what): derivative at \(argument) is \(slopes.elements[index]), not \(slope)")
        }
        #expect(slopes.elements[index].isFinite, "\(what): derivative at \(argument)")
      }
    }
  }

  @Test("the definitions' derivatives are those of the definitions", arguments: activations)
  func derivatives(_ activation: Activation) {
    for x in [-7.3, -2.1, -0.7, -0.3, 0.2, 1.1, 2.5, 6.6] {
      let difference = (activation.value(at: x + 1e-5) - activation.value(at: x - 1e-5)) / 2e-5
      #expect(abs(activation.derivative(at: x) - difference) < 1e-9, "at \(x)")
    }
  }

  @Test("NaN stays, and its gradient is NaN where the derivative is not constant", arguments: activations)
  func notANumber(_ activation: Activation) throws {
    for index in [0, 5, 16, 18] {
      var values = Tensor(shape: [1, 1, 1, 1, 19], repeating: 1)
      values.elements[index] = .nan
      try activate(&values, by: [activation], work: WorkContext(threadCount: 1))
      #expect(values.elements.indices.filter { values.elements[$0].isNaN } == [index])
    }
  }

  @Test("channels have functions of their own, and windows of planes give the same bits")
  func channels() throws {
    let functions: [Activation] = [0.5, 0, -2].map { .leakyReLU(slope: $0) }
    let arguments = Self.arguments
    let voxels = arguments.extent.product
    let expected = ReferenceTensor(
      shape: arguments.shape,
      elements: arguments.elements.enumerated().map { functions[$0 / voxels].value(at: Double($1)) })
    try atEveryLevel { threads, what in
      var values = arguments
      try activate(&values, by: functions, work: WorkContext(threadCount: threads))
      #expect(values == expected.rounded, what)
      let operation = PreparedActivation(name: "leakyReLU", functions)
      for planes in [1, 3] {
        try expectSameThroughWindows(operation, arguments, planes: planes, threads: threads, what)
      }
      for activation in activations {
        try expectSameThroughWindows(
          PreparedActivation(name: "one", [activation]), arguments, planes: 2, threads: threads, what)
      }
    }
  }

  @Test("the gradient of a slope is the sum of gradient times argument where that is negative")
  func slopes() throws {
    var generator = SplitMix64(seed: 13)
    let arguments = generator.tensor([2, 3, 4, 5, 31])
    let gradient = generator.tensor(arguments.shape)
    var expected = ReferenceTensor(shape: [3])
    for (index, argument) in arguments.elements.enumerated() where argument < 0 {
      expected.elements[index / arguments.extent.product % 3] +=
        Double(argument) * Double(gradient.elements[index])
    }
    try atEveryLevel { threads, what in
      expectClose(
        try slopeGradient(gradient, at: arguments, work: WorkContext(threadCount: threads)), expected, what)
    }
  }
}
