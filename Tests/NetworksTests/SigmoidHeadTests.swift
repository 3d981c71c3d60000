import Foundation
import Networks
import Tensors
import TestSupport
import Testing
import Work

@Suite("Sigmoid heads")
struct SigmoidHeadTests {
  private let work = WorkContext(threadCount: 2)

  /// Losses that PyTorch found.
  private struct Golden: Decodable {
    struct Found: Decodable {
      var loss: Double
      var gradient: [Double]
    }

    var shape: [Int]
    var regions: [[UInt8]]
    var ignored: UInt8
    var weights: [Float]
    var logits: [Double]
    var labels: [UInt8]
    var losses: [String: Found]
  }

  /// The loss of the name and its gradient, by the fast functions.
  private func found(
    _ name: String, _ logits: Tensor, _ labels: [UInt8], _ regions: LabelRegions, ignored: UInt8?,
    weights: [Float], gradientFactor: Double = 1, work: WorkContext
  ) throws -> (loss: Double, gradient: Tensor) {
    let labels = try LabelsWithHistogram(labels, work: work)
    switch name {
    case "dice", "tversky":
      return try sigmoidTversky(
        logits: logits, labels: labels, regions: regions, alpha: name == "dice" ? 0.5 : 0.3,
        beta: name == "dice" ? 0.5 : 0.7, ignoredLabel: ignored, gradientFactor: gradientFactor, work: work)
    default:
      return try sigmoidCrossEntropy(
        logits: logits, labels: labels, regions: regions, ignoredLabel: ignored,
        regionWeights: name == "cross-entropy" ? nil : weights, gradientFactor: gradientFactor, work: work)
    }
  }

  /// The same loss by its definition.
  private func definition(
    _ name: String, _ logits: ReferenceTensor, _ labels: [UInt8], _ regions: LabelRegions, ignored: UInt8?,
    weights: [Float]
  ) -> Double {
    switch name {
    case "dice", "tversky":
      sigmoidTverskyReference(
        logits: logits, labels: labels, regions: regions, alpha: name == "dice" ? 0.5 : 0.3,
        beta: name == "dice" ? 0.5 : 0.7, ignoredLabel: ignored)
    default:
      sigmoidCrossEntropyReference(
        logits: logits, labels: labels, regions: regions, ignoredLabel: ignored,
        regionWeights: name == "cross-entropy" ? nil : weights.map(Double.init))
    }
  }

