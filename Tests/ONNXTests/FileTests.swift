import Foundation
import ONNX
import TestSupport
import Testing
import Work

@Suite("ONNX files")
struct FileTests {
  private let model = TinyModel.afterFirst(
    [NodeProto("LeakyRelu", name: "leaky", ["a"], ["scores"], attributes: ["alpha": .float(0.2)])])

  @Test("what is written is read again")
  func roundTrip() throws {
    var model = model
    model.metadata = ["key": "value", "other": ""]
    model.graph.nodes[0].attributes = [
      .init(name: "ints", value: .integers([0, -1, .max, .min])), .init(name: "name", value: .text("ä")),
      .init(name: "floats", value: .floats([0, -1.5])), .init(name: "none", value: .integers([])),
      .init(name: "zero", value: .integer(0)), .init(name: "texts", value: .texts(["", "b"])),
      .init(name: "tensor", value: .tensor(TinyModel.numbers("t", 2, 3))),
    ]
    #expect(try ModelProto(model.content, path: "tiny.onnx") == model)
  }

  @Test("every element type and every place of elements gives the same numbers")
  func elementTypes() throws {
    let numbers: [Float] = [1, -2, 0.5, 0]
    let halves = numbers.map { Int(Float16($0).bitPattern) }
    let brains = numbers.map { Int($0.bitPattern >> 16) }
    func bytes<Number>(_ numbers: [Number]) -> TensorProto.Storage {
      .raw(numbers.withUnsafeBytes { Data($0) })
    }
    let tensors = [
      TensorProto("t", shape: [4], numbers),
      TensorProto("t", shape: [4], type: .float32, .floats(numbers)),
      TensorProto("t", shape: [4], type: .float64, .doubles(numbers.map(Double.init))),
      TensorProto("t", shape: [4], type: .float64, bytes(numbers.map(Double.init))),
      TensorProto("t", shape: [4], type: .float16, .integers(halves)),
      TensorProto("t", shape: [4], type: .float16, bytes(halves.map { UInt16($0) })),
      TensorProto("t", shape: [4], type: .bfloat16, .integers(brains)),
      TensorProto("t", shape: [4], type: .bfloat16, bytes(brains.map { UInt16($0) })),
    ]
    for tensor in tensors { #expect(try tensor.floats(path: "tiny.onnx") == numbers, "\(tensor)") }
    let whole = [
      TensorProto("t", shape: [2], type: .int8, bytes([Int8(-3), 7])),
      TensorProto("t", shape: [2], type: .int16, bytes([Int16(-3), 7])),
      TensorProto("t", shape: [2], type: .int32, bytes([Int32(-3), 7])),
      TensorProto("t", shape: [2], type: .int64, bytes([-3, 7])),
      TensorProto("t", shape: [2], type: .int32, .integers([-3, 7])),
    ]
    for tensor in whole {
      #expect(try tensor.integers(path: "tiny.onnx") == [-3, 7], "\(tensor)")
      #expect(try tensor.floats(path: "tiny.onnx") == [-3, 7], "\(tensor)")
    }
  }

  @Test("elements that do not fit the shape are refused with both numbers")
  func mismatchedElements() throws {
    let short = TensorProto("t", shape: [2, 3], [1, 2, 3])
    #expect(
      throws: InputError("m", "tensor t: bytes of elements for the shape [2, 3]", found: "12", expected: "24")
    ) {
      try short.floats(path: "m")
    }
    let huge = TensorProto("t", shape: [1 << 40, 1 << 40], [1])
    #expect(
      throws: InputError(
        "m", "tensor t: shape", found: "[1099511627776, 1099511627776]",
        expected: "at most 1073741824 elements")
    ) { try huge.floats(path: "m") }
    let texts = TensorProto("t", shape: [1], type: .int64, .floats([1]))
    #expect(throws: InputError("m", "tensor t: its elements are not of its type, int64")) {
      try texts.integers(path: "m")
    }
  }

  @Test("every file that is cut or has one bit flipped is read or refused in one line")
  func damagedFiles() throws {
    let bytes = Array(model.content)
    var refusals = 0
    func read(_ bytes: [UInt8]) {
      do {
        _ = try ImportedNetwork(ModelProto(Data(bytes), path: "tiny.onnx"), path: "tiny.onnx")
      } catch {
        refusals += 1
        #expect(error.description.hasPrefix("tiny.onnx"), "\(error)")
        #expect(!error.description.contains("\n"))
      }
    }
    for count in bytes.indices { read(Array(bytes[..<count])) }
    #expect(refusals == bytes.count)
    for index in bytes.indices {
      for bit in 0..<8 {
        var flipped = bytes
        flipped[index] ^= 1 << UInt8(bit)
        read(flipped)
      }
    }
  }

  @Test("weights in another file are read from the folder of the model, and from nowhere else")
  func externalData() throws {
    try withTemporaryFolder { folder in
      let path = folder.appending(path: "model.onnx").path
      let data = [Float(7), 1, 2, 3].withUnsafeBytes { Data($0) }
      try FileManager.default.createDirectory(
        at: folder.appending(path: "sub"), withIntermediateDirectories: true)
      for name in ["weights.bin", "sub/weights.bin"] { try data.write(to: folder.appending(path: name)) }
      try FileManager.default.createSymbolicLink(
        at: folder.appending(path: "link.bin"), withDestinationURL: folder.appending(path: "weights.bin"))
      try FileManager.default.createSymbolicLink(
        at: folder.appending(path: "link"), withDestinationURL: folder.appending(path: "sub"))
      func tensor(_ location: String, offset: Int = 4, length: Int? = 12) -> TensorProto {
        TensorProto(
          "t", shape: [3], type: .float32,
          .external(ExternalData(location: location, offset: offset, length: length)))
      }
      for location in ["weights.bin", "sub/weights.bin", "./weights.bin"] {
        #expect(try tensor(location).floats(path: path) == [1, 2, 3])
      }
      #expect(try tensor("weights.bin", length: nil).floats(path: path) == [1, 2, 3])
      let refused = [
        "/etc/passwd", "../weights.bin", "sub/../weights.bin", "", "sub//weights.bin", "link.bin",
        "link/weights.bin",
        "missing.bin", "sub", "weights.bin\0",
      ]
      for location in refused {
        #expect(throws: InputError.self, "\(location)") { try tensor(location).floats(path: path) }
      }
      for (offset, length) in [(8, 12), (17, 0), (0, Int.max), (Int.max, 12), (4, 8)] {
        #expect(throws: InputError.self) {
          try tensor("weights.bin", offset: offset, length: length).floats(path: path)
        }
      }
    }
  }
}
