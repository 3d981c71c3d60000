import Foundation
import Networks
import Tensors
import TestSupport
import Testing
import Work

extension NetworkGraph {
  /// A residual block whose sum and ReLU follow two convolutions, then logits.
  static let residual: NetworkGraph = {
    NetworkGraph(
      inputChannels: 1,
      layers: [
        Layer("stem", from: inputName, .convolution(.same, outputChannels: 4, hasBias: true)),
        Layer("conv1", from: "stem", .convolution(.same, outputChannels: 4, hasBias: true)),
        Layer("relu1", from: "conv1", .relu),
        Layer("conv2", from: "relu1", .convolution(.same, outputChannels: 4, hasBias: true)),
        Layer("sum", from: ["stem", "conv2"], .add),
        Layer("relu2", from: "sum", .relu),
        Layer(
          "score", from: "relu2",
          .convolution(ConvolutionGeometry(kernel: Extent3(1)), outputChannels: 2, hasBias: true)),
      ], heads: [Head("main", layer: "score", lossWeight: 1)])
  }()

  /// A U-Net with two levels: down by pooling, up by a transposed convolution, and a skip connection.
  static let unet: NetworkGraph = {
    NetworkGraph(
      inputChannels: 1,
      layers: [
        Layer("conv1", from: inputName, .convolution(.same, outputChannels: 3, hasBias: true)),
        Layer("relu1", from: "conv1", .relu),
        Layer("pool", from: "relu1", .maxPooling(.half)),
        Layer("conv2", from: "pool", .convolution(.same, outputChannels: 5, hasBias: true)),
        Layer("relu2", from: "conv2", .relu),
        Layer("up", from: "relu2", .transposedConvolution(.twice, outputChannels: 4, hasBias: true)),
        Layer("skip", from: ["up", "relu1"], .concatenate),
        Layer("conv3", from: "skip", .convolution(.same, outputChannels: 3, hasBias: true)),
        Layer("relu3", from: "conv3", .relu),
        Layer(
          "score", from: "relu3",
          .convolution(ConvolutionGeometry(kernel: Extent3(1)), outputChannels: 2, hasBias: true)),
      ], heads: [Head("main", layer: "score", lossWeight: 1)])
  }()
}

@Suite("Layers with several inputs")
struct JoinTests {
  private let work = WorkContext(threadCount: 2)

  static let faults = [
    GraphFault("layer skip: inputs: found 1, expected 2 to 256") { $0.layers[6].inputs = ["up"] },
    GraphFault("layer skip: inputs: found 0, expected 2 to 256") { $0.layers[6].inputs = [] },
    GraphFault("layer conv2: inputs: found 2, expected 1") { $0.layers[3].inputs = ["pool", "pool"] },
    GraphFault("layer skip: unknown input layer \"gone\"") { $0.layers[6].inputs = ["up", "gone"] },
    GraphFault("layer relu1 feeds itself in a cycle") {
      $0.layers[1] = Layer("relu1", from: ["conv1", "up"], .add)
    },
    GraphFault("layer skip: its inputs differ in channels: found up 4, relu1 3") {
      $0.layers[6].operation = AddOperation()
    },
    GraphFault(
      "layer skip: its inputs differ in scale: found up 1x1x1, pool 2x2x2 voxels of the image (z, y, x), expected equal scales"
    ) { $0.layers[6].inputs = ["up", "pool"] },
    GraphFault("layer skip255: too many inputs: expected at most 65536 in all layers") { graph in
      for index in 0..<300 {
        graph.layers.append(
          Layer("skip\(index)", from: [String](repeating: "up", count: 256), .concatenate))
      }
    },
    GraphFault("layer skip: output channels: found 131070, expected 1 to 65536") {
      let wide = ConvolutionGeometry(kernel: Extent3(1))
      $0.layers[0].operation = ConvolutionOperation(wide, outputChannels: 65_535, hasBias: true)
      $0.layers[6].inputs = ["relu1", "relu1"]
    },
  ]

  @Test("that do not fit together are refused with what differs", arguments: faults)
  func refused(fault: GraphFault) {
    var graph = NetworkGraph.unet
    fault.change(&graph)
    #expect(refusal { _ = try graph.resolved(subject: "model") } == "model: " + fault.line)
  }

