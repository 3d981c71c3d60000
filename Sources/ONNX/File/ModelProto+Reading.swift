import Foundation
import Work

/// Upper limits of the numbers of a file's parts, far above any real network, so that a small file cannot ask for much
/// memory.
enum FileLimit {
  static let nodes = 65_536
  static let values = 65_536
  static let inputs = 4096
  static let attributes = 64
  static let axes = 8
  static let texts = 4096
  static let elements = 1 << 30
  /// Bytes of the largest message of Protocol Buffers.
  static let bytes = (1 << 31) - 1
}

extension ModelProto {
  /// The suffix of a file's name.
  package static let suffix = ".onnx"

  /// Reads a file.
  ///
  /// Weights in the file are not copied; those in other files are not read yet.
  /// - Throws: ``InputError`` when the file cannot be read, is damaged, or has parts beyond ``FileLimit``.
  package init(path: String) throws(InputError) {
    try self.init(FileSystem.read(path, limit: FileLimit.bytes), path: path)
  }

  /// Reads the content of a file; `path` names it in messages.
  package init(_ content: Data, path: String) throws(InputError) {
    // Indices begin with 0, whatever part of other data it is.
    let content = content.startIndex == 0 ? content : Data(content)
    self.init(opset: 0, graph: GraphProto())
    (opset, irVersion) = (nil, 0)
    var reader = MessageReader(content, 0..<content.count, subject: path)
    var (hasGraph, importCount) = (false, 0)
    while let field = try reader.next() {
      switch field.number {
      case 1: irVersion = try reader.integer(field)
      case 2: producerName = try reader.text(field)
      case 7:
        guard !hasGraph else { throw InputError(path, "has two graphs") }
        hasGraph = true
        graph = try GraphProto(try reader.message(field, "GraphProto"), path: path)
      case 8:
        importCount += 1
        try require(importCount, atMost: FileLimit.texts, "sets of operators", path)
        let (domain, version) = try Self.operatorSet(try reader.message(field, "OperatorSetIdProto"))
        if domain == "" || domain == "ai.onnx" { opset = version }
      case 14:
        let (key, value) = try stringEntry(try reader.message(field, "StringStringEntryProto"))
        metadata[key] = value
        try require(metadata.count, atMost: FileLimit.texts, "texts", path)
      default: break
      }
    }
    guard hasGraph else { throw InputError(path, "is no ONNX model: it has no graph") }
  }

  private static func operatorSet(
    _ message: MessageReader
  ) throws(InputError) -> (domain: String, version: Int) {
    var (reader, domain, version) = (message, "", 0)
    while let field = try reader.next() {
      switch field.number {
      case 1: domain = try reader.text(field)
      case 2: version = try reader.integer(field)
      default: break
      }
    }
    return (domain, version)
  }
}

private func require(_ count: Int, atMost limit: Int, _ name: String, _ path: String) throws(InputError) {
  guard count <= limit else { throw InputError(path, "has too many \(name)", expected: "at most \(limit)") }
}

private func stringEntry(_ message: MessageReader) throws(InputError) -> (key: String, value: String) {
  var (reader, key, value) = (message, "", "")
  while let field = try reader.next() {
    switch field.number {
    case 1: key = try reader.text(field)
    case 2: value = try reader.text(field)
    default: break
    }
  }
  return (key, value)
}

extension GraphProto {
  fileprivate init(_ message: MessageReader, path: String) throws(InputError) {
    self.init()
    var reader = message
    while let field = try reader.next() {
      switch field.number {
      case 1:
        nodes.append(try NodeProto(try reader.message(field, "NodeProto"), path: path))
        try require(nodes.count, atMost: FileLimit.nodes, "nodes", path)
      case 2: name = try reader.text(field)
      case 5:
        initializers.append(try TensorProto(try reader.message(field, "TensorProto"), path: path))
        try require(initializers.count, atMost: FileLimit.values, "initializers", path)
      case 11: inputs.append(try ValueInfoProto(try reader.message(field, "ValueInfoProto"), path: path))
      case 12: outputs.append(try ValueInfoProto(try reader.message(field, "ValueInfoProto"), path: path))
      case 15: throw InputError(path, "has a sparse initializer", expected: "dense ones")
      default: break
      }
      try require(max(inputs.count, outputs.count), atMost: FileLimit.values, "inputs or outputs", path)
    }
  }
}

extension NodeProto {
  fileprivate init(_ message: MessageReader, path: String) throws(InputError) {
    self.init()
    var reader = message
    while let field = try reader.next() {
      switch field.number {
      case 1: inputs.append(try reader.text(field))
      case 2: outputs.append(try reader.text(field))
      case 3: name = try reader.text(field)
      case 4: operation = try reader.text(field)
      case 5:
        attributes.append(try AttributeProto(try reader.message(field, "AttributeProto"), path: path))
        try require(attributes.count, atMost: FileLimit.attributes, "attributes of one node", path)
      case 7: domain = try reader.text(field)
      default: break
      }
      try require(
        max(inputs.count, outputs.count), atMost: FileLimit.inputs, "inputs or outputs of one node", path)
    }
    if domain == "ai.onnx" { domain = "" }
  }
}

