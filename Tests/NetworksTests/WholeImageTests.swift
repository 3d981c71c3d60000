import Networks
import Tensors
import TestSupport
import Testing
import Work

extension NetworkGraph {
  /// Instance normalisation, a squeeze-and-excitation gate, and a lower level that is resized.
  static let gated: NetworkGraph = {
    let pointwise = ConvolutionGeometry(kernel: Extent3(1))
    let twice = ResizeGeometry(factor: Extent3(2), .linear, .halfPixel)
    return NetworkGraph(
      inputChannels: 1,
      layers: [
        Layer("conv1", from: inputName, .convolution(.same, outputChannels: 4, hasBias: false)),
        Layer("norm1", from: "conv1", .instanceNormalisation(epsilon: 1e-3)),
        Layer("relu1", from: "norm1", .relu),
        Layer("mean", from: "relu1", .globalPooling(.average)),
        Layer("gate", from: "mean", .convolution(pointwise, outputChannels: 4, hasBias: true)),
        Layer("gated", from: ["relu1", "gate"], .multiply),
        Layer("pool", from: "gated", .maxPooling(.half)),
        Layer("conv2", from: "pool", .convolution(.same, outputChannels: 4, hasBias: true)),
        Layer("norm2", from: "conv2", .groupNormalisation(groups: 2, epsilon: 1e-3)),
        Layer("up", from: "norm2", .resize(twice)),
        Layer("sum", from: ["up", "gated"], .add),
        Layer("relu2", from: "sum", .relu),
        Layer("score", from: "relu2", .convolution(pointwise, outputChannels: 2, hasBias: true)),
      ], heads: [Head("main", layer: "score", lossWeight: 1)])
  }()
}

extension NetworkGraph {
  /// A U-Net without padding, whose skip connection is cropped and whose lower level is resized to what is left, and padded
  /// at the end.
  static let cropped: NetworkGraph = {
    let valid = ConvolutionGeometry(kernel: Extent3(2, 3, 3))
    return NetworkGraph(
      inputChannels: 1,
      layers: [
        Layer("conv1", from: inputName, .convolution(.same, outputChannels: 3, hasBias: true)),
        Layer("relu1", from: "conv1", .relu),
        Layer("small", from: "relu1", .convolution(valid, outputChannels: 2, hasBias: true)),
        Layer("pool", from: "relu1", .maxPooling(.half)),
        Layer("conv2", from: "pool", .convolution(.same, outputChannels: 4, hasBias: true)),
        Layer("relu2", from: "conv2", .relu),
        Layer("up", from: ["relu2", "small"], .resizeTo(.linear, .halfPixel)),
        Layer("skip", from: ["relu1", "up"], .centreCrop),
        Layer("joined", from: ["up", "skip", "small"], .concatenate),
        Layer(
          "score", from: "joined",
          .convolution(ConvolutionGeometry(kernel: Extent3(1)), outputChannels: 2, hasBias: true)),
        Layer(
          "padded", from: "score",
          .pad(PaddingGeometry(.edge, before: Extent3(0, 1, 1), after: Extent3(1)))),
      ], heads: [Head("main", layer: "padded", lossWeight: 1)])
  }()
}

@Suite("Layers that read the whole image")
struct WholeImageTests {
  private let work = WorkContext(threadCount: 2)

  static let faults = [
    GraphFault(
      "layer sum: its inputs differ in scale: found up 1x1x1, gate all voxels of the image (z, y, x), expected equal scales"
    ) { $0.layers[10] = Layer("sum", from: ["up", "gate"], .concatenate) },
    GraphFault("layer pool: its input has one voxel for the whole image, which it cannot take") {
      $0.layers[6].inputs = ["gate"]
    },
    GraphFault("layer norm2: its input has one voxel for the whole image, which it cannot take") {
      $0.layers[8] = Layer("norm2", from: "gate", .instanceNormalisation(epsilon: 1))
    },
    GraphFault("layer norm2: its channels cannot be divided into 3 equal groups: found conv2 4") {
      $0.layers[8].operation = GroupNormalisationOperation(groups: 3, epsilon: 1)
    },
    GraphFault("layer norm2: groups: found 0, expected 1 to 65536") {
      $0.layers[8].operation = GroupNormalisationOperation(groups: 0, epsilon: 1)
    },
    GraphFault("layer norm1: epsilon: found 0.0, expected a number above 0") {
      $0.layers[1].operation = InstanceNormalisationOperation(epsilon: 0)
    },
    GraphFault("layer gated: its inputs differ in channels: found relu1 4, gate 3") {
      $0.layers[4].operation = ConvolutionOperation(
        ConvolutionGeometry(kernel: Extent3(1)), outputChannels: 3, hasBias: true)
    },
    GraphFault("layer up: factor: found 65, expected 1 to 64") {
      $0.layers[9].operation = ResizeOperation(
        ResizeGeometry(factor: Extent3(2, 65, 2), .linear, .halfPixel))
    },
    GraphFault("layer relu2: its input has no channels 3 to 4, counted from 0: found sum 4") {
      $0.layers[11].operation = SliceChannelsOperation(first: 3, count: 2)
    },
    GraphFault("layer relu2: probability: found 1.0, expected at least 0 and less than 1") {
      $0.layers[11].operation = DropoutOperation(probability: 1)
    },
    GraphFault("layer relu2: before: found -1, expected 0 to 64") {
      $0.layers[11].operation = CropOperation(CropGeometry(before: Extent3(-1), after: Extent3(0)))
    },
    GraphFault("layer relu2: value: found inf, expected a finite number") {
      $0.layers[11].operation = PadOperation(
        PaddingGeometry(.constant, value: .infinity, before: Extent3(1), after: Extent3(1)))
    },
  ]

