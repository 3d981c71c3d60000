import Foundation
import Networks
import Tensors
import TestSupport
import Testing
import Work

@Suite("Network graphs")
struct GraphTests {
  @Test("a graph survives its JSON form")
  func codable() throws {
    let graphs: [NetworkGraph] = [
      .liver(), .liver(classes: 4, hasBatchNormalisation: false), .heart(), .heart(widthFactor: 0.5), .tiny,
    ]
    for graph in graphs { #expect(try NetworkGraph(json: graph.json, subject: "graph") == graph) }
  }

  @Test("a ReLU that an earlier release wrote as rectifier is read, and written as relu")
  func earlierKind() throws {
    let present = NetworkGraph.tiny.json
    let earlier = present.replacingOccurrences(of: #""kind":"relu""#, with: #""kind":"rectifier""#)
    #expect(earlier.contains("rectifier") && !present.contains("rectifier"))
    let read = try NetworkGraph(json: earlier, subject: "graph")
    #expect(read == .tiny)
    #expect(read.json == present)
  }

  @Test("the paper's networks have the layers, tensors and sizes that the paper's authors give")
  func paperNetworks() throws {
    let liver = try NetworkGraph.liver(hasBatchNormalisation: false).resolved()
    #expect(liver.parameterSlots.reduce(0) { $0 + $1.shape.reduce(1, *) } == 305_422)
    let slots = Dictionary(uniqueKeysWithValues: liver.parameterSlots.map { ($0.name, $0.shape) })
    #expect(slots["conv1b.weight"] == [8, 8, 7, 9, 9])
    #expect(slots["conv2b.weight"] == [32, 16, 5, 7, 7])
    #expect(slots["aux2a.weight"] == [32, 16, 3, 3, 3])
    let heart = try NetworkGraph.heart().resolved()
    let trained = heart.parameterSlots.filter(\.role.isTrained)
    #expect(trained.reduce(0) { $0 + $1.shape.reduce(1, *) } == 7_026_761)
    #expect(heart.classCount == 3)
    let names = Set(heart.parameterSlots.map(\.name))
    #expect(names.isSuperset(of: ["bn4b.running_mean", "bn4b.running_var", "aux2e.weight", "score.bias"]))
    #expect(!names.contains("aux1d.bias"))
  }

  @Test("extents follow the layers")
  func extents() throws {
    let liver = try NetworkGraph.liver().resolved()
    let extents = try liver.outputExtents(input: Extent3(72, 160, 160), subject: "image")
    let byName = Dictionary(uniqueKeysWithValues: zip(liver.nodes.map(\.layer.name), extents))
    #expect(byName["pool1"] == Extent3(36, 80, 80))
    #expect(byName["conv3b"] == Extent3(18, 40, 40))
    #expect(liver.headNodes.map { extents[$0] } == [Extent3](repeating: Extent3(72, 160, 160), count: 3))
    let odd = try liver.outputExtents(input: Extent3(9, 6, 7), subject: "image")
    #expect(odd[liver.headNodes[0]] == Extent3(8, 4, 4))
    let line = refusal { _ = try liver.outputExtents(input: Extent3(3, 8, 8), subject: "image") }
    #expect(
      line
        == "image: layer pool2: the image is too small for it: found 1x4x4 voxels (z, y, x) entering the layer"
    )
  }

  @Test("layers may be listed in any order")
  func order() throws {
    var graph = NetworkGraph.tiny
    graph.layers.reverse()
    let resolved = try graph.resolved()
    for (index, node) in resolved.nodes.enumerated() {
      for case let source? in node.sources { #expect(source < index) }
    }
    #expect(Set(resolved.nodes.map(\.layer)) == Set(graph.layers))
  }

  @Test("a layer whose kernel has two numbers works in planes, and so do the other numbers of it")
  func planes() throws {
    let text = """
      {"inputChannels": 2, "heads": [{"name": "main", "layer": "d"}], "layers": [
      {"name": "a", "input": "input", "kind": "convolution", "kernel": [3, 5], "padding": [1, 2], "dilation": 2, "outputChannels": 2},
      {"name": "b", "input": "a", "kind": "maxPooling", "kernel": [2, 3]},
      {"name": "c", "input": "b", "kind": "transposedConvolution", "kernel": [4, 4], "padding": 1, "outputPadding": [1, 0], "outputChannels": 2},
      {"name": "d", "input": "c", "kind": "convolution", "kernel": [2, 2], "stride": 2, "padding": [0, 1, 2, 3], "outputChannels": 2}]}
      """
    let graph = try NetworkGraph(json: text, subject: "net.json")
    #expect(
      graph.layers == [
        Layer(
          "a", from: "input",
          .convolution(
            ConvolutionGeometry(
              kernel: Extent3(1, 3, 5), padding: Extent3(0, 1, 2), dilation: Extent3(1, 2, 2)),
            outputChannels: 2, hasBias: true)),
        Layer(
          "b", from: "a", .maxPooling(PoolingGeometry(kernel: Extent3(1, 2, 3), stride: Extent3(1, 2, 3)))),
        Layer(
          "c", from: "b",
          .transposedConvolution(
            TransposedConvolutionGeometry(
              kernel: Extent3(1, 4, 4), stride: Extent3(1, 2, 2), padding: Extent3(0, 1, 1),
              outputPadding: Extent3(0, 1, 0)), outputChannels: 2, hasBias: true)),
        Layer(
          "d", from: "c",
          .convolution(
            ConvolutionGeometry(
              kernel: Extent3(1, 2, 2), stride: Extent3(1, 2, 2),
              padding: Padding(before: Extent3(0, 0, 1), after: Extent3(0, 2, 3))), outputChannels: 2,
            hasBias: true)),
      ])
    #expect(try NetworkGraph(json: graph.json, subject: "net.json") == graph)
  }

  @Test("a transposed convolution that starts as interpolation repeats a ramp between its voxels")
  func interpolation() throws {
    let graph = NetworkGraph(
      inputChannels: 2,
      layers: [
        Layer(
          "up", from: "input",
          .transposedConvolution(
            TransposedConvolutionGeometry(
              kernel: Extent3(1, 4, 3), stride: Extent3(1, 2, 1), padding: Extent3(0, 1, 1)),
            outputChannels: 2, hasBias: false, startsAsInterpolation: true))
      ], heads: [Head("main", layer: "up", lossWeight: 1)])
    let parameters = Parameters(initialising: try graph.resolved(), seed: 1)
    let kernel: [Float] = [0.25, 0.75, 0.75, 0.25].flatMap { [0.5 * $0, $0, 0.5 * $0] }
    let zeros = [Float](repeating: 0, count: 12)
    #expect(parameters["up.weight"].elements == kernel + zeros + zeros + kernel)
  }

  static let faults = [
    GraphFault("layer conv2: unknown input layer \"nowhere\"") { $0.layers[4].inputs = ["nowhere"] },
    GraphFault("layer pool1 feeds itself in a cycle") { $0.layers[3].inputs = ["relu2"] },
    GraphFault("layer conv1: the name is used twice") { $0.layers[4].name = "conv1" },
    GraphFault("layer 1: its name may not be \"input\"") { $0.layers[1].name = "input" },
    GraphFault("head aux: unknown layer \"gone\"") { $0.heads[1].layer = "gone" },
    GraphFault("head aux: channels: found 4, expected 2 as the head main, or a loss weight of 0") {
      $0.heads[1].layer = "pool1"
    },
    GraphFault("there is no head: expected a main head") { $0.heads = [] },
    GraphFault("input channels: found 0, expected 1 to 65536") { $0.inputChannels = 0 },
    GraphFault("head aux: loss weight: found -1.0, expected a number >= 0") { $0.heads[1].lossWeight = -1 },
    GraphFault("layer conv2: kernel: found 9223372036854775807, expected 1 to 64") {
      let huge = ConvolutionGeometry(kernel: Extent3(.max))
      $0.layers[4].operation = ConvolutionOperation(huge, outputChannels: 2, hasBias: true)
    },
    GraphFault("layer conv2: too many weights: expected at most 1073741824 in all") {
      let wide = ConvolutionGeometry(kernel: Extent3(64))
      $0.layers[4].operation = ConvolutionOperation(wide, outputChannels: 65_536, hasBias: true)
    },
    GraphFault("layer conv2: groups: found 3, expected a divisor of its 4 output channels") {
      let grouped = ConvolutionGeometry(kernel: Extent3(1), groups: 3)
      $0.layers[4].operation = ConvolutionOperation(grouped, outputChannels: 4, hasBias: true)
    },
    GraphFault("layer conv2: its input's channels are no multiple of its 3 groups: found pool1 4") {
      let grouped = ConvolutionGeometry(kernel: Extent3(1), groups: 3)
      $0.layers[4].operation = ConvolutionOperation(grouped, outputChannels: 6, hasBias: true)
    },
    GraphFault(
      "layer conv2: initialisation: interpolation has as many input channels as its 3 output channels: found pool1 4"
    ) {
      $0.layers[4].operation = TransposedConvolutionOperation(
        TransposedConvolutionGeometry(kernel: Extent3(4)), outputChannels: 3, hasBias: true,
        startsAsInterpolation: true)
    },
    GraphFault("layer conv2: padding: found 65, expected 0 to 64") {
      let padding = Padding(before: Extent3(0), after: Extent3(0, 0, 65))
      $0.layers[4].operation = ConvolutionOperation(
        ConvolutionGeometry(kernel: Extent3(1), padding: padding), outputChannels: 2, hasBias: true)
    },
    GraphFault("layer conv2: padding: expected less than the kernel") {
      let outside = PoolingGeometry(
        kernel: Extent3(2), stride: Extent3(2), padding: Padding(before: Extent3(0), after: Extent3(0, 2, 0)))
      $0.layers[4].operation = MaxPoolingOperation(outside)
    },
    GraphFault("layer conv2: upper: found 1.0, expected more than lower, 1.0") {
      $0.layers[4].operation = ClipOperation(lower: 1, upper: 1)
    },
    GraphFault("layer conv2: slope: found inf, expected -1000000.0 to 1000000.0") {
      $0.layers[4].operation = LeakyReLUOperation(slope: .infinity)
    },
    GraphFault("layer up: strides multiply to more than 4096") {
      let leap = PoolingGeometry(kernel: Extent3(2), stride: Extent3(64))
      $0.layers[3].operation = MaxPoolingOperation(leap)
      $0.layers[5].operation = MaxPoolingOperation(leap)
      $0.layers[6].operation = MaxPoolingOperation(leap)
    },
  ]

  @Test("an invalid graph is refused with one line", arguments: faults)
  func refused(fault: GraphFault) {
    var graph = NetworkGraph.tiny
    fault.change(&graph)
    #expect(refusal { _ = try graph.resolved(subject: "net.json") } == "net.json: " + fault.line)
  }

  @Test(
    "JSON that is not a graph is refused with the position",
    arguments: [
      ("[]", "net.json: network graph: top level: wrong type"),
      (
        #"{"inputChannels": 1, "heads": [], "layers": [{"name": "a", "input": "input", "kind": "relu"}, {"name": "b", "input": "a", "kind": "maxPooling", "kernel": [2, 2, 2, 2]}]}"#,
        "net.json: network graph: layers[1].kernel: found 4 numbers, expected 3 (z, y, x) or 2 (y, x)"
      ),
      (
        #"{"inputChannels": 1, "heads": [], "layers": [{"name": "a", "input": "input", "kind": "maxPooling", "kernel": [2, 2, 2], "stride": [2, 2]}]}"#,
        "net.json: network graph: layers[0].stride: found 2 numbers, expected 3 (z, y, x)"
      ),
      (
        #"{"inputChannels": 1, "heads": [], "layers": [{"name": "a", "input": "input", "kind": "convolution", "kernel": 3, "outputChannels": 2, "padding": "same"}]}"#,
        "net.json: network graph: layers[0].padding: found \"same\", expected numbers or one of sameUpper, sameLower"
      ),
      (
        #"{"inputChannels": 1, "heads": [], "layers": [{"name": "a", "input": "input", "kind": "averagePooling", "kernel": 2, "dilation": 2}]}"#,
        "net.json: network graph: layers[0].dilation: expected 1, since poolings are not dilated"
      ),
      (
        #"{"inputChannels": 1, "heads": [], "layers": [{"name": "a", "input": "input", "kind": "transposedConvolution", "kernel": 4, "outputChannels": 2, "padding": "sameUpper"}]}"#,
        "net.json: network graph: layers[0].padding: found \"sameUpper\", expected numbers"
      ),
      (
        #"{"inputChannels": 1, "heads": [], "layers": [{"name": "a", "input": "input", "kind": "transposedConvolution", "kernel": 4, "outputChannels": 2, "initialisation": "bilinear"}]}"#,
        "net.json: network graph: layers[0].initialisation: found \"bilinear\", expected linearInterpolation"
      ),
      (
        #"{"inputChannels": 1, "heads": [], "layers": [{"name": "a", "input": "input", "kind": "convolution", "kernel": 3}]}"#,
        "net.json: network graph: layers[0].outputChannels: missing"
      ),
    ])
  func badJSON(text: String, line: String) {
    #expect(refusal { _ = try NetworkGraph(json: text, subject: "net.json") } == line)
  }

  @Test("total stride, receptive field and halo of the paper's networks")
  func receptiveField() throws {
    let liver = try #require(try NetworkGraph.liver().resolved().receptiveField(ofHeads: [0]))
    #expect(liver.totalStride == Extent3(4))
    #expect(liver.halo == Extent3(24, 36, 36))
    #expect(liver.rounded(Extent3(73, 512, 1)) == Extent3(76, 512, 4))
    let heart = try #require(try NetworkGraph.heart().resolved().receptiveField())
    #expect(heart.totalStride == Extent3(8))
    #expect(heart.extent == Extent3(82))
    let path = checkout.appending(path: "Tests/NetworksTests/Golden/unnamed.json")
    let unnamed = try NetworkGraph(json: try String(contentsOf: path, encoding: .utf8), subject: "unnamed")
    #expect(try unnamed.resolved().receptiveField() == nil)
  }

  @Test("a tile with its halo gives the logits of the whole volume")
  func tile() throws {
    let graph = NetworkGraph.heart(classes: 2, widthFactor: 1.0 / 32)
    let resolved = try graph.resolved()
    let receptiveField = try #require(resolved.receptiveField(ofHeads: [0]))
    let work = WorkContext(threadCount: 2)
    let network = try Network(
      graph: graph, parameters: Parameters(initialising: resolved, seed: 5))
    var generator = SplitMix64(seed: 6)
    let width = 160
    let whole = Tensor(shape: [1, 1, 8, 8, width], elements: generator.floats(64 * width))
    let halo = try #require(receptiveField.halo).w
    let (start, end) = (64 - halo, 72 + halo)
    var part: [Float] = []
    for row in 0..<64 { part += whole.elements[row * width + start..<row * width + end] }
    let logits = try network(whole, work: work)
    let tile = try network(Tensor(shape: [1, 1, 8, 8, end - start], elements: part), work: work)
    var expected: [Float] = []
    var found: [Float] = []
    for row in 0..<128 {
      expected += logits.elements[row * width + 64..<row * width + 72]
      let first = row * (end - start) + halo
      found += tile.elements[first..<first + 8]
    }
    #expect(start > 0 && end < width)
    #expect(relativeError(found, expected) <= 1e-5)
  }
}
