import Foundation

// The messages of onnx.proto that networks need, under its names. Fields that say nothing of what a network computes, such
// as documentation, are not kept.

/// An ONNX model: a graph, the version of the operators that it uses, and texts.
package struct ModelProto: Equatable, Sendable {
  /// The version of the file format.
  package var irVersion = 8
  /// The program that wrote the file.
  package var producerName = ""
  /// The version of ONNX's own operators (the domain ""); nil where the file states none.
  package var opset: Int?
  package var graph = GraphProto()
  /// Texts by key: `metadata_props`.
  package var metadata: [String: String] = [:]

  /// A model of `graph` by ONNX's own operators of version `opset`.
  package init(opset: Int, graph: GraphProto) {
    self.opset = opset
    self.graph = graph
  }
}

/// Nodes, each of which reads values and gives values; constants; and the values at the ends.
package struct GraphProto: Equatable, Sendable {
  package var name = ""
  package var nodes: [NodeProto] = []
  package var initializers: [TensorProto] = []
  package var inputs: [ValueInfoProto] = []
  package var outputs: [ValueInfoProto] = []

  package init() {}
}

/// One application of an operator.
package struct NodeProto: Equatable, Sendable {
  package var name = ""
  /// "Conv".
  package var operation = ""
  /// Empty for ONNX's own operators.
  package var domain = ""
  /// Names of values; empty for an input that is left out.
  package var inputs: [String] = []
  package var outputs: [String] = []
  package var attributes: [AttributeProto] = []

  /// A node of ONNX's own operator `operation`.
  package init(
    _ operation: String, name: String = "", _ inputs: [String], _ outputs: [String],
    attributes: [String: AttributeProto.Value] = [:]
  ) {
    self.name = name
    self.operation = operation
    self.inputs = inputs
    self.outputs = outputs
    self.attributes = attributes.sorted { $0.key < $1.key }.map {
      AttributeProto(name: $0.key, value: $0.value)
    }
  }

  init() {}
}

/// A constant argument of a node.
package struct AttributeProto: Equatable, Sendable {
  package enum Value: Equatable, Sendable {
    case float(Float)
    case integer(Int)
    case text(String)
    case tensor(TensorProto)
    case floats([Float])
    case integers([Int])
    case texts([String])
    /// A graph, a sparse tensor, a type, or a list of them, which no network needs.
    case other
  }

  package var name: String
  package var value: Value

  package init(name: String, value: Value) {
    self.name = name
    self.value = value
  }
}

/// An array.
package struct TensorProto: Equatable, Sendable {
  /// The types of elements that are read, by their numbers in the format.
  package enum ElementType: Int, Sendable {
    case float32 = 1
    case uint8 = 2
    case int8 = 3
    case uint16 = 4
    case int16 = 5
    case int32 = 6
    case int64 = 7
    case bool = 9
    case float16 = 10
    case float64 = 11
    case uint32 = 12
    case uint64 = 13
    case bfloat16 = 16
  }

  /// Where its elements are.
  package enum Storage: Equatable, Sendable {
    /// Little-endian, without gaps.
    case raw(Data)
    case floats([Float])
    case doubles([Double])
    /// Numbers; of float16 and bfloat16 their bits.
    case integers([Int])
    /// In another file.
    case external(ExternalData)
  }

  package var name = ""
  package var shape: [Int] = []
  /// The number of its type in the format.
  package var elementType = ElementType.float32.rawValue
  package var storage = Storage.raw(Data())

  /// A tensor whose elements are stored as `storage` says.
  package init(_ name: String, shape: [Int], type: ElementType, _ storage: Storage) {
    self.name = name
    self.shape = shape
    elementType = type.rawValue
    self.storage = storage
  }

  /// A tensor of single-precision numbers.
  package init(_ name: String, shape: [Int], _ elements: [Float]) {
    // Floats of this machine are little-endian, as those of all on which Swift runs.
    self.init(name, shape: shape, type: .float32, .raw(elements.withUnsafeBytes { Data($0) }))
  }

  /// A list of integers.
  package init(_ name: String, _ integers: [Int]) {
    self.init(name, shape: [integers.count], type: .int64, .raw(integers.withUnsafeBytes { Data($0) }))
  }

  init() {}
}

/// A part of a file beside the model's.
package struct ExternalData: Equatable, Sendable {
  package var location = ""
  package var offset = 0
  /// Bytes; nil for all to the end of the file.
  package var length: Int?

  package init(location: String = "", offset: Int = 0, length: Int? = nil) {
    self.location = location
    self.offset = offset
    self.length = length
  }
}

/// The name and shape of a value at an end of the graph.
package struct ValueInfoProto: Equatable, Sendable {
  package var name = ""
  /// The type of its elements in the format; nil where it is not stated.
  package var elementType: Int?
  /// Its extents, of which those without a number are nil; nil where it has no shape.
  package var shape: [Int?]?

  /// A value of single-precision numbers.
  package init(name: String = "", shape: [Int?]? = nil) {
    self.name = name
    self.shape = shape
    elementType = TensorProto.ElementType.float32.rawValue
  }
}
