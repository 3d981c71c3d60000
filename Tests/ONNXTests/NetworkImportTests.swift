import Foundation
import Networks
import ONNX
import Tensors
import Testing
import Work

@Suite("Networks of ONNX files")
struct NetworkImportTests {
  @Test("factors and summands after a convolution change its weights and give the same scores")
  func folding() throws {
    let scale = TinyModel.numbers("scale", 3, 1, 1, 1)
    let nodes = [
      NodeProto("Mul", name: "m", ["a", "scale"], ["b"]), NodeProto("Add", name: "s", ["b", "shift"], ["c"]),
      NodeProto("Mul", name: "t", ["c", "two"], ["scores"]),
    ]
    let initializers = [scale, TinyModel.numbers("shift", 3, 1, 1, 1), TensorProto("two", shape: [], [2])]
    let network = try ImportedNetwork(TinyModel.afterFirst(nodes, initializers), path: "tiny.onnx")
    #expect(network.graph.layers.map(\.name) == ["first"])
    let plain = try ImportedNetwork(
      TinyModel.afterFirst([NodeProto("Identity", ["a"], ["scores"])]), path: "tiny.onnx")
    let before = try TinyModel.scores(plain).elements
    let (factors, summands) = (try scale.floats(path: ""), try initializers[1].floats(path: ""))
    let count = before.count / 3
    let expected = before.indices.map { (index: Int) -> Float in
      2 * (before[index] * factors[index / count] + summands[index / count])
    }
    #expect(relativeError(try TinyModel.scores(network).elements, expected) < 1e-6)
  }

  @Test("a value with another reader keeps its layer when factors follow it")
  func sharedValue() throws {
    let nodes = [
      NodeProto("Mul", name: "m", ["a", "scale"], ["b"]), NodeProto("Relu", name: "r", ["a"], ["c"]),
      NodeProto("Add", name: "s", ["b", "c"], ["scores"]),
    ]
    let network = try ImportedNetwork(
      TinyModel.afterFirst(nodes, [TinyModel.numbers("scale", 3, 1, 1, 1)]), path: "tiny.onnx")
    #expect(network.graph.layers.map(\.name) == ["first", "m", "r", "s"])
  }

