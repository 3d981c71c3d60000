import Foundation
import Networks
import ONNX
import Tensors
import Testing
import Work

/// Nodes from "a", with three channels, to "scores", and the layers that they become.
struct OperatorCase: Sendable, CustomTestStringConvertible {
  var testDescription: String
  var nodes: [NodeProto]
  var initializers: [TensorProto] = []
  var opset = 17
  /// The layers after the first; their names follow the nodes.
  var layers: [Layer]

  init(
    _ name: String, _ nodes: [NodeProto], _ initializers: [TensorProto] = [], opset: Int = 17,
    layers: [Layer]
  ) {
    (testDescription, self.nodes, self.initializers, self.opset, self.layers) = (
      name, nodes, initializers, opset, layers
    )
  }

  private static func node(
    _ operation: String, _ inputs: [String] = ["a"], _ output: String = "scores",
    _ attributes: [String: AttributeProto.Value] = [:]
  ) -> NodeProto {
    NodeProto(operation, name: output == "scores" ? "end" : output, inputs, [output], attributes: attributes)
  }

  private static func number(_ name: String, _ value: Float) -> TensorProto {
    TensorProto(name, shape: [], [value])
  }

  private static func end(_ operation: some NetworkOperation) -> [Layer] {
    [Layer("end", from: "first", operation)]
  }

  private static let weight = TinyModel.numbers("w", 4, 3, 1, 3, 3)
  private static let up = TinyModel.numbers("w", 3, 2, 2, 2, 2)

