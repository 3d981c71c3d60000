import Foundation
import Work

extension ModelProto {
  /// Writes the file; one at `path` is replaced only when everything is written.
  /// - Throws: ``InputError`` when it cannot be written, or is larger than a message of Protocol Buffers may be.
  package func write(to path: String) throws(InputError) {
    let content = content
    guard content.count <= FileLimit.bytes else {
      throw InputError(
        path, "is too large for an ONNX file", found: "\(content.count) bytes",
        expected: "\(FileLimit.bytes) or fewer")
    }
    try AtomicFile.write(content, to: path)
  }

  /// The bytes of the file.
  ///
  /// Elements of tensors must be raw.
  package var content: Data {
    var message = MessageWriter()
    message.write(1, irVersion)
    message.write(2, producerName)
    message.write(7) { graph.write(to: &$0) }
    if let opset { message.write(8) { $0.write(2, opset) } }
    for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
      message.write(14) { entry in
        entry.write(1, key)
        entry.write(2, value)
      }
    }
    return message.content
  }
}

extension GraphProto {
  fileprivate func write(to message: inout MessageWriter) {
    for node in nodes { message.write(1) { node.write(to: &$0) } }
    message.write(2, name)
    for tensor in initializers { message.write(5) { tensor.write(to: &$0) } }
    for input in inputs { message.write(11) { input.write(to: &$0) } }
    for output in outputs { message.write(12) { output.write(to: &$0) } }
  }
}

extension NodeProto {
  fileprivate func write(to message: inout MessageWriter) {
    for input in inputs { message.write(1, input) }
    for output in outputs { message.write(2, output) }
    message.write(3, name)
    message.write(4, operation)
    for attribute in attributes { message.write(5) { attribute.write(to: &$0) } }
    if !domain.isEmpty { message.write(7, domain) }
  }
}

extension AttributeProto {
  fileprivate func write(to message: inout MessageWriter) {
    message.write(1, name)
    let type: Int
    switch value {
    case .float(let float):
      message.write(2, float)
      type = 1
    case .integer(let integer):
      message.write(3, integer)
      type = 2
    case .text(let text):
      message.write(4, text)
      type = 3
    case .tensor(let tensor):
      message.write(5) { tensor.write(to: &$0) }
      type = 4
    case .floats(let floats):
      for float in floats { message.write(7, float) }
      type = 6
    case .integers(let integers):
      for integer in integers { message.write(8, integer) }
      type = 7
    case .texts(let texts):
      for text in texts { message.write(9, text) }
      type = 8
    case .other: preconditionFailure("an attribute that cannot be written")
    }
    message.write(20, type)
  }
}

extension ValueInfoProto {
  fileprivate func write(to message: inout MessageWriter) {
    message.write(1, name)
    message.write(2) { type in
      type.write(1) { tensor in
        if let elementType { tensor.write(1, elementType) }
        guard let shape else { return }
        tensor.write(2) { axes in
          for (axis, extent) in shape.enumerated() {
            axes.write(1) { dimension in
              if let extent { dimension.write(1, extent) } else { dimension.write(2, "\(name)_\(axis)") }
            }
          }
        }
      }
    }
  }
}

extension TensorProto {
  fileprivate func write(to message: inout MessageWriter) {
    for extent in shape { message.write(1, extent) }
    message.write(2, elementType)
    message.write(8, name)
    guard case .raw(let bytes) = storage else { preconditionFailure("only raw elements are written") }
    message.write(9, bytes)
  }
}
