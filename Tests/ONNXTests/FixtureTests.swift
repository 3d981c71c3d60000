import Foundation
import Networks
import ONNX
import Tensors
import TestSupport
import Testing
import Work

/// Files that `make_fixtures.py` made.
@Suite("Files of PyTorch's exporters")
struct FixtureTests {
  private let folder = checkout.appending(path: "Tests/ONNXTests/Fixtures")

  private func floats(_ name: String) throws -> [Float] {
    try Data(contentsOf: folder.appending(path: name)).withUnsafeBytes {
      Array($0.bindMemory(to: Float.self))
    }
  }

  @Test("give onnxruntime's scores to 1e-5", arguments: ["old-exporter.onnx", "new-exporter.onnx"])
  func scores(_ name: String) throws {
    let path = folder.appending(path: name).path
    let network = try ImportedNetwork(ModelProto(path: path), path: path)
    #expect(network.graph.inputChannels == 1)
    #expect(network.fixedExtent == nil)
    #expect(network.endings == [.none])
    let image = Tensor(shape: [1, 1, 8, 12, 16], elements: try floats("image.f32"))
    let found = try Network(graph: network.graph, parameters: network.parameters, heads: [0])
      .logits(of: image, heads: [0], work: WorkContext(threadCount: 2))[0]
    #expect(found.shape == [1, 3, 8, 12, 16])
    #expect(relativeError(found.elements, try floats("scores.f32")) < 1e-5)
  }

  @Test(
    "become one layer for each module, with its name", arguments: ["old-exporter.onnx", "new-exporter.onnx"])
  func layers(_ name: String) throws {
    let path = folder.appending(path: name).path
    let network = try ImportedNetwork(ModelProto(path: path), path: path)
    #expect(
      network.graph.layers.map { type(of: $0.operation).kind } == [
        "convolution", "groupNormalisation", "silu", "convolution", "gelu", "convolution",
        "instanceNormalisation",
        "leakyReLU", "resize", "concatenate", "convolution", "parametricReLU", "globalPooling", "convolution",
        "relu",
        "convolution", "sigmoid", "multiply", "softplus", "tanh", "multiply", "convolution",
      ])
    #expect(network.graph.layers.map(\.name).contains("end.4"))
  }
}