  @Test("losses of overlapping regions and their gradients are PyTorch's, at every instruction set")
  func lossesOfPyTorch() throws {
    let url = checkout.appending(path: "Tests/NetworksTests/Golden/sigmoid.json")
    let golden = try JSONDecoder().decode(Golden.self, from: Data(contentsOf: url))
    let logits = Tensor(shape: golden.shape, elements: golden.logits.map { Float($0) })
    let regions = LabelRegions(golden.regions.map(Set.init))
    #expect(golden.losses.count == 3)
    for (name, expected) in golden.losses {
      for level in KernelLevel.available {
        let found = try KernelLevel.$limit.withValue(level) {
          try self.found(
            name, logits, golden.labels, regions, ignored: golden.ignored, weights: golden.weights,
            gradientFactor: 0.5, work: work)
        }
        #expect(abs(found.loss - expected.loss) < 1e-6 * expected.loss, "\(name)")
        #expect(
          relativeError(found.gradient.elements, expected.gradient.map { Float($0 / 2) }) < 1e-5, "\(name)")
      }
    }
  }

  @Test(
    "losses are those of the definition for any number of regions, voxels and threads",
    arguments: [[1, 1, 1, 1, 1], [2, 2, 3, 5, 7], [1, 3, 20, 30, 40], [3, 5, 1, 130, 130]])
  func definitions(shape: [Int]) throws {
    var generator = SplitMix64(seed: 12)
    let count = shape.reduce(1, *)
    let logits = Tensor(
      shape: shape, elements: (0..<count).map { _ in Float(generator.uniform(-8...8)) })
    let labels = (0..<count / shape[1]).map { _ in UInt8(generator.index(below: shape[1] + 2)) }
    let regions = LabelRegions((0..<shape[1]).map { Set([UInt8($0 + 1), UInt8(shape[1])]) })
    let weights = (0..<shape[1]).map { Float($0) + 0.5 }
    let ignored = UInt8(shape[1] + 1)
    for name in ["cross-entropy", "weighted cross-entropy", "dice", "tversky"] {
      let expected = definition(
        name, ReferenceTensor(logits), labels, regions, ignored: ignored, weights: weights)
      let one = try found(
        name, logits, labels, regions, ignored: ignored, weights: weights, work: WorkContext(threadCount: 1))
      let three = try found(
        name, logits, labels, regions, ignored: ignored, weights: weights, work: WorkContext(threadCount: 3))
      #expect(abs(one.loss - expected) < 1e-5 * max(1, expected), "\(name)")
      #expect(one.loss == three.loss && one.gradient == three.gradient, "\(name)")
    }
  }

  @Test(
    "gradients are the differences of the definition",
    arguments: ["cross-entropy", "weighted cross-entropy", "dice", "tversky"])
  func differences(name: String) throws {
    var generator = SplitMix64(seed: 13)
    let shape = [2, 3, 2, 2, 3]
    let logits = Tensor(shape: shape, elements: (0..<72).map { _ in Float(generator.uniform(-3...3)) })
    let labels = (0..<24).map { _ in UInt8(generator.index(below: 5)) }
    let regions = LabelRegions([[1, 2], [2], [1, 2, 3]])
    let weights: [Float] = [1, 0.25, 2]
    let gradient = try found(
      name, logits, labels, regions, ignored: 4, weights: weights, work: work
    ).gradient
    let reference = ReferenceTensor(logits)
    let differences = (0..<72).map { index in
      func loss(_ shift: Double) -> Double {
        var moved = reference
        moved.elements[index] += shift
        return definition(name, moved, labels, regions, ignored: 4, weights: weights)
      }
      return Float((loss(1e-5) - loss(-1e-5)) / 2e-5)
    }
    #expect(relativeError(gradient.elements, differences) < 1e-5)
  }

  @Test("without labelled or counted voxels loss and gradient are 0")
  func nothingToCount() throws {
    let logits = Tensor(shape: [1, 2, 1, 1, 2], elements: [1, -2, 3, 4])
    let regions = LabelRegions([[1], [2]])
    for (name, labels) in [
      ("dice", [UInt8](arrayLiteral: 0, 0)), ("dice", [9, 9]), ("cross-entropy", [9, 9]),
    ] {
      let none = try found(name, logits, labels, regions, ignored: 9, weights: [], work: work)
      #expect(none.loss == 0 && none.gradient.elements == [0, 0, 0, 0])
    }
  }

  /// The tiny network with one channel in both heads, or the given number.
  private func sigmoidNetwork(channels: Int = 1, regions: [[Int]]? = nil) -> NetworkGraph {
    var graph = NetworkGraph.tiny
    for (index, layer) in graph.heads.map(\.layer).enumerated() {
      let position = graph.layers.firstIndex { $0.name == layer }!
      graph.layers[position].operation = graph.layers[position].operation.withOutputChannels(channels)
      graph.heads[index].activation = .sigmoid
      graph.heads[index].regions = regions
    }
    return graph
  }

  @Test("a sigmoid head of one label is trained as a softmax head whose logit of background is 0")
  func sigmoidIsSoftmaxOfTwo() throws {
    let sigmoid = try sigmoidNetwork().resolved()
    let softmax = try NetworkGraph.tiny.resolved()
    let parameters = Parameters(initialising: sigmoid, seed: 9)
    var tensors = parameters.tensors
    for layer in ["up", "side"] {
      // [inputs, outputs, z, y, x]: zeros for the channel of background in front.
      let own = parameters["\(layer).weight"]
      let taps = own.shape[2...].reduce(1, *)
      tensors["\(layer).weight"] = Tensor(
        shape: [own.shape[0], 2] + own.shape[2...],
        elements: (0..<own.shape[0]).flatMap { input in
          [Float](repeating: 0, count: taps) + own.elements[input * taps..<(input + 1) * taps]
        })
      tensors["\(layer).bias"] = Tensor(shape: [2], elements: [0, parameters["\(layer).bias"].elements[0]])
    }
    let batch = TrainingBatch.balls(count: 2, extent: Extent3(4, 6, 4), seed: 4)
    let configuration = LossConfiguration(
      headWeights: [1, 0.3], loss: try Loss("cross-entropy + 0.5*dice", option: "--loss"))
    let one = try sigmoid.lossGradients(
      batch, parameters: parameters, configuration: configuration, work: work)
    let two = try softmax.lossGradients(
      batch, parameters: Parameters(tensors, for: softmax, subject: "test"), configuration: configuration,
      work: work)
    #expect(abs(one.loss - two.loss) < 1e-6 * two.loss)
    for name in ["conv1.weight", "conv2.weight", "bn1.weight", "conv2.bias"] {
      #expect(relativeError(one.gradients[name]!.elements, two.gradients[name]!.elements) < 1e-4, "\(name)")
    }
    #expect(sigmoid.classCount == 2 && sigmoid.channelCount(ofHead: 0) == 1)
  }

  @Test(
    "a graph says in JSON which heads are sigmoid and what their regions are, and nothing of softmax heads")
  func coding() throws {
    let graph = sigmoidNetwork(channels: 2, regions: [[1, 2], [2]])
    #expect(graph.json.contains(#""activation":"sigmoid""#) && graph.json.contains(#""regions":[[1,2],[2]]"#))
    #expect(try NetworkGraph(json: graph.json, subject: "test") == graph)
    #expect(!NetworkGraph.tiny.json.contains("activation") && !NetworkGraph.tiny.json.contains("regions"))
    let resolved = try graph.resolved()
    #expect(resolved.classCount == 3 && resolved.mixedHeads == [0, 1])
    #expect(resolved.labelRegions(ofHead: 1) == LabelRegions([[1, 2], [2]]))
    #expect(try sigmoidNetwork(channels: 2).resolved().labelRegions(ofHead: 0) == LabelRegions([[1], [2]]))
    #expect(try NetworkGraph.tiny.resolved().labelRegions(ofHead: 0) == nil)
  }

  @Test(
    "regions that are none of a head's labels are refused",
    arguments: [
      ([[1]], "network graph: head main: 1 regions for 2 channels"),
      ([[1], []], "network graph: head main: a region without classes"),
      ([[1], [3]], "network graph: head main: a region of class 3, which is none of 1 to 2"),
      ([[0], [1]], "network graph: head main: a region of class 0, which is none of 1 to 2"),
    ])
  func unusableRegions(regions: [[Int]], line: String) {
    let graph = sigmoidNetwork(channels: 2, regions: regions)
    #expect(refusal { _ = try graph.resolved() } == line)
  }

  @Test("only sigmoid heads have regions and may have a single channel")
  func softmaxHeads() {
    var graph = NetworkGraph.tiny
    graph.heads[0].regions = [[1]]
    #expect(
      refusal { _ = try graph.resolved() } == "network graph: head main: only a sigmoid head has regions")
    graph = sigmoidNetwork()
    graph.heads[0].activation = .softmax
    graph.heads[0].regions = nil
    #expect(
      refusal { _ = try graph.resolved() }
        == "network graph: head main: channels: found 1, expected at least 2 classes")
  }

  @Test("a head with other classes than the main one may be in a graph, but is neither trained nor mixed")
  func otherClasses() throws {
    var graph = NetworkGraph.tiny
    let side = graph.layers.firstIndex { $0.name == "side" }!
    graph.layers[side].operation = graph.layers[side].operation.withOutputChannels(5)
    graph.heads[1].lossWeight = 0
    let resolved = try graph.resolved()
    #expect(resolved.classCount == 2 && resolved.classCount(ofHead: 1) == 5 && resolved.mixedHeads == [0])
    // A sigmoid head of the same label has the same classes.
    graph.layers[side].operation = graph.layers[side].operation.withOutputChannels(1)
    graph.heads[1].activation = .sigmoid
    graph.heads[1].lossWeight = 0.3
    #expect(try graph.resolved().mixedHeads == [0, 1])
    let gradients = try graph.resolved().lossGradients(
      .balls(count: 1, extent: Extent3(4, 6, 4), seed: 4),
      parameters: Parameters(initialising: graph.resolved(), seed: 9),
      configuration: LossConfiguration(headWeights: [1, 0.3]), work: work)
    #expect(gradients.headLosses.allSatisfy { $0 > 0.1 })
    // It may even lie on another grid.
    graph.heads[1] = Head("coarse", layer: "pool1", lossWeight: 0)
    let withoutIt = try graph.resolved().lossGradients(
      .balls(count: 1, extent: Extent3(4, 6, 4), seed: 4),
      parameters: Parameters(initialising: graph.resolved(), seed: 9),
      configuration: LossConfiguration(headWeights: [1, 0]), work: work)
    #expect(withoutIt.headLosses == [gradients.headLosses[0], 0])
  }

  @Test("losses without a definition for regions are refused before a sigmoid head is trained")
  func refusedLosses() throws {
    let loss = try Loss("cross-entropy + focal", option: "--loss")
    #expect(
      refusal { try loss.validated(for: sigmoidNetwork(), subject: "--loss") }
        == "--loss: cannot train the sigmoid head main: found focal, expected cross-entropy, dice, tversky")
    #expect(refusal { try loss.validated(for: .tiny, subject: "--loss") } == "accepted")
    #expect(
      refusal {
        _ = try sigmoidNetwork().resolved().lossGradients(
          .balls(count: 1, extent: Extent3(4, 6, 4), seed: 4),
          parameters: Parameters(initialising: sigmoidNetwork().resolved(), seed: 9),
          configuration: LossConfiguration(headWeights: [1, 0.3], loss: loss), work: work)
      } == "loss: cannot train the sigmoid head main: found focal, expected cross-entropy, dice, tversky")
  }
}
