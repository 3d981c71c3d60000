import Foundation
import Work

extension TensorProto.ElementType {
  /// Bytes of one element.
  var byteCount: Int {
    switch self {
    case .uint8, .int8, .bool: 1
    case .uint16, .int16, .float16, .bfloat16: 2
    case .float32, .int32, .uint32: 4
    case .float64, .int64, .uint64: 8
    }
  }

  /// Whether its elements are real numbers.
  var isFloating: Bool {
    switch self {
    case .float32, .float16, .float64, .bfloat16: true
    default: false
    }
  }
}

extension TensorProto {
  /// The type of its elements.
  /// - Throws: ``InputError`` about `path` for a type that is not read: texts, complex, packed and 8-bit floats.
  func type(path: String) throws(InputError) -> ElementType {
    guard let type = ElementType(rawValue: elementType) else {
      throw InputError(
        path, "tensor \(name): its elements have the type \(elementType)",
        expected: "floats or integers of 8 bits and more")
    }
    return type
  }

  /// The number of elements that its shape has.
  /// - Throws: ``InputError`` about `path` for a negative extent or more than ``FileLimit/elements``.
  func elementCount(path: String) throws(InputError) -> Int {
    var count: Int? = 1
    for extent in shape { count = extent < 0 ? nil : count.flatMap { checkedProduct($0, extent) } }
    guard let count, count <= FileLimit.elements else {
      throw InputError(
        path, "tensor \(name): shape", found: "\(shape)", expected: "at most \(FileLimit.elements) elements")
    }
    return count
  }

  /// The elements as single-precision numbers.
  /// - Parameter path: The model's file, for messages, and beside which external data lies.
  /// - Throws: ``InputError`` where the elements do not fit the shape, or another file cannot be read.
  /// - Complexity: O(elements).
  package func floats(path: String) throws(InputError) -> [Float] {
    let (type, count) = (try type(path: path), try elementCount(path: path))
    switch storage {
    case .floats(let floats) where type == .float32:
      try require(floats.count, count, path)
      return floats
    case .doubles(let doubles) where type == .float64:
      try require(doubles.count, count, path)
      return doubles.map { Float($0) }
    case .integers(let integers):
      try require(integers.count, count, path)
      return integers.map { type.float($0) }
    case .raw(let data): return try floats(of: data, type, count, path)
    case .external(let part): return try floats(of: part.read(beside: path, tensor: name), type, count, path)
    case .floats, .doubles: throw mismatch(type, path)
    }
  }

  /// The elements as integers.
  /// - Throws: As ``floats(path:)``, and where they are real numbers.
  package func integers(path: String) throws(InputError) -> [Int] {
    let (type, count) = (try type(path: path), try elementCount(path: path))
    guard !type.isFloating else { throw mismatch(type, path) }
    switch storage {
    case .integers(let integers):
      try require(integers.count, count, path)
      return integers
    case .raw(let data): return try integers(of: data, type, count, path)
    case .external(let part):
      return try integers(of: part.read(beside: path, tensor: name), type, count, path)
    case .floats, .doubles: throw mismatch(type, path)
    }
  }

  private func floats(
    of data: Data, _ type: ElementType, _ count: Int, _ path: String
  ) throws(InputError) -> [Float] {
    guard type.isFloating else { return try integers(of: data, type, count, path).map { Float($0) } }
    try requireBytes(data, type, count, path)
    return data.withUnsafeBytes { bytes in
      (0..<count).map { index in
        switch type {
        case .float64: Float(Double(bitPattern: bytes.littleEndian(index, as: UInt64.self)))
        case .float16: Float(Float16(bitPattern: bytes.littleEndian(index, as: UInt16.self)))
        case .bfloat16: Float(bitPattern: UInt32(bytes.littleEndian(index, as: UInt16.self)) << 16)
        default: Float(bitPattern: bytes.littleEndian(index, as: UInt32.self))
        }
      }
    }
  }

  private func integers(
    of data: Data, _ type: ElementType, _ count: Int, _ path: String
  ) throws(InputError) -> [Int] {
    try requireBytes(data, type, count, path)
    return data.withUnsafeBytes { bytes in
      (0..<count).map { index in
        switch type {
        case .uint8, .bool: Int(bytes[index])
        case .int8: Int(Int8(bitPattern: bytes[index]))
        case .uint16: Int(bytes.littleEndian(index, as: UInt16.self))
        case .int16: Int(Int16(bitPattern: bytes.littleEndian(index, as: UInt16.self)))
        case .uint32: Int(bytes.littleEndian(index, as: UInt32.self))
        case .int32: Int(Int32(bitPattern: bytes.littleEndian(index, as: UInt32.self)))
        default: Int(truncatingIfNeeded: bytes.littleEndian(index, as: UInt64.self))
        }
      }
    }
  }

  private func require(_ found: Int, _ count: Int, _ path: String) throws(InputError) {
    guard found == count else {
      throw InputError(
        path, "tensor \(name): elements for the shape \(shape)", found: "\(found)", expected: "\(count)")
    }
  }

  private func requireBytes(
    _ data: Data, _ type: ElementType, _ count: Int, _ path: String
  ) throws(InputError) {
    guard data.count == count * type.byteCount else {
      throw InputError(
        path, "tensor \(name): bytes of elements for the shape \(shape)", found: "\(data.count)",
        expected: "\(count * type.byteCount)")
    }
  }

  private func mismatch(_ type: ElementType, _ path: String) -> InputError {
    InputError(path, "tensor \(name): its elements are not of its type, \(type)")
  }
}

extension TensorProto.ElementType {
  /// The number that an entry of `int32_data` or `int64_data` stands for.
  fileprivate func float(_ entry: Int) -> Float {
    switch self {
    case .float16: Float(Float16(bitPattern: UInt16(truncatingIfNeeded: entry)))
    case .bfloat16: Float(bitPattern: UInt32(UInt16(truncatingIfNeeded: entry)) << 16)
    default: Float(entry)
    }
  }
}

extension UnsafeRawBufferPointer {
  /// Element `index` of an array of little-endian integers.
  fileprivate func littleEndian<Number: FixedWidthInteger>(_ index: Int, as type: Number.Type) -> Number {
    Number(littleEndian: loadUnaligned(fromByteOffset: index * MemoryLayout<Number>.size, as: type))
  }
}