  @Test("name their inputs in a list in JSON, where a list of one is read as the name")
  func json() throws {
    let graph = try NetworkGraph(json: NetworkGraph.unet.json, subject: "graph")
    #expect(graph == .unet)
    #expect(NetworkGraph.unet.json.contains(#"{"input":["up","relu1"],"kind":"concatenate","name":"skip"}"#))
    let listed = NetworkGraph.unet.json.replacingOccurrences(
      of: #""input":"relu3""#, with: #""input":["relu3"]"#)
    #expect(listed != graph.json)
    #expect(try NetworkGraph(json: listed, subject: "graph") == graph)
    let nested = listed.replacingOccurrences(of: #"["relu3"]"#, with: #"[["relu3"]]"#)
    #expect(
      refusal { _ = try NetworkGraph(json: nested, subject: "graph") }
        == "graph: network graph: layers[9].input[0]: wrong type")
  }

  @Test("an image that gives a join inputs of several extents is refused with all of them")
  func extents() throws {
    let graph = NetworkGraph.unet
    let network = try Network(
      graph: graph, parameters: Parameters(initialising: try graph.resolved(), seed: 8))
    let image = Tensor(shape: [1, 1, 8, 9, 10])
    #expect(
      refusal { _ = try network(image, work: work) }
        == "image: layer skip: its inputs differ in extents: found up 8x8x10, relu1 8x9x10 voxels (z, y, x), expected equal extents, as images have whose extents are multiples of the network's total stride"
    )
  }

  @Test("have the receptive field of all paths to the image")
  func receptiveField() throws {
    // The U-Net's longest path: a voxel of conv3, 2 voxels of the lower level, pooling, conv1.
    let unet = try #require(try NetworkGraph.unet.resolved().receptiveField())
    #expect(unet.totalStride == Extent3(2))
    #expect(unet.extent == Extent3(10))
    #expect(unet.halo == Extent3(6))
    let residual = try #require(try NetworkGraph.residual.resolved().receptiveField())
    #expect(residual.totalStride == Extent3(1))
    #expect(residual.extent == Extent3(7) && residual.halo == Extent3(3))
    // A short path beside a long one, listed before it.
    var uneven = NetworkGraph.residual
    let convolution = uneven.layers[1].operation as? ConvolutionOperation
    uneven.layers[1...4] = [
      Layer("short", from: "stem", .relu), Layer("long", from: "stem", try #require(convolution)),
      Layer("sum", from: ["short", "long"], .add),
    ]
    let hull = try #require(try uneven.resolved().receptiveField())
    #expect(hull.extent == Extent3(5) && hull.halo == Extent3(2))
    // Without the deep path only conv1 and conv3 are left.
    var shallow = NetworkGraph.unet
    shallow.layers[6].inputs = ["relu1", "relu1"]
    #expect(try shallow.resolved().receptiveField()?.extent == Extent3(5))
  }

  @Test("a sum after other layers overwrites one of its inputs, and is fused with the ReLU after it")
  func sumInPlace() throws {
    var graph = NetworkGraph.residual
    graph.layers[3].operation = ELUOperation(alpha: 1)
    let network = try Network(
      graph: graph, parameters: Parameters(initialising: try graph.resolved(), seed: 8))
    let plan = try network.plan(for: Extent3(8, 10, 12), work: work)
    #expect(
      plan.kernels.map(\.layers) == [["stem"], ["conv1", "relu1"], ["conv2"], ["sum", "relu2"], ["score"]])
    #expect(plan.kernels[3].sources == [0, 2])
    // The last one that can share its memory.
    #expect(plan.floats(ofActivation: 4) == plan.floats(ofActivation: 3))
    #expect(plan.floats(ofActivation: 4) != plan.floats(ofActivation: 1))
  }

