import Foundation
import Networks
import Tensors
import TestSupport
import Testing
import Work

@Suite("Networks against reference arrays made elsewhere in double precision")
struct GoldenNetworkTests {
  private let work = WorkContext(threadCount: 2)

  @Test("the liver network's three heads agree with PyTorch")
  func liverScores() throws {
    let golden = try GoldenFile("liver")
    let graph = NetworkGraph.liver(hasBatchNormalisation: false)
    let network = try Network(
      graph: graph, parameters: try golden.parameters(of: try graph.resolved()))
    let logits = try network.logits(of: try golden("input"), heads: [0, 1, 2], work: work)
    for (head, logit) in zip(graph.heads, logits) {
      #expect(logit.shape == [1, 2, 24, 40, 48])
      let error = relativeError(
        shortened(logit.elements, 23), try golden("scores/\(head.name)").elements)
      #expect(error <= 2e-5, "head \(head.name)")
    }
  }

  /// Gradients are compared up to rounding of the input, because ties have two.
  ///
  /// A pooling window whose two largest values, or a ReLU whose input and 0, lie closer together than the rounding
  /// of a convolution has two right gradients, and one such window changes an array by up to 9e-4. So the gradients
  /// must be right to 1e-5 for an input that is the reference's but for the last bit of single precision.
  @Test(
    "the liver network's gradients under deep supervision agree with PyTorch, up to rounding of the input")
  func liverGradients() throws {
    let golden = try GoldenFile("liver")
    let graph = try NetworkGraph.liver(hasBatchNormalisation: false).resolved()
    let parameters = try golden.parameters(of: graph)
    let input = try golden("training/input")
    let labels = try golden.labels("training/labels")
    let expectedLoss = Double(try golden("loss").elements[0])
    var generator = SplitMix64(seed: 1)
    var errors: [Float] = []
    for run in 0..<16 {
      var rounded = input
      if run > 0 {
        for index in rounded.elements.indices {
          rounded.elements[index] *= 1 + Float(generator.uniform(-1...1)) * Float.ulpOfOne
        }
      }
      let result = try graph.lossGradients(
        TrainingBatch(input: rounded, labels: labels), parameters: parameters,
        configuration: LossConfiguration(headWeights: [1, 0.3, 0.4]), work: work)
      #expect(abs(result.loss - expectedLoss) <= 1e-5 * expectedLoss)
      #expect(Set(result.gradients.keys) == Set(graph.parameterSlots.map(\.name)))
      let error = try result.gradients.map { name, gradient in
        relativeError(shortened(gradient.elements, 23), try golden("gradient/\(name)").elements)
      }.max()
      errors.append(try #require(error))
      if errors[run] <= 1e-5 { return }
    }
    Issue.record("the largest error of a gradient is \(errors) with inputs equal up to rounding")
  }

  @Test("a narrow heart network agrees with numpy, forward and backward")
  func heart() throws {
    let graph = NetworkGraph.heart(classes: 3, widthFactor: 1.0 / 16)
    try compare(graph, with: try GoldenFile("heart"), classWeights: nil)
  }

  @Test(
    "a network that only its JSON describes agrees with numpy or PyTorch, forward and backward",
    arguments: ["unnamed", "joins", "gates"])
  func fromJSON(name: String) throws {
    let path = checkout.appending(path: "Tests/NetworksTests/Golden/\(name).json")
    let json = try String(contentsOf: path, encoding: .utf8)
    let graph = try NetworkGraph(json: json, subject: "\(name).json")
    try compare(graph, with: try GoldenFile(name), classWeights: [1, 2, 0.5])
  }

  @Test("operations with uncommon numbers agree with ONNX Runtime")
  func operations() throws {
    let path = checkout.appending(path: "Tests/NetworksTests/Golden/operations.json")
    let graph = try NetworkGraph(
      json: try String(contentsOf: path, encoding: .utf8), subject: "operations.json")
    let golden = try GoldenFile("operations")
    let network = try Network(graph: graph, parameters: try golden.parameters(of: try graph.resolved()))
    let outputs = try network.logits(
      of: try golden("input"), heads: Array(graph.heads.indices), work: work)
    for (head, output) in zip(graph.heads, outputs) {
      let expected = try golden("scores/\(head.name)")
      #expect(output.shape == expected.shape, "\(head.name)")
      #expect(relativeError(output.elements, expected.elements) <= 2e-6, "\(head.name)")
    }
  }

  /// Logits with running statistics, then loss and gradients with batch statistics.
  private func compare(_ graph: NetworkGraph, with golden: GoldenFile, classWeights: [Float]?) throws {
    let resolved = try graph.resolved()
    let parameters = try golden.parameters(of: resolved)
    let input = try golden("input")
    let network = try Network(graph: graph, parameters: parameters)
    let all = try network.logits(of: input, heads: Array(graph.heads.indices), work: work)
    for (index, head) in graph.heads.enumerated() {
      let expected = try golden("scores/\(head.name)")
      #expect(all[index].shape == expected.shape)
      #expect(relativeError(all[index].elements, expected.elements) <= 2e-5, "head \(head.name)")
      let alone = try Network(graph: graph, parameters: parameters, heads: [index])
        .logits(of: input, heads: [index], work: work)[0]
      #expect(relativeError(alone.elements, expected.elements) <= 2e-5, "head \(head.name) prepared alone")
    }
    let configuration = LossConfiguration(
      headWeights: graph.heads.map(\.lossWeight), classWeights: classWeights, ignoredLabel: 255)
    let result = try resolved.lossGradients(
      TrainingBatch(input: input, labels: try golden.labels("labels")), parameters: parameters,
      configuration: configuration,
      work: work)
    let expectedLoss = Double(try golden("loss").elements[0])
    #expect(abs(result.loss - expectedLoss) <= 1e-5 * expectedLoss)
    let trained = resolved.parameterSlots.filter(\.role.isTrained).map(\.name)
    #expect(Set(result.gradients.keys) == Set(trained))
    let beforeNormalisation = biasesBeforeNormalisation(graph)
    for (name, gradient) in result.gradients {
      let expected = try golden("gradient/\(name)").elements
      if beforeNormalisation.contains(name) {
        // A batch normalisation takes such a bias away again: the true gradient is 0.
        #expect(gradient.elements.allSatisfy { abs($0) <= 1e-4 }, "gradient of \(name)")
      } else {
        #expect(relativeError(gradient.elements, expected) <= 1e-4, "gradient of \(name)")
      }
    }
  }

  /// Biases that only a batch normalisation sees, directly or through a pooling.
  private func biasesBeforeNormalisation(_ graph: NetworkGraph) -> Set<String> {
    let layers = Dictionary(uniqueKeysWithValues: graph.layers.map { ($0.name, $0) })
    return Set(
      graph.layers.compactMap { layer in
        guard layer.operation is BatchNormalisationOperation else { return nil }
        var source = layer.inputs[0]
        while let before = layers[source], before.operation is MaxPoolingOperation {
          source = before.inputs[0]
        }
        return source + ".bias"
      })
  }
}
