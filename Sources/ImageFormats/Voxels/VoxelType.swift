/// The type in which a file stores a voxel.
package enum VoxelType: String, Hashable, Sendable, Codable, CaseIterable {
  case uint8, int8, uint16, int16, uint32, int32, uint64, int64, float32, float64
  /// Not one real number per voxel: geometry can be read, voxels are refused.
  case float128, complex64, complex128, complex256, rgb24, rgba32

  /// Bytes of one voxel.
  package var byteCount: Int {
    switch self {
    case .uint8, .int8: 1
    case .uint16, .int16: 2
    case .rgb24: 3
    case .uint32, .int32, .float32, .rgba32: 4
    case .uint64, .int64, .float64, .complex64: 8
    case .float128, .complex128: 16
    case .complex256: 32
    }
  }

  /// Whether voxels of this type are read as numbers.
  package var isReadable: Bool {
    switch self {
    case .float128, .complex64, .complex128, .complex256, .rgb24, .rgba32: false
    case .uint8, .int8, .uint16, .int16, .uint32, .int32, .uint64, .int64, .float32, .float64: true
    }
  }

  /// Whether a stored value may have a fraction or not be a number at all.
  package var isFloatingPoint: Bool { self == .float32 || self == .float64 }
}