  @Test("a concatenation of one image has its inputs in its own memory, where all planes run at once")
  func concatenationWithoutCopies() throws {
    let graph = NetworkGraph.unet
    let network = try Network(
      graph: graph, parameters: Parameters(initialising: try graph.resolved(), seed: 8))
    let extent = Extent3(8, 10, 12)
    func parts(batch: Int, slabDepth: Int) throws -> [Range<Int>] {
      let plan = try network.plan(for: extent, batch: batch, slabDepth: slabDepth, work: work)
      #expect(
        plan.kernels.map { $0.layers[0] } == ["conv1", "pool", "conv2", "up", "skip", "conv3", "score"])
      // up, then the ReLU of conv1, then both.
      return try [4, 1, 5].map { try #require(plan.floats(ofActivation: $0)) }
    }
    let (whole, voxels) = (try parts(batch: 1, slabDepth: 8), extent.product)
    let start = whole[2].lowerBound
    #expect(
      whole == [
        start..<start + 4 * voxels, start + 4 * voxels..<start + 7 * voxels, start..<start + 7 * voxels,
      ])
    for copied in [try parts(batch: 2, slabDepth: 8), try parts(batch: 1, slabDepth: 4)] {
      #expect(!copied[0].overlaps(copied[2]) && !copied[1].overlaps(copied[2]))
    }
    let slabs = try network.plan(for: extent, slabDepth: 4, work: work)
    #expect(slabs.heldPlanes(ofStep: 0) > slabs.heldPlanes(ofStep: 3))
  }

  @Test("a layer that is read twice by one join keeps its memory, and both inputs count")
  func readTwice() throws {
    var graph = NetworkGraph.residual
    graph.layers[4].inputs = ["conv2", "conv2", "conv2"]
    let resolved = try graph.resolved()
    let parameters = Parameters(initialising: resolved, seed: 8)
    let image = TrainingBatch.balls(count: 1, extent: Extent3(6, 7, 8), seed: 3).input
    let found = try Network(graph: graph, parameters: parameters)(image, work: work)
    // The same without the sum, and with three times the weights and bias.
    var single = graph
    single.layers[4] = Layer("sum", from: "conv2", .batchNormalisation(epsilon: 1e-9))
    var tripled = Parameters(initialising: try single.resolved(), seed: 8)
    for name in parameters.tensors.keys { tripled[name] = parameters[name] }
    tripled["sum.weight"] = Tensor(shape: [4], repeating: 3)
    let expected = try Network(graph: single, parameters: tripled)(image, work: work)
    #expect(relativeError(found.elements, expected.elements) <= 1e-5)
  }

  @Test(
    "a whole network of them has the gradients of finite differences in double precision",
    arguments: [NetworkGraph.residual, .unet, .gated, .cropped])
  func gradients(graph: NetworkGraph) throws {
    let resolved = try graph.resolved()
    let parameters = Parameters(initialising: resolved, seed: 5)
    let batch = TrainingBatch.balls(count: 2, extent: Extent3(4, 6, 8), seed: 3)
    let found = try resolved.lossGradients(
      batch, parameters: parameters, configuration: LossConfiguration(headWeights: [1]), work: work)
    let loss = resolved.definedLoss(batch, parameters.doubles)
    #expect(abs(found.loss - loss) <= 1e-6 * loss)
    #expect(Set(found.gradients.keys) == Set(resolved.parameterSlots.map(\.name)))
    for (name, gradient) in found.gradients.sorted(by: { $0.key < $1.key }) {
      let largest = gradient.elements.reduce(0) { max($0, abs($1)) }
      for index in stride(from: 0, to: gradient.elements.count, by: max(1, gradient.elements.count / 11)) {
        // Small enough that no ReLU and no maximum flips.
        let step = 1e-7
        let losses = [step, -step].map { change in
          var changed = parameters.doubles
          changed[name]?.elements[index] += change
          return resolved.definedLoss(batch, changed)
        }
        let expected = (losses[0] - losses[1]) / (2 * step)
        #expect(
          abs(Double(gradient.elements[index]) - expected) <= 2e-5 * Double(largest) + 1e-8,
          "\(name), element \(index): found \(gradient.elements[index]), expected \(expected)")
      }
    }
  }

  @Test("training with them lowers the loss", arguments: [NetworkGraph.residual, .unet, .gated, .cropped])
  func training(graph: NetworkGraph) throws {
    var trainer = try Trainer(
      graph: graph, options: TrainingOptions(optimiser: .adam(), schedule: .constant(rate: 0.01)), seed: 4)
    let batch = TrainingBatch.balls(count: 2, extent: Extent3(8), seed: 3)
    let first = try trainer.step(batch, work: work).loss
    for _ in 0..<60 { _ = try trainer.step(batch, work: work) }
    #expect(try trainer.step(batch, work: work).loss < 0.5 * first)
  }
}

extension Parameters {
  fileprivate var doubles: [String: DoubleArray] { tensors.mapValues(DoubleArray.init) }
}

extension ResolvedGraph {
  /// The mean cross-entropy of the main head by the definitions of the layers, in double precision.
  fileprivate func definedLoss(_ batch: TrainingBatch, _ tensors: [String: DoubleArray]) -> Double {
    let image = DoubleArray(batch.input)
    var values: [DoubleArray] = []
    for node in nodes {
      let roles = node.parameterSlots.map { ($0.role, tensors[$0.name]!) }
      values.append(
        OperationCase(node.layer.operation, "").definedResult(
          node.sources.map { source in source.map { values[$0] } ?? image },
          Dictionary(uniqueKeysWithValues: roles)))
    }
    let logits = values[headNodes[0]]
    let (classes, voxels) = (logits.shape[1], logits.shape.dropFirst(2).reduce(1, *))
    var sum = 0.0
    for (index, label) in batch.labels.enumerated() {
      let (sample, voxel) = (index / voxels, index % voxels)
      func score(_ label: Int) -> Double { logits.elements[(sample * classes + label) * voxels + voxel] }
      sum += log((0..<classes).reduce(0) { $0 + exp(score($1)) }) - score(Int(label))
    }
    return sum / Double(batch.labels.count)
  }
}
