import Work

/// The format in which a file stores the values of a tensor.
package enum ElementFormat: String, Hashable, Sendable {
  /// IEEE 754 binary32.
  case f32 = "F32"
  /// IEEE 754 binary16.
  case f16 = "F16"
  /// The upper half of binary32.
  case bf16 = "BF16"

  /// Bytes of one value.
  var byteCount: Int { self == .f32 ? 4 : 2 }

  /// Whether a finite value stays finite in this format.
  func holds(_ value: Float) -> Bool {
    switch self {
    case .f32: true
    case .f16: Float16(value).isFinite
    case .bf16: Float(bitPattern: UInt32(Self.bfloat(value)) << 16).isFinite
    }
  }

  /// The values that little-endian `bytes` hold; their count must be a multiple of ``byteCount``.
  func decode(_ bytes: UnsafeRawBufferPointer) -> [Float] {
    let count = bytes.count / byteCount
    return [Float](unsafeUninitializedCapacity: count) { values, initialized in
      for index in 0..<count {
        switch self {
        case .f32:
          values[index] = Float(
            bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)))
        case .f16:
          let bits = UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self))
          values[index] = Float(Float16(bitPattern: bits))
        case .bf16:
          let bits = UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self))
          values[index] = Float(bitPattern: UInt32(bits) << 16)
        }
      }
      initialized = count
    }
  }

  /// `values` as little-endian bytes, rounded to nearest even where the format is narrower.
  func encode(_ values: [Float]) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: values.count * byteCount) { buffer, initialized in
      let bytes = UnsafeMutableRawBufferPointer(buffer)
      for (index, value) in values.enumerated() {
        switch self {
        case .f32:
          bytes.storeBytes(of: value.bitPattern.littleEndian, toByteOffset: 4 * index, as: UInt32.self)
        case .f16:
          bytes.storeBytes(
            of: Float16(value).bitPattern.littleEndian, toByteOffset: 2 * index, as: UInt16.self)
        case .bf16:
          bytes.storeBytes(of: Self.bfloat(value).littleEndian, toByteOffset: 2 * index, as: UInt16.self)
        }
      }
      initialized = values.count * byteCount
    }
  }

  private static func bfloat(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    guard !value.isNaN else { return UInt16(bits >> 16) | 0x40 }
    // Half a unit of the last place kept, less one unless that place is odd: nearest, ties to even. The sum
    // cannot overflow: the largest finite pattern and infinity stay below 2^32.
    return UInt16((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16)
  }
}