  static let all: [OperatorCase] = [
    OperatorCase(
      "Conv with paddings that differ, strides, dilations",
      [
        node(
          "Conv", ["a", "w"], "scores",
          [
            "pads": .integers([0, 1, 2, 0, 3, 4]), "strides": .integers([1, 2, 2]),
            "dilations": .integers([1, 1, 2]),
            "kernel_shape": .integers([1, 3, 3]),
          ])
      ], [weight],
      layers: end(
        .convolution(
          ConvolutionGeometry(
            kernel: Extent3(1, 3, 3), stride: Extent3(1, 2, 2),
            padding: Padding(before: Extent3(0, 1, 2), after: Extent3(0, 3, 4)), dilation: Extent3(1, 1, 2)),
          outputChannels: 4, hasBias: false))),
    OperatorCase(
      "Conv with auto_pad", [node("Conv", ["a", "w"], "scores", ["auto_pad": .text("SAME_LOWER")])], [weight],
      layers: end(
        .convolution(
          ConvolutionGeometry(kernel: Extent3(1, 3, 3)), samePadding: .lower, outputChannels: 4,
          hasBias: false))),
    OperatorCase(
      "ConvTranspose by output_shape",
      [
        node(
          "ConvTranspose", ["a", "w"], "scores",
          [
            "strides": .integers([2, 2, 2]), "output_padding": .integers([1, 1, 1]),
            "pads": .integers([0, 0, 0, 1, 1, 1]),
          ])
      ], [up],
      layers: end(
        .transposedConvolution(
          TransposedConvolutionGeometry(
            kernel: Extent3(2), stride: Extent3(2), padding: Padding(before: Extent3(0), after: Extent3(1)),
            outputPadding: Extent3(1)), outputChannels: 2, hasBias: false))),
    OperatorCase(
      "MaxPool",
      [node("MaxPool", ["a"], "scores", ["kernel_shape": .integers([2, 2, 2]), "ceil_mode": .integer(1)])],
      layers: end(
        MaxPoolingOperation(PoolingGeometry(kernel: Extent3(2), stride: Extent3(1), roundsUp: true)))),
    OperatorCase(
      "AveragePool without padding in its means",
      [
        node(
          "AveragePool", ["a"], "scores",
          ["kernel_shape": .integers([2, 2, 2]), "strides": .integers([2, 2, 2])])
      ],
      layers: end(
        AveragePoolingOperation(PoolingGeometry(kernel: Extent3(2), stride: Extent3(2)), countsPadding: false)
      )),
    OperatorCase("Relu", [node("Relu")], layers: end(.relu)),
    OperatorCase(
      "LeakyRelu without alpha", [node("LeakyRelu")], layers: end(LeakyReLUOperation(slope: 0.01))),
    OperatorCase(
      "Elu", [node("Elu", ["a"], "scores", ["alpha": .float(0.5)])], layers: end(ELUOperation(alpha: 0.5))),
    OperatorCase(
      "PRelu of channels", [node("PRelu", ["a", "s"])], [TinyModel.numbers("s", 3, 1, 1, 1)],
      layers: end(ParametricReLUOperation())),
    OperatorCase(
      "PRelu of one slope", [node("PRelu", ["a", "s"])], [TinyModel.numbers("s", 1)],
      layers: end(ParametricReLUOperation(sharesSlope: true))),
    OperatorCase(
      "Gelu", [node("Gelu", ["a"], "scores", ["approximate": .text("tanh")])], opset: 20,
      layers: end(GELUOperation(approximation: .tanh))),
    OperatorCase(
      "GELU by erf, as PyTorch writes it",
      [
        node("Div", ["a", "root"], "b"), node("Erf", ["b"], "c"), node("Add", ["c", "one"], "d"),
        node("Mul", ["a", "d"], "e"), node("Mul", ["e", "half"]),
      ], [number("root", 1.4142135), number("one", 1), number("half", 0.5)],
      layers: end(GELUOperation(approximation: .none))),
    OperatorCase(
      "GELU by tanh, with a power",
      [
        node("Pow", ["a", "three"], "b"), node("Mul", ["b", "third"], "c"), node("Add", ["a", "c"], "d"),
        node("Mul", ["d", "root"], "e"), node("Tanh", ["e"], "f"), node("Add", ["one", "f"], "g"),
        node("Mul", ["a", "half"], "h"), node("Mul", ["h", "g"]),
      ],
      [
        number("three", 3), number("third", 0.044715), number("root", 0.79788456), number("one", 1),
        number("half", 0.5),
      ], layers: end(GELUOperation(approximation: .tanh))),
    OperatorCase(
      "SiLU", [node("Sigmoid", ["a"], "b"), node("Mul", ["b", "a"])], layers: end(SiLUOperation())),
    OperatorCase(
      "Mish",
      [node("Softplus", ["a"], "b"), node("Tanh", ["b"], "c"), node("Mul", ["a", "c"])],
      layers: [
        Layer("end", from: "first", SoftplusOperation()), Layer("end_2", from: "end", TanhOperation()),
        Layer("end_3", from: ["end_2", "first"], .multiply),
      ]),
    OperatorCase(
      "Clip as ReLU6", [node("Clip", ["a", "lower", "upper"])], [number("lower", 0), number("upper", 6)],
      layers: end(ClipOperation(lower: 0, upper: 6))),
    OperatorCase(
      "Clip with a lower bound of 0", [node("Clip", ["a", "lower", ""])], [number("lower", 0)],
      layers: end(.relu)),
    OperatorCase(
      "InstanceNormalization of ones and zeros has no weights",
      [node("InstanceNormalization", ["a", "ones", "zeros"], "scores", ["epsilon": .float(1e-3)])],
      [TensorProto("ones", shape: [3], [1, 1, 1]), TensorProto("zeros", shape: [3], [0, 0, 0])],
      layers: end(.instanceNormalisation(epsilon: 1e-3, isAffine: false))),
    OperatorCase(
      "a group normalisation as PyTorch writes it",
      [
        node("Reshape", ["a", "groups"], "b"), node("InstanceNormalization", ["b", "ones", "zeros"], "c"),
        node("Shape", ["a"], "d"), node("Reshape", ["c", "d"], "e"), node("Mul", ["e", "scale"], "f"),
        node("Add", ["f", "shift"]),
      ],
      [
        TensorProto("groups", [0, 3, -1]), TensorProto("ones", shape: [3], [1, 1, 1]),
        TensorProto("zeros", shape: [3], [0, 0, 0]), TinyModel.numbers("scale", 3, 1, 1, 1),
        TinyModel.numbers("shift", 3, 1, 1, 1),
      ], layers: [Layer("e", from: "first", .groupNormalisation(groups: 3, epsilon: 1e-5))]),
    OperatorCase(
      "GroupNormalization of version 21",
      [node("GroupNormalization", ["a", "scale", "shift"], "scores", ["num_groups": .integer(1)])],
      [TinyModel.numbers("scale", 3), TinyModel.numbers("shift", 3)], opset: 21,
      layers: end(.groupNormalisation(groups: 1, epsilon: 1e-5))),
    OperatorCase(
      "a squeeze-and-excitation gate through shapes [1, C]",
      [
        node("ReduceMean", ["a"], "b", ["axes": .integers([2, 3, 4]), "keepdims": .integer(0)]),
        node("Gemm", ["b", "w"], "c", ["transB": .integer(1)]), node("Sigmoid", ["c"], "d"),
        node("Unsqueeze", ["d", "axes"], "e"), node("Mul", ["a", "e"]),
      ], [TinyModel.numbers("w", 3, 3), TensorProto("axes", [2, 3, 4])],
      layers: [
        Layer("b", from: "first", .globalPooling(.average)),
        Layer(
          "c", from: "b",
          .convolution(ConvolutionGeometry(kernel: Extent3(1)), outputChannels: 3, hasBias: false)),
        Layer("d", from: "c", SigmoidOperation()), Layer("end", from: ["first", "d"], .multiply),
      ]),
    OperatorCase(
      "Slice in space from both ends",
      [node("Slice", ["a", "starts", "ends", "axes"])],
      [TensorProto("starts", [1, 2]), TensorProto("ends", [.max, -1]), TensorProto("axes", [2, 4])],
      layers: end(.crop(CropGeometry(before: Extent3(1, 0, 2), after: Extent3(0, 0, 1))))),
    OperatorCase(
      "Slice of channels", [node("Slice", ["a", "starts", "ends", "axes"])],
      [TensorProto("starts", [1]), TensorProto("ends", [3]), TensorProto("axes", [1])],
      layers: end(.sliceChannels(first: 1, count: 2))),
    OperatorCase(
      "Pad of an edge", [node("Pad", ["a", "pads"], "scores", ["mode": .text("edge")])],
      [TensorProto("pads", [0, 0, 0, 1, 0, 0, 0, 0, 0, 2])],
      layers: end(.pad(PaddingGeometry(.edge, before: Extent3(0, 1, 0), after: Extent3(0, 0, 2))))),
    OperatorCase(
      "Resize by scales",
      [
        node(
          "Resize", ["a", "", "scales"], "scores",
          ["mode": .text("linear"), "coordinate_transformation_mode": .text("align_corners")])
      ], [TensorProto("scales", shape: [5], [1, 1, 1, 2, 2])],
      layers: end(.resize(ResizeGeometry(factor: Extent3(1, 2, 2), .linear, .alignCorners)))),
    OperatorCase(
      "Resize by sizes that are computed of a shape",
      [
        node("Shape", ["a"], "b"), node("Slice", ["b", "two", "five"], "c"),
        node("Mul", ["c", "twice"], "d"),
        node("Slice", ["b", "none", "two"], "e"), node("Concat", ["e", "d"], "f", ["axis": .integer(0)]),
        node(
          "Resize", ["a", "", "", "f"], "scores",
          ["coordinate_transformation_mode": .text("asymmetric"), "nearest_mode": .text("floor")]),
      ],
      [
        TensorProto("two", [2]), TensorProto("five", [5]), TensorProto("none", [0]),
        TensorProto("twice", [2]),
      ], layers: end(.resize(ResizeGeometry(factor: Extent3(2), .nearest(.floor), .asymmetric)))),
    OperatorCase(
      "sums with constants are folded into the convolution before them",
      [node("Add", ["a", "a"], "b"), node("Add", ["b", "c"])], [number("c", 3)], layers: []),
    OperatorCase(
      "Concat with itself and Split again",
      [
        node("Concat", ["a", "a"], "b", ["axis": .integer(-4)]),
        NodeProto(
          "Split", name: "parts", ["b", "sizes"], ["c", "scores"], attributes: ["axis": .integer(1)]),
      ], [TensorProto("sizes", [2, 4])],
      layers: [
        Layer("b", from: ["first", "first"], .concatenate),
        Layer("parts_2", from: "b", .sliceChannels(first: 2, count: 4)),
      ]
    ),
    OperatorCase(
      "Dropout, Identity, Cast and a softmax at the end are no layers",
      [
        node("Dropout", ["a"], "b"), node("Identity", ["b"], "c"),
        node("Cast", ["c"], "d", ["to": .integer(1)]),
        node("Softmax", ["d"], "scores", ["axis": .integer(1)]),
      ], layers: []),
  ]
}

@Suite("Operators of ONNX")
struct OperatorTests {
  @Test("become the layers of this table", arguments: OperatorCase.all)
  func operators(_ example: OperatorCase) throws {
    let layers = try TinyModel.layers(example.nodes, example.initializers, opset: example.opset)
    #expect(layers == example.layers)
  }
}