  @Test("and gates and resampling that do not fit are refused with what is wrong", arguments: faults)
  func refused(fault: GraphFault) {
    var graph = NetworkGraph.gated
    fault.change(&graph)
    #expect(refusal { _ = try graph.resolved(subject: "model") } == "model: " + fault.line)
  }

  @Test("names in their fields that mean nothing are refused with those that do")
  func names() {
    func refusal(_ fields: String) -> String {
      NetworksTests.refusal {
        _ = try NetworkGraph(
          json: #"{"inputChannels":1,"layers":[{"name":"a","input":"input",\#(fields)}],"heads":[]}"#,
          subject: "graph")
      }
    }
    #expect(
      refusal(#""kind":"globalPooling","statistic":"median""#)
        == #"graph: network graph: layers[0].statistic: found "median", expected average or maximum"#)
    #expect(
      refusal(#""kind":"pad","mode":"wrap""#)
        == #"graph: network graph: layers[0].mode: found "wrap", expected one of constant, reflect, edge"#)
    #expect(
      refusal(#""kind":"resize","factor":2,"coordinates":"tfCrop""#)
        == #"graph: network graph: layers[0].coordinates: found "tfCrop", expected one of halfPixel, pytorchHalfPixel, halfPixelSymmetric, alignCorners, asymmetric"#
    )
    #expect(refusal(#""kind":"resize""#) == "graph: network graph: layers[0].factor: missing")
    #expect(
      refusal(#""kind":"crop","before":[1,2]"#)
        == "graph: network graph: layers[0].before: found 2 numbers, expected 3 (z, y, x)")
  }

  @Test("give a network the whole image as its receptive field, and its total stride as before")
  func receptiveField() throws {
    let field = try #require(try NetworkGraph.gated.resolved().receptiveField())
    #expect(field.totalStride == Extent3(2) && field.extent == nil && field.halo == nil)
    // A head that does not depend on them is local.
    var both = NetworkGraph.residual
    both.layers += [
      Layer("norm", from: "stem", .instanceNormalisation(epsilon: 1)),
      Layer("side", from: "norm", .convolution(.same, outputChannels: 2, hasBias: true)),
    ]
    both.heads.append(Head("side", layer: "side", lossWeight: 1))
    let resolved = try both.resolved()
    #expect(try #require(resolved.receptiveField(ofHeads: [0])).extent == Extent3(7))
    #expect(try #require(resolved.receptiveField(ofHeads: [1])).extent == nil)
    #expect(try #require(resolved.receptiveField()).extent == nil)
  }

  @Test("a layer that is not larger than what it is cropped to is refused")
  func cropTooLarge() throws {
    var graph = NetworkGraph.cropped
    graph.layers[7].inputs = ["pool", "up"]
    let network = try Network(
      graph: graph, parameters: Parameters(initialising: try graph.resolved(), seed: 8))
    #expect(
      refusal { _ = try network(Tensor(shape: [1, 1, 6, 8, 10]), work: work) }
        == "image: layer skip: the image is too small for it: found 3x4x5 voxels (z, y, x) entering the layer"
    )
  }

  @Test("a layer whose extents alone are read is not computed for that")
  func extentsAlone() throws {
    var graph = NetworkGraph.cropped
    graph.layers[8].inputs = ["up", "skip"]
    let network = try Network(
      graph: graph, parameters: Parameters(initialising: try graph.resolved(), seed: 8))
    let plan = try network.plan(for: Extent3(6, 8, 10), work: work)
    #expect(
      plan.kernels.map { $0.layers[0] } == [
        "conv1", "pool", "conv2", "up", "skip", "joined", "score", "padded",
      ])
  }

