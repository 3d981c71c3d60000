import Foundation
import Networks
import Tensors
import TestSupport
import Testing
import Work

/// Models that other programs wrote, by the scripts of docs/models.
@Suite("Models made elsewhere")
struct ExportedModelTests {
  private let folder = checkout.appending(path: "Tests/NetworksTests/Golden/exported")

  @Test("a model that PyTorch exported gives PyTorch's logits at every head, to 1e-5")
  func exportedFromPyTorch() throws {
    let model = try ModelFile(path: folder.appending(path: "narrow-heart.safetensors").path)
    #expect(model.metadata["labels"]?.contains("myocardium") == true)
    let expected = try TensorFile(path: folder.appending(path: "scores.safetensors").path)
    let image = try expected.tensor("image", shape: [1, 1, 8, 16, 24])
    let network = try Network(
      graph: model.graph, parameters: model.parameters, heads: [0, 1, 2])
    let logits = try network.logits(of: image, heads: [0, 1, 2], work: WorkContext())
    for (name, logits) in zip(["main", "aux1", "aux2"], logits) {
      let wanted = try expected.tensor(name, shape: [1, 3, 8, 16, 24])
      #expect(logits.shape == wanted.shape)
      #expect(relativeError(logits.elements, wanted.elements) < 1e-5, "\(name)")
    }
  }

  @Test(
    "the authors' Caffe file becomes the same model, whatever their layers are called",
    .enabled(if: Self.python != nil, "needs python3"))
  func convertedFromCaffe() throws {
    try withTemporaryFolder { output in
      let path = output.appending(path: "converted.safetensors").path
      let process = Process()
      process.executableURL = URL(filePath: try #require(Self.python))
      process.environment = ["PYTHONDONTWRITEBYTECODE": "1"]
      process.arguments =
        [checkout.appending(path: "docs/models/convert_caffe.py").path]
        + ["narrow-heart.caffemodel", "narrow-heart.json"].map { folder.appending(path: $0).path }
        + [path, "myocardium", "blood"]
      try process.run()
      process.waitUntilExit()
      #expect(process.terminationStatus == 0)
      let converted = try ModelFile(path: path)
      let exported = try ModelFile(path: folder.appending(path: "narrow-heart.safetensors").path)
      #expect(converted.graph == exported.graph)
      #expect(converted.metadata == exported.metadata)
      for (name, tensor) in exported.parameters.tensors {
        #expect(relativeError(converted.parameters[name].elements, tensor.elements) < 1e-6, "\(name)")
      }
    }
  }

  private static var python: String? {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    return folders.map { $0 + "/python3" }.first { FileManager.default.isExecutableFile(atPath: $0) }
  }
}