  @Test("channels may be last: transposed around the network, as TensorFlow's converter writes it")
  func channelsLast() throws {
    let weight = TinyModel.numbers("w", 3, 2, 3, 3, 3)
    let conv = NodeProto(
      "Conv", name: "conv", ["b", "w"], ["c"], attributes: ["auto_pad": .text("SAME_UPPER")])
    let last = TinyModel.model(
      [
        NodeProto("Transpose", ["image"], ["b"], attributes: ["perm": .integers([0, 4, 1, 2, 3])]), conv,
        NodeProto("Transpose", ["c"], ["d"], attributes: ["perm": .integers([0, 2, 3, 4, 1])]),
        NodeProto("MatMul", name: "dense", ["d", "m"], ["e"]),
        NodeProto("Softmax", ["e"], ["scores"], attributes: ["axis": .integer(-1)]),
      ], [weight, TinyModel.numbers("m", 3, 4)], input: [nil, nil, nil, nil, 2])
    let network = try ImportedNetwork(last, path: "tiny.onnx")
    #expect(network.graph.inputChannels == 2)
    #expect(
      network.graph.layers == [
        Layer(
          "conv", from: "input",
          .convolution(
            ConvolutionGeometry(kernel: Extent3(3)), samePadding: .upper, outputChannels: 3, hasBias: false)),
        Layer(
          "dense", from: "conv",
          .convolution(ConvolutionGeometry(kernel: Extent3(1)), outputChannels: 4, hasBias: false)),
      ])
    #expect(network.endings == [.softmax])
    // [inputs, outputs] of the product is [outputs, inputs] of the convolution.
    let product = try TinyModel.numbers("m", 3, 4).floats(path: "")
    let transposed = (0..<12).map { (index: Int) -> Float in product[index % 3 * 4 + index / 3] }
    #expect(network.parameters["dense.weight"].elements == transposed)
  }

  @Test("a network with two axes in space has layers of one plane")
  func planar() throws {
    let model = TinyModel.model(
      [
        NodeProto(
          "Conv", name: "conv", ["image", "w"], ["scores"], attributes: ["pads": .integers([1, 0, 1, 2])])
      ],
      [TinyModel.numbers("w", 3, 2, 3, 3)], input: [1, 2, 64, 32])
    let network = try ImportedNetwork(model, path: "tiny.onnx")
    #expect(network.isPlanar)
    #expect(network.fixedExtent == Extent3(1, 64, 32))
    let geometry = ConvolutionGeometry(
      kernel: Extent3(1, 3, 3), padding: Padding(before: Extent3(0, 1, 0), after: Extent3(0, 1, 2)))
    #expect(
      network.graph.layers == [
        Layer("conv", from: "input", .convolution(geometry, outputChannels: 3, hasBias: false))
      ])
  }

  @Test("several image inputs are channels one after the other")
  func severalInputs() throws {
    var model = TinyModel.model(
      [NodeProto("Concat", name: "join", ["image", "other"], ["scores"], attributes: ["axis": .integer(1)])])
    model.graph.inputs.append(ValueInfoProto(name: "other", shape: [1, 1, nil, nil, nil]))
    let network = try ImportedNetwork(model, path: "tiny.onnx")
    #expect(network.graph.inputChannels == 3)
    #expect(network.inputs.map(\.name) == ["image", "other"])
    #expect(network.graph.layers.map(\.name) == ["image", "other", "join"])
  }

  @Test("of several outputs those that are chosen are heads, in that order, and nothing else is computed")
  func severalOutputs() throws {
    let nodes = [
      TinyModel.first, NodeProto("Sigmoid", name: "s", ["a"], ["deep"]),
      NodeProto("Relu", name: "r", ["a"], ["scores"]),
      NodeProto("Einsum", name: "e", ["a"], ["unused"]),
    ]
    let model = TinyModel.model(nodes, [TinyModel.firstWeight], outputs: ["deep", "scores", "unused"])
    #expect(
      TinyModel.refusal(model)
        == "tiny.onnx: has several outputs: found deep, scores, unused, expected --head with those that are heads, the main one first"
    )
    let network = try ImportedNetwork(model, outputs: ["scores", "deep"], path: "tiny.onnx")
    #expect(
      network.graph.heads == [
        Head("main", layer: "r", lossWeight: 1),
        Head("deep", layer: "first", activation: .sigmoid, lossWeight: 0),
      ])
  }

  @Test("labels decide between softmax and sigmoid where the file does not, and may not contradict it")
  func activations() throws {
    func activation(_ operation: String, labels: Int, stated: HeadActivation? = nil) -> String {
      let model = TinyModel.afterFirst([NodeProto(operation, name: "end", ["a"], ["scores"])], opset: 13)
      do {
        var network = try ImportedNetwork(model, path: "tiny.onnx")
        try network.setActivations(labelCount: labels, stated: stated, path: "tiny.onnx")
        return network.graph.heads[0].activation.rawValue
      } catch { return error.description }
    }
    #expect(activation("Identity", labels: 2) == "softmax")
    #expect(activation("Identity", labels: 3) == "sigmoid")
    #expect(
      activation("Identity", labels: 5)
        == "tiny.onnx: labels of its 3 channels: found 5, expected 2 with a background, or 3 regions without one"
    )
    #expect(
      activation("Identity", labels: 3, stated: .softmax)
        == "tiny.onnx: labels of its 3 channels: found 3, expected 2 with a background")
    #expect(activation("Sigmoid", labels: 3) == "sigmoid")
    #expect(
      activation("Sigmoid", labels: 2)
        == "tiny.onnx: labels of its 3 channels: found 2, expected 3 regions without one")
  }

  @Test("what cannot be mapped is one line with node, operator, version and reason")
  func refusals() {
    func refusal(_ nodes: [NodeProto], _ initializers: [TensorProto] = [], opset: Int = 17) -> String? {
      TinyModel.refusal(TinyModel.afterFirst(nodes, initializers, opset: opset))
    }
    #expect(
      refusal([NodeProto("Einsum", name: "mix", ["a"], ["scores"])])
        == "tiny.onnx: node mix (Einsum, opset 17): is an operator without a layer")
    #expect(
      refusal([NodeProto("Add", name: "r", ["a", "b"], ["scores"])])
        == "tiny.onnx: node r (Add, opset 17): its input b is no output of a node before it, no constant and no input of the graph"
    )
    #expect(
      refusal([NodeProto("Relu", name: "r", ["a"], ["scores"], attributes: ["slope": .float(1)])])
        == "tiny.onnx: node r (Relu, opset 17): has the attribute slope, which is not known")
    #expect(
      refusal(
        [NodeProto("Resize", name: "up", ["a", "", "scales"], ["scores"])],
        [TensorProto("scales", shape: [5], [1, 1, 1.5, 1, 1])])
        == "tiny.onnx: node up (Resize, opset 17): its factor along axis 2: found 1.5, expected a whole number from 1 to 64"
    )
    #expect(
      refusal(
        [
          NodeProto(
            "Resize", name: "up", ["a", "", "scales"], ["scores"], attributes: ["mode": .text("cubic")])
        ],
        [TensorProto("scales", shape: [5], [1, 1, 2, 2, 2])])
        == "tiny.onnx: node up (Resize, opset 17): its mode: found cubic, expected nearest or linear")
    #expect(
      refusal([NodeProto("Exp", name: "e", ["a"], ["b"]), NodeProto("Relu", name: "r", ["b"], ["scores"])])
        == "tiny.onnx: node r (Relu, opset 17): reads exp of a layer, which no layer computes")
    #expect(
      refusal([
        NodeProto("Softmax", name: "s", ["a"], ["b"]), NodeProto("Relu", name: "r", ["b"], ["scores"]),
      ])
        == "tiny.onnx: node s (Softmax, opset 17): is over the axis 4: expected the channels")
    #expect(
      refusal(
        [
          NodeProto("Transpose", name: "t", ["a"], ["b"], attributes: ["perm": .integers([0, 1, 4, 3, 2])]),
          NodeProto("Conv", name: "c", ["b", "w"], ["scores"]),
        ], [TinyModel.numbers("w", 2, 3, 1, 1, 1)])
        == "tiny.onnx: node c (Conv, opset 17): axes of its input: found batch, channel, width, height, depth, expected batch, channel and those in space"
    )
    #expect(
      refusal(
        [
          NodeProto("Shape", name: "s", ["a"], ["b"]),
          NodeProto("Reshape", name: "r", ["a", "b"], ["scores"]),
        ], opset: 5)
        == "tiny.onnx: version of its operators (opset): found 5, expected 6 to 28")
    let custom = NodeProto("Relu", name: "r", ["a"], ["scores"])
    var other = custom
    other.domain = "com.example"
    #expect(
      refusal([other])
        == "tiny.onnx: node r (Relu, opset 17): is an operator of com.example: expected one of ONNX's own")
    #expect(
      refusal([custom, NodeProto("Tanh", name: "t", ["a"], ["scores"])])
        == "tiny.onnx: two nodes have the output scores")
  }

  @Test("a network whose layers depend on the image's extents is refused, unless the file fixes them")
  func dependsOnExtents() throws {
    let nodes = [
      NodeProto("Shape", ["image"], ["shape"]), NodeProto("Gather", ["shape", "four"], ["width"]),
      NodeProto("Cast", ["width"], ["number"], attributes: ["to": .integer(1)]),
      NodeProto("Div", name: "d", ["image", "number"], ["scores"]),
    ]
    let four = TensorProto("four", shape: [], type: .int64, .integers([4]))
    let open = TinyModel.model(nodes, [four])
    #expect(
      TinyModel.refusal(open) == "tiny.onnx: tensor d.weight depends on the extents of the image")
    let fixed = try ImportedNetwork(
      TinyModel.model(nodes, [four], input: [1, 2, 8, 8, 4]), path: "tiny.onnx")
    #expect(fixed.fixedExtent == Extent3(8, 8, 4))
    #expect(fixed.parameters["d.weight"].elements == [0.25, 0.25])
  }

  @Test("small files that ask for huge constants, deep functions or long loops are refused at once")
  func hostileGraphs() {
    let shape = TensorProto("shape", [1 << 20, 1 << 20])
    #expect(
      TinyModel.refusal(
        TinyModel.model(
          [
            NodeProto("ConstantOfShape", name: "c", ["shape"], ["z"]),
            NodeProto("Add", name: "s", ["image", "z"], ["scores"]),
          ], [shape]))
        == "tiny.onnx: node c (ConstantOfShape, opset 17): computes a constant of 1099511627776 elements: expected at most 8388608"
    )
    var nodes = [NodeProto("Add", ["a", "a"], ["0"])]
    for index in 0..<200 { nodes.append(NodeProto("Mul", ["\(index)", "\(index)"], ["\(index + 1)"])) }
    nodes.append(NodeProto("Identity", ["200"], ["scores"]))
    #expect(TinyModel.refusal(TinyModel.afterFirst(nodes)) == nil)
    let scales = TensorProto("scales", shape: [5], [1, 1, 64, 64, 64])
    let growing = (0..<12).map { index in
      NodeProto(
        "Resize", name: "r\(index)", [index == 0 ? "a" : "\(index)", "", "scales"],
        [index == 11 ? "scores" : "\(index + 1)"])
    }
    #expect(
      TinyModel.refusal(TinyModel.afterFirst(growing, [scales]))?.contains("its output is too large") == true)
    let least = [Int](repeating: .min, count: 10)
    #expect(
      TinyModel.refusal(
        TinyModel.afterFirst(
          [NodeProto("Pad", name: "p", ["a", "pads"], ["scores"])], [TensorProto("pads", least)]))?
        .hasPrefix("tiny.onnx: node p (Pad, opset 17): its pads") == true)
    let range = [
      NodeProto("Range", name: "g", ["least", "least", "least"], ["b"]),
      NodeProto("Add", name: "s", ["a", "b"], ["scores"]),
    ]
    #expect(
      TinyModel.refusal(TinyModel.afterFirst(range, [TensorProto("least", [.min])]))?
        .hasPrefix("tiny.onnx: node g (Range, opset 17): its numbers") == true)
    let cycle = [
      NodeProto("Relu", name: "r", ["c"], ["b"]), NodeProto("Relu", name: "s", ["b"], ["c"]),
      NodeProto("Add", name: "t", ["b", "a"], ["scores"]),
    ]
    #expect(
      TinyModel.refusal(TinyModel.afterFirst(cycle))
        == "tiny.onnx: node r (Relu, opset 17): its input c is no output of a node before it, no constant and no input of the graph"
    )
  }
}
