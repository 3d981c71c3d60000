import Foundation
import Networks
import Tensors
import TestSupport
import Testing
import Work

@Suite("Model files")
struct ModelFileTests {
  private let texts = ["labels": "[{\"value\": 1}]", "preprocessing": "{}", "note": "Grüße\n\"quoted\""]

  private func model() throws -> ModelFile {
    var parameters = Parameters(initialising: try NetworkGraph.tiny.resolved(), seed: 3)
    parameters["bn1.running_var"] = Tensor(shape: [4], elements: [0.5, 1, 2, 0.1])
    return ModelFile(graph: .tiny, parameters: parameters, metadata: texts)
  }

  @Test("a model comes back whole")
  func roundTrip() throws {
    let model = try model()
    try withTemporaryFolder { folder in
      let path = folder.appending(path: "m.safetensors").path
      try model.write(to: path)
      let read = try ModelFile(path: path)
      #expect(read.graph == model.graph)
      #expect(read.parameters == model.parameters)
      #expect(read.metadata == texts)
    }
  }

  @Test("narrow formats round to nearest", arguments: [(ElementFormat.f16, 11), (.bf16, 8)])
  func narrow(format: ElementFormat, bits: Int) throws {
    let model = try model()
    try withTemporaryFolder { folder in
      let path = folder.appending(path: "m.safetensors").path
      try model.write(to: path, format: format)
      let read = try ModelFile(path: path)
      for (name, tensor) in model.parameters.tensors {
        for (value, stored) in zip(tensor.elements, read.parameters[name].elements) {
          #expect(
            abs(value - stored) <= abs(value) * Float(sign: .plus, exponent: -bits, significand: 1) + 1e-7)
        }
      }
      let again = folder.appending(path: "again.safetensors").path
      try read.write(to: again, format: format)
      #expect(try ModelFile(path: again).parameters == read.parameters)
    }
  }

  @Test("a weight beyond a narrow format's range is refused, not turned into infinity")
  func tooLarge() throws {
    var model = try model()
    model.parameters["conv1.bias"] = Tensor(shape: [4], elements: [0, 65_520, 1, 2])
    try withTemporaryFolder { folder in
      let path = folder.appending(path: "m.safetensors").path
      #expect(
        refusal { try model.write(to: path, format: .f16) }
          == "\(path): tensor conv1.bias: a weight is too large for F16: found 65520.0, expected BF16 or F32")
      #expect(!FileManager.default.fileExists(atPath: path))
      try model.write(to: path, format: .bf16)
    }
  }

  @Test("bf16 rounds ties to even")
  func ties() throws {
    try withTemporaryFolder { folder in
      let path = folder.appending(path: "t.safetensors").path
      let values = [0x3F80_8000, 0x3F81_8000, 0x3F80_8001, 0xFF7F_0000].map { Float(bitPattern: $0) }
      try TensorFile.write(
        ["t": Tensor(shape: [4], elements: values)], metadata: [:], format: .bf16, to: path)
      let stored = try TensorFile(path: path).tensor("t", shape: [4]).elements.map(\.bitPattern)
      #expect(stored == [0x3F80_0000, 0x3F82_0000, 0x3F81_0000, 0xFF7F_0000])
    }
  }

  /// A safetensors file of a header and zeros after it.
  private func file(_ header: String, bytes: Int) -> Data {
    var data = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) }
    data.append(Data(header.utf8))
    data.append(Data(repeating: 0, count: bytes))
    return data
  }

  @Test(
    "a file that does not add up is refused with one line",
    arguments: [
      (#"{"#, 0, "safetensors header: top level: "),
      (
        #"{"t": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}"#, 4,
        "tensor t: the file is truncated: found 4 bytes of tensors, expected 8"
      ),
      (
        #"{"t": {"dtype": "F32", "shape": [3], "data_offsets": [0, 8]}}"#, 8,
        "tensor t: F32 of shape [3] does not fit its data: found 8 bytes"
      ),
      (
        #"{"t": {"dtype": "F32", "shape": [4611686018427387904, 8], "data_offsets": [0, 8]}}"#, 8,
        "tensor t: F32 of shape [4611686018427387904, 8] does not fit its data: found 8 bytes"
      ),
      (
        #"{"t": {"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]}}"#, 8,
        "tensor t: F32 of shape [-2] does not fit its data: found 8 bytes"
      ),
      (
        #"{"t": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}}"#, 12,
        "tensor t: data starts in the wrong place: found 4, expected 0"
      ),
      (
        #"{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}, "b": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}}"#,
        12, "tensor b: data starts in the wrong place: found 4, expected 8"
      ),
      (
        #"{"t": {"dtype": "F32", "shape": [2], "data_offsets": [8]}}"#, 8,
        "tensor t: data offsets: found [8], expected [begin, end]"
      ),
      (
        #"{"t": {"dtype": "C64", "shape": [1], "data_offsets": [0, 8]}}"#, 8,
        "tensor t: unknown element type: found C64"
      ),
      (
        #"{"t": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}"#, 8,
        "bytes after the last tensor: found 8 bytes of tensors, expected 4"
      ),
      (#"{"t": {"dtype": "F32", "shape": [1]}}"#, 4, "safetensors header: t.data_offsets: missing"),
      (#"{"__metadata__": {"a": 1}}"#, 0, "safetensors header: __metadata__.a: wrong type"),
      (#"{}"#, 0, #"not a segdeck model: its metadata has no "segdeck.format""#),
      (#"{"__metadata__": {"segdeck.format": "9"}}"#, 0, "model format: found 9, expected 1 or 2"),
      (#"{"__metadata__": {"segdeck.format": "1"}}"#, 0, #"its metadata has no "network""#),
      (
        #"{"__metadata__": {"segdeck.format": "1", "network": "{}"}}"#, 0,
        "network graph: inputChannels: missing"
      ),
    ])
  func refused(header: String, bytes: Int, line: String) throws {
    try withTemporaryFolder { folder in
      let path = folder.appending(path: "bad.safetensors").path
      try file(header, bytes: bytes).write(to: URL(filePath: path))
      let found = refusal { _ = try ModelFile(path: path) }
      #expect(found.hasPrefix("\(path): \(line)"))
      #expect(!found.contains("\n"))
    }
  }

  @Test("files that are not models, and hostile lengths, are refused")
  func notAFile() throws {
    try withTemporaryFolder { folder in
      let path = folder.appending(path: "x").path
      #expect(refusal { _ = try ModelFile(path: path) } == "\(path): cannot be read: found no such file")
      #expect(
        refusal { _ = try ModelFile(path: folder.path) }
          == "\(folder.path): cannot be read: found a folder, expected a file")
      try Data([1, 2, 3]).write(to: URL(filePath: path))
      #expect(
        refusal { _ = try ModelFile(path: path) }
          == "\(path): not a safetensors file: ends in its length: found 3 bytes, expected at least 8")
      try Data([255, 255, 255, 255, 255, 255, 255, 255, 0]).write(to: URL(filePath: path))
      #expect(
        refusal { _ = try ModelFile(path: path) }
          == "\(path): not a safetensors file, or truncated: header length: found 18446744073709551615, expected at most the 1 byte that follows"
      )
    }
  }

  @Test("every truncation of a model is refused")
  func truncated() throws {
    try withTemporaryFolder { folder in
      let path = folder.appending(path: "m.safetensors").path
      try model().write(to: path)
      let content = try Data(contentsOf: URL(filePath: path))
      for length in stride(from: 0, to: content.count, by: 97) {
        #expect(throws: InputError.self) {
          _ = try TensorFile(content.prefix(length), path: path)
        }
      }
    }
  }

  @Test("weights that do not fit the network are refused with the tensor and both shapes")
  func mismatched() throws {
    let graph = try NetworkGraph.tiny.resolved()
    var tensors = try model().parameters.tensors
    tensors["conv2.weight"] = Tensor(shape: [16, 4, 3, 3, 1])
    #expect(
      refusal { _ = try Parameters(tensors, for: graph, subject: "m") }
        == "m: tensor conv2.weight: shape: found [16, 4, 3, 3, 1], expected [16, 4, 3, 3, 3]")
    tensors["conv2.weight"] = nil
    #expect(
      refusal { _ = try Parameters(tensors, for: graph, subject: "m") }
        == "m: tensor conv2.weight: missing: expected shape [16, 4, 3, 3, 3]")
    tensors = try model().parameters.tensors
    tensors["up.bias"] = Tensor(shape: [2], elements: [0, .nan])
    #expect(
      refusal { _ = try Parameters(tensors, for: graph, subject: "m") }
        == "m: tensor up.bias: holds a value that is not a finite number")
    tensors["up.bias"] = Tensor(shape: [2])
    tensors["bn1.running_var"] = Tensor(shape: [4], elements: [1, 1, -1, 1])
    #expect(
      refusal { _ = try Parameters(tensors, for: graph, subject: "m") }
        == "m: tensor bn1.running_var: a variance: found -1.0, expected a number >= 0")
  }

  @Test("a model that cannot be written leaves the old one")
  func unwritable() throws {
    try withTemporaryFolder { folder in
      let path = folder.appending(path: "missing/m.safetensors").path
      #expect(throws: InputError.self) { try model().write(to: path) }
      let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      #expect(left == [])
    }
  }
}
