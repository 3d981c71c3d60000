import Work

/// A type in which the intensities of a volume are kept: an integer of 8 or 16 bits, or a 32-bit float.
package protocol StoredIntensity: BitwiseCopyable, Sendable {
  /// The value of the number itself as a 32-bit float.
  var unscaled: Float { get }

  /// The value under `scaling` as the nearest 32-bit float; a float, which has no scaling, is the value itself.
  func value(_ scaling: VoxelScaling) -> Float

  /// The voxels of a volume that are stored as `numbers`.
  static func voxels(_ numbers: [Self]) -> IntensityVoxels.Numbers
}

/// An integer type in which intensities are kept.
package protocol StoredInteger: StoredIntensity, FixedWidthInteger {}

extension StoredInteger {
  // A conversion from 32 bits is one vector instruction on every machine; one from 64 bits is not.
  @inline(__always)
  package var unscaled: Float { Float(Int32(truncatingIfNeeded: self)) }

  @inline(__always)
  package func value(_ scaling: VoxelScaling) -> Float {
    scaling.value(Double(Int32(truncatingIfNeeded: self)))
  }

  /// Whether every number of the type has a finite value under `scaling`.
  package static func areFinite(under scaling: VoxelScaling) -> Bool {
    min.value(scaling).isFinite && max.value(scaling).isFinite
  }
}

extension UInt8: StoredInteger {
  package static func voxels(_ numbers: [UInt8]) -> IntensityVoxels.Numbers { .uint8(numbers) }
}

extension Int8: StoredInteger {
  package static func voxels(_ numbers: [Int8]) -> IntensityVoxels.Numbers { .int8(numbers) }
}

extension UInt16: StoredInteger {
  package static func voxels(_ numbers: [UInt16]) -> IntensityVoxels.Numbers { .uint16(numbers) }
}

extension Int16: StoredInteger {
  package static func voxels(_ numbers: [Int16]) -> IntensityVoxels.Numbers { .int16(numbers) }
}

extension Float: StoredIntensity {
  @inline(__always)
  package var unscaled: Float { self }

  @inline(__always)
  package func value(_ scaling: VoxelScaling) -> Float { self }

  package static func voxels(_ numbers: [Float]) -> IntensityVoxels.Numbers { .float32(numbers) }
}

/// The stored numbers of a volume in memory, read as values by several workers of a loop.
struct StoredValues<Number: StoredIntensity>: Sendable {
  let numbers: SharedBuffer<Number>
  let scaling: VoxelScaling

  var count: Int { numbers.count }

  /// The value of a voxel, unchecked in release builds.
  subscript(offset: Int) -> Float {
    @inline(__always) get { numbers[offset].value(scaling) }
  }

  /// Writes the values of consecutive voxels.
  func write(_ range: Range<Int>, to target: UnsafeMutablePointer<Float>) {
    let start = numbers.start + range.lowerBound
    if scaling.isIdentity {
      for offset in 0..<range.count { target[offset] = start[offset].unscaled }
    } else {
      for offset in 0..<range.count { target[offset] = start[offset].value(scaling) }
    }
  }
}

/// A computation on the voxels of a volume of integers that is compiled once for each type in which they are stored.
protocol IntegerLoop<Result, Failure> {
  associatedtype Result
  associatedtype Failure: Error

  func run<Number: StoredInteger>(over values: StoredValues<Number>) throws(Failure) -> Result
}

/// A computation on the voxels of a volume that is compiled once for each type in which they are stored.
protocol IntensityLoop<Result, Failure> {
  associatedtype Result
  associatedtype Failure: Error

  func run<Number: StoredIntensity>(over values: StoredValues<Number>) throws(Failure) -> Result
}