extension AttributeProto {
  fileprivate init(_ message: MessageReader, path: String) throws(InputError) {
    var (reader, type, name) = (message, Int?.none, "")
    var single: Value?
    var (floats, integers, texts): ([Float], [Int], [String]) = ([], [], [])
    while let field = try reader.next() {
      switch field.number {
      case 1: name = try reader.text(field)
      case 2: single = .float(try reader.float(field))
      case 3: single = .integer(try reader.integer(field))
      case 4: single = .text(try reader.text(field))
      case 5: single = .tensor(try TensorProto(try reader.message(field, "TensorProto"), path: path))
      case 7: try reader.append(field, to: &floats)
      case 8: try reader.append(field, to: &integers)
      case 9: texts.append(try reader.text(field))
      case 20: type = try reader.integer(field)
      case 6, 10, 11, 14, 15, 21, 22, 23: single = .other
      default: break
      }
      try require(
        max(floats.count, integers.count, texts.count), atMost: FileLimit.values, "numbers in an attribute",
        path)
    }
    self.name = name
    // The type tells an empty list from a number that is left out because it is 0.
    switch type {
    case 1?: value = single ?? .float(0)
    case 2?: value = single ?? .integer(0)
    case 3?: value = single ?? .text("")
    case 6?: value = .floats(floats)
    case 7?: value = .integers(integers)
    case 8?: value = .texts(texts)
    default:
      value =
        single ?? (!floats.isEmpty ? .floats(floats) : !texts.isEmpty ? .texts(texts) : .integers(integers))
    }
  }
}

extension ValueInfoProto {
  fileprivate init(_ message: MessageReader, path: String) throws(InputError) {
    self.init()
    elementType = nil
    var reader = message
    while let field = try reader.next() {
      switch field.number {
      case 1: name = try reader.text(field)
      case 2:
        // TypeProto, of which the tensor type is read.
        var type = try reader.message(field, "TypeProto")
        while let field = try type.next() {
          if field.number == 1 { try readTensorType(type.message(field, "TypeProto.Tensor"), path: path) }
        }
      default: break
      }
    }
  }

  private mutating func readTensorType(_ message: MessageReader, path: String) throws(InputError) {
    var reader = message
    while let field = try reader.next() {
      switch field.number {
      case 1: elementType = try reader.integer(field)
      case 2:
        var (shape, extents) = (try reader.message(field, "TensorShapeProto"), [Int?]())
        while let field = try shape.next() {
          guard field.number == 1 else { continue }
          var (dimension, extent) = (try shape.message(field, "Dimension"), Int?.none)
          while let field = try dimension.next() {
            if field.number == 1 { extent = try dimension.integer(field) }
          }
          extents.append(extent)
          try require(extents.count, atMost: FileLimit.axes, "axes of \(name)", path)
        }
        self.shape = extents
      default: break
      }
    }
  }
}

extension TensorProto {
  fileprivate init(_ message: MessageReader, path: String) throws(InputError) {
    self.init()
    var reader = message
    var (isExternal, external) = (false, ExternalData())
    var (floats, doubles, integers): ([Float], [Double], [Int]) = ([], [], [])
    var raw: Data?
    while let field = try reader.next() {
      switch field.number {
      case 1:
        try reader.append(field, to: &shape)
        try require(shape.count, atMost: FileLimit.axes, "axes of one tensor", path)
      case 2: elementType = try reader.integer(field)
      case 4: try reader.append(field, to: &floats)
      case 5, 7, 11: try reader.append(field, to: &integers)
      case 8: name = try reader.text(field)
      case 9: raw = reader.content[try reader.bytes(field)]
      case 10: try reader.append(field, to: &doubles)
      case 13:
        try external.read(stringEntry(try reader.message(field, "StringStringEntryProto")), path: path)
      case 14: isExternal = try reader.integer(field) == 1
      default: break
      }
    }
    if isExternal {
      storage = .external(external)
    } else if let raw {
      storage = .raw(raw)
    } else if !doubles.isEmpty {
      storage = .doubles(doubles)
    } else if !floats.isEmpty {
      storage = .floats(floats)
    } else {
      storage = .integers(integers)
    }
  }
}

extension ExternalData {
  /// Takes one of the entries that describe it.
  fileprivate mutating func read(_ entry: (key: String, value: String), path: String) throws(InputError) {
    func number() throws(InputError) -> Int {
      guard let number = Int(entry.value), number >= 0 else {
        throw InputError(
          path, "external data: its \(entry.key)", found: "\"\(entry.value.prefix(40))\"",
          expected: "a number of bytes")
      }
      return number
    }
    switch entry.key {
    case "location": location = entry.value
    case "offset": offset = try number()
    case "length": length = try number()
    default: break
    }
  }
}
