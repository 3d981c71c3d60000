/// A number as files store it, with its conversions as single instructions.
protocol StoredNumber: Equatable, CustomStringConvertible {
  /// The nearest 32-bit float.
  var single: Float { get }
  /// The nearest 64-bit float.
  var double: Double { get }
  /// The number itself where it is stored as a whole one that fits; nil for floating ones.
  var integer: Int? { get }
  /// Whether ``double`` is the number itself.
  var isExact: Bool { get }
}

/// A loop over stored numbers that is compiled once for each of their types.
protocol StoredNumberLoop {
  associatedtype Result
  mutating func run<Number: StoredNumber>(over numbers: UnsafeBufferPointer<Number>) -> Result
}

extension StoredNumberLoop {
  /// Runs over `bytes`, which hold whole, aligned numbers of a readable `type` in this machine's byte order.
  mutating func run(over bytes: UnsafeRawBufferPointer, type: VoxelType) -> Result {
    switch type {
    case .uint8: run(over: bytes.assumingMemoryBound(to: UInt8.self))
    case .int8: run(over: bytes.assumingMemoryBound(to: Int8.self))
    case .uint16: run(over: bytes.assumingMemoryBound(to: UInt16.self))
    case .int16: run(over: bytes.assumingMemoryBound(to: Int16.self))
    case .uint32: run(over: bytes.assumingMemoryBound(to: UInt32.self))
    case .int32: run(over: bytes.assumingMemoryBound(to: Int32.self))
    case .uint64: run(over: bytes.assumingMemoryBound(to: UInt64.self))
    case .int64: run(over: bytes.assumingMemoryBound(to: Int64.self))
    case .float32: run(over: bytes.assumingMemoryBound(to: Float.self))
    case .float64: run(over: bytes.assumingMemoryBound(to: Double.self))
    case .float128, .complex64, .complex128, .complex256, .rgb24, .rgba32:
      preconditionFailure("\(type) is refused before its voxels are read")
    }
  }
}

extension StoredNumber where Self: BinaryInteger {
  var single: Float { Float(self) }
  var double: Double { Double(self) }
  var integer: Int? { Int(exactly: self) }
  var isExact: Bool { Double(exactly: self) != nil }
}

extension UInt8: StoredNumber {}
extension Int8: StoredNumber {}
extension UInt16: StoredNumber {}
extension Int16: StoredNumber {}
extension UInt32: StoredNumber {}
extension Int32: StoredNumber {}
extension UInt64: StoredNumber {}
extension Int64: StoredNumber {}

extension Float: StoredNumber {
  var single: Float { self }
  var double: Double { Double(self) }
  var integer: Int? { nil }
  var isExact: Bool { true }
}

extension Double: StoredNumber {
  var single: Float { Float(self) }
  var double: Double { self }
  var integer: Int? { nil }
  var isExact: Bool { true }
}
