import Networks
import Tensors
import TestSupport
import Testing
import Work

/// The output and the gradients of operations against their definitions in double precision.
@Suite("Every operation of a network, in double precision")
struct OperationGradientTests {
  /// The largest error, in parts of the largest value of the output or gradient.
  ///
  /// The program's sums of floats have a relative error of about 1e-7 times the square root of their length: no case
  /// exceeds 1e-6 at any instruction set, and differences of the definitions are exact to 1e-8.
  private static let tolerance = 2e-6

  private let work = WorkContext(threadCount: 2)

  /// Parameters that are all drawn, and the same by role in double precision.
  private func drawn(
    _ row: OperationCase
  ) throws -> (parameters: Parameters, doubles: [ParameterSlot.Role: DoubleArray]) {
    var generator = SplitMix64(seed: 4)
    var parameters = Parameters(initialising: try row.graph.resolved(), seed: 4)
    var doubles: [ParameterSlot.Role: DoubleArray] = [:]
    for slot in row.operation.parameterSlots(layer: "layer", inputChannels: row.channels[0])
    where slot.role.isTrained {
      let tensor = Tensor(shape: slot.shape, elements: generator.floats(slot.shape.reduce(1, *)))
      parameters[slot.name] = tensor
      doubles[slot.role] = DoubleArray(tensor)
    }
    return (parameters, doubles)
  }

  /// Expects values within the tolerance of `expected`, of which an index may be left out.
  private func expect(_ found: [Float], _ expected: [(index: Int, value: Double)], _ name: String) {
    let scale = expected.reduce(found.reduce(0) { max($0, Double(abs($1))) }) { max($0, abs($1.value)) }
    for (index, value) in expected {
      #expect(
        abs(Double(found[index]) - value) <= Self.tolerance * scale,
        "\(name), element \(index): found \(found[index]), expected \(value), largest \(scale)")
    }
  }

  @Test("has the output of its definition in double precision", arguments: operationCases)
  func output(row: OperationCase) throws {
    let (parameters, doubles) = try drawn(row)
    let found = try row.forward(row.inputs(), parameters, work).output
    let expected = row.definedResult(row.inputs().map(DoubleArray.init), doubles)
    #expect(found.shape == expected.shape)
    expect(found.elements, Array(expected.elements.enumerated()).map { ($0.offset, $0.element) }, "output")
  }

  @Test("has the gradients of finite differences of its definition", arguments: operationCases)
  func gradients(row: OperationCase) throws {
    let (parameters, doubles) = try drawn(row)
    let inputs = row.inputs().map(DoubleArray.init)
    let trained = try row.forward(row.inputs(), parameters, work)
    var generator = SplitMix64(seed: 9)
    let weights = generator.floats(trained.output.elements.count)
    let found = try trained.backward(Tensor(shape: trained.output.shape, elements: weights), work)
    #expect(Set(found.parameters.keys) == Set(doubles.keys))

    func loss(_ inputs: [DoubleArray], _ parameters: [ParameterSlot.Role: DoubleArray]) -> Double {
      zip(row.definedResult(inputs, parameters).elements, weights).reduce(0) { $0 + $1.0 * Double($1.1) }
    }
    // Elements from all over: all of a small array.
    func differences(_ array: DoubleArray, _ loss: (DoubleArray) -> Double) -> [(index: Int, value: Double)] {
      let step = 1e-4
      return stride(from: 0, to: array.elements.count, by: max(1, array.elements.count / 37)).map { index in
        var (above, below) = (array, array)
        above.elements[index] += step
        below.elements[index] -= step
        return (index, (loss(above) - loss(below)) / (2 * step))
      }
    }
    #expect(found.inputs.count == inputs.count)
    for (index, array) in inputs.enumerated() {
      let expected = differences(array) { changed in
        var inputs = inputs
        inputs[index] = changed
        return loss(inputs, doubles)
      }
      guard let gradient = found.inputs[index] else {
        // Its values are not read.
        #expect(
          index == 1 && row.operation.inputGrids == .secondIsOutput && expected.allSatisfy { $0.value == 0 })
        continue
      }
      expect(gradient.elements, expected, "input \(index)")
    }
    for (role, array) in doubles {
      let gradient = try #require(found.parameters[role])
      #expect(gradient.shape == array.shape)
      let expected = differences(array) { changed in
        var parameters = doubles
        parameters[role] = changed
        return loss(inputs, parameters)
      }
      expect(gradient.elements, expected, role.rawValue)
    }
  }
}