  @Test("an image of one voxel has no deviation, and is refused")
  func singleVoxel() throws {
    let graph = NetworkGraph.gated
    let network = try Network(
      graph: graph, parameters: Parameters(initialising: try graph.resolved(), seed: 8))
    #expect(
      refusal { _ = try network(Tensor(shape: [1, 1, 1, 1, 1]), work: work) }
        == "image: layer norm1: the image is too small for it: found 1x1x1 voxels (z, y, x) entering the layer"
    )
  }

  @Test("a normalisation is fused with the ReLU after it and works in its input's memory, a gate too")
  func fusion() throws {
    let graph = NetworkGraph.gated
    let network = try Network(
      graph: graph, parameters: Parameters(initialising: try graph.resolved(), seed: 8))
    let plan = try network.plan(for: Extent3(8, 10, 12), work: work)
    #expect(
      plan.kernels.map(\.layers) == [
        ["conv1"], ["norm1", "relu1"], ["mean"], ["gate"], ["gated"], ["pool"], ["conv2"], ["norm2"], ["up"],
        ["sum", "relu2"], ["score"],
      ])
    #expect(plan.kernels[1].operation.kernelName == "instance normalisation, relu")
    #expect(plan.floats(ofActivation: 2) == plan.floats(ofActivation: 1))
    // In slabs they wait for the last plane.
    let slabs = try network.plan(for: Extent3(8, 10, 12), slabDepth: 2, work: work)
    #expect(slabs.slabCount == 4 && slabs.heldPlanes(ofStep: 0) == 5)
  }
}

@Suite("Dropout")
struct DropoutTests {
  private let work = WorkContext(threadCount: 2)

  /// ``NetworkGraph/tiny`` with dropout of values and of channels, each in the middle of what fuses.
  private static let graph: NetworkGraph = {
    var graph = NetworkGraph.tiny
    graph.layers.append(Layer("drop1", from: "bn1", .dropout(probability: 0.3)))
    graph.layers.append(Layer("drop2", from: "conv2", .dropout(probability: 0.5, dropsChannels: true)))
    graph.layers[2].inputs = ["drop1"]
    graph.layers[5].inputs = ["drop2"]
    return graph
  }()

  private func forward(
    _ operation: DropoutOperation, _ input: Tensor, seed: UInt64, threads: Int = 2
  ) throws -> TrainingOutput {
    try operation.forward(
      [input],
      by: TrainingLayer(
        parameters: LayerParameters(
          "layer", Parameters(initialising: try NetworkGraph.tiny.resolved(), seed: 1)),
        passesGradient: true, generator: SplitMix64(seed: seed)), work: WorkContext(threadCount: threads))
  }

  @Test("keeps the mean, drops the stated part, and passes the gradient of the same values")
  func values() throws {
    let input = Tensor(shape: [2, 8, 20, 30, 40], repeating: 1)
    let operation = DropoutOperation(probability: 0.25)
    let trained = try forward(operation, input, seed: 5)
    let dropped = trained.output.elements.count { $0 == 0 }
    #expect(abs(Double(dropped) / Double(input.elements.count) - 0.25) < 0.005)
    #expect(Set(trained.output.elements) == [0, Float(1 / 0.75)])
    #expect(try trained.backward(input, work).inputs == [trained.output])
    #expect(try forward(operation, input, seed: 5, threads: 1).output == trained.output)
    #expect(try forward(operation, input, seed: 6).output != trained.output)
    let channels = try forward(
      DropoutOperation(probability: 0.5, dropsChannels: true), input, seed: 5
    ).output
    let ofPlanes = stride(from: 0, to: channels.elements.count, by: 24_000).map {
      Set(channels.elements[$0..<$0 + 24_000])
    }
    #expect(ofPlanes.allSatisfy { $0.count == 1 } && Set(ofPlanes) == [[0], [2]])
  }

  @Test("is nothing at inference, where the layers around it are fused")
  func inference() throws {
    let parameters = Parameters(initialising: try NetworkGraph.tiny.resolved(), seed: 8)
    let with = try Network(graph: Self.graph, parameters: parameters)
    let without = try Network(graph: .tiny, parameters: parameters)
    let image = TrainingBatch.balls(count: 1, extent: Extent3(8), seed: 3).input
    #expect(try with(image, work: work) == without(image, work: work))
    let layers = try with.plan(for: Extent3(8), work: work).kernels.map(\.layers)
    #expect(layers.contains(["conv2", "drop2", "relu2"]))
  }

  @Test("drops other values at every iteration, and the same ones when the run is resumed")
  func resumed() throws {
    let batch = TrainingBatch.balls(count: 2, extent: Extent3(8), seed: 3)
    var trainer = try Trainer(
      graph: Self.graph, options: TrainingOptions(optimiser: .adam(), schedule: .constant(rate: 0)), seed: 4)
    let first = try trainer.step(batch, work: work).loss
    #expect(try trainer.step(batch, work: work).loss != first)
    trainer.options.schedule = .constant(rate: 0.01)
    _ = try trainer.step(batch, work: work)
    try withTemporaryFolder { folder in
      let path = folder.appending(path: "run.safetensors").path
      try Checkpoint.write(trainer, to: path)
      var resumed = try Checkpoint.read(path: path).trainer
      for _ in 0..<2 {
        #expect(try trainer.step(batch, work: WorkContext(threadCount: 1)) == resumed.step(batch, work: work))
      }
      #expect(trainer.parameters == resumed.parameters)
    }
  }
}
