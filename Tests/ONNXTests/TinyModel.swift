import Foundation
import Networks
import ONNX
import Tensors
import TestSupport
import Work

/// Parts of ONNX files that tests are made of.
enum TinyModel {
  /// A model with the input "image" and the output "scores".
  static func model(
    _ nodes: [NodeProto], _ initializers: [TensorProto] = [], input: [Int?] = [1, 2, nil, nil, nil],
    outputs: [String] = ["scores"], opset: Int = 17
  ) -> ModelProto {
    var graph = GraphProto()
    graph.nodes = nodes
    graph.initializers = initializers
    graph.inputs = [ValueInfoProto(name: "image", shape: input)]
    graph.outputs = outputs.map { ValueInfoProto(name: $0) }
    return ModelProto(opset: opset, graph: graph)
  }

  /// Numbers that are all different.
  static func numbers(_ name: String, _ shape: Int..., factor: Float = 1) -> TensorProto {
    var generator = SplitMix64(seed: UInt64(name.utf8.reduce(7) { $0 &* 31 &+ Int($1) } & 0xffff))
    let count = shape.reduce(1, *)
    return TensorProto(name, shape: shape, (0..<count).map { _ in factor * Float(generator.normal()) })
  }

  /// A pointwise convolution of "image", called "first", with three outputs.
  static let first = NodeProto("Conv", name: "first", ["image", "first.weight"], ["a"])
  static let firstWeight = numbers("first.weight", 3, 2, 1, 1, 1)

  /// A model of `first`, then `nodes` from "a" to "scores".
  static func afterFirst(
    _ nodes: [NodeProto], _ initializers: [TensorProto] = [], opset: Int = 17
  ) -> ModelProto {
    model([first] + nodes, [firstWeight] + initializers, opset: opset)
  }

  /// The layers after `first` that a model becomes.
  static func layers(
    _ nodes: [NodeProto], _ initializers: [TensorProto] = [], opset: Int = 17
  ) throws -> [Layer] {
    let network = try ImportedNetwork(afterFirst(nodes, initializers, opset: opset), path: "tiny.onnx")
    return Array(network.graph.layers.dropFirst())
  }

  /// The scores of a network for an image that is not cubic.
  static func scores(_ network: ImportedNetwork, extent: Extent3 = Extent3(4, 6, 8)) throws -> Tensor {
    var generator = SplitMix64(seed: 3)
    let shape = [1, network.graph.inputChannels, extent.d, extent.h, extent.w]
    let image = Tensor(
      shape: shape, elements: (0..<shape.reduce(1, *)).map { _ in Float(generator.normal()) })
    let runner = try Network(graph: network.graph, parameters: network.parameters, heads: [0])
    return try runner.logits(of: image, heads: [0], work: WorkContext(threadCount: 1))[0]
  }

  /// The line with which a model is refused; nil where it is not.
  static func refusal(_ model: ModelProto, outputs: [String] = []) -> String? {
    do {
      _ = try ImportedNetwork(model, outputs: outputs, path: "tiny.onnx")
      return nil
    } catch { return error.description }
  }
}

/// Calls `body` with a folder that is removed afterwards.
func withTemporaryFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
  let folder = FileManager.default.temporaryDirectory.appending(path: "onnx-" + UUID().uuidString)
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder)
}

/// max |a - b| / max |b|; infinite where counts differ or something is not a number.
func relativeError(_ values: [Float], _ expected: [Float]) -> Float {
  guard values.count == expected.count, (values + expected).allSatisfy(\.isFinite) else { return .infinity }
  let largest = expected.map(abs).max() ?? 0
  return (zip(values, expected).map { abs($0 - $1) }.max() ?? .infinity) / largest
}
