import Volumes
import Work

extension ImageFile {
  /// The intensities of one frame: the first, with a ``Finding`` where there are others, when none is named.
  ///
  /// Voxels that are not finite numbers are repaired with a ``Finding``: NaN and -Inf become the smallest finite value
  /// of the frame, +Inf the largest; a frame without any finite value becomes 0. Integers of 8 and 16 bits stay as they are
  /// stored, with their scaling; other types become 32-bit floats, to which integers beyond 2^24 and 64-bit floats are
  /// rounded.
  ///
  /// - Parameter survey: Learns what the frame would be as a mask.
  /// - Throws: ``InputError`` when there is no such frame, the voxels are not real numbers, the file is damaged
  ///   or memory is too small; ``Cancelled``.
  /// - Complexity: O(n); ``intensityByteCount`` bytes per voxel and a fixed window.
  package func scalarVolume(
    frame: Int? = nil, surveying survey: MaskSurvey? = nil, work: WorkContext = WorkContext()
  ) throws -> ScalarVolume {
    if frame == nil, frameCount > 1 {
      note([
        Finding(
          "the image holds \(frameCount) frames or channels",
          repair: "frame 0 of \(frameCount) is used; --frame chooses another")
      ])
    }
    let frame = frame ?? 0
    try requireFrame(frame)
    if let type = storedIntegerType {
      return ScalarVolume(grid: grid, voxels: try storedVoxels(type, frame: frame, survey, work: work))
    }
    var values = try rawValues(frames: frame..<frame + 1, survey, work: work)
    if voxelType.isFloatingPoint || !scaling.isIdentity { repairNonFinite(&values) }
    return ScalarVolume(grid: grid, voxels: values)
  }

  /// Bytes of a voxel of ``scalarVolume(frame:work:)``.
  package var intensityByteCount: Int {
    storedIntegerType == nil ? MemoryLayout<Float>.stride : voxelType.byteCount
  }

  /// The type of voxels that stay integers; nil where voxels become floats.
  ///
  /// Integers also become floats where the scaling takes some of them beyond the range of floats.
  private var storedIntegerType: (any StoredInteger.Type)? {
    let type: (any StoredInteger.Type)? =
      switch voxelType {
      case .uint8: UInt8.self
      case .int8: Int8.self
      case .uint16: UInt16.self
      case .int16: Int16.self
      default: nil
      }
    return type.flatMap { $0.areFinite(under: scaling) ? $0 : nil }
  }

  /// The voxels of a frame as they are stored.
  private func storedVoxels<Number: StoredInteger>(
    _ type: Number.Type, frame: Int, _ survey: MaskSurvey?, work: WorkContext
  ) throws -> IntensityVoxels {
    let count = grid.size.voxelCount
    try checkMemory(count * MemoryLayout<Number>.stride)
    let numbers = try [Number](unsafeUninitializedCapacity: count) { numbers, initialisedCount in
      let memory = UnsafeMutableRawBufferPointer(numbers)
      // Slices across the rows of voxels touch every small page.
      adviseHugePages(memory)
      var done = 0
      try readStoredVoxels(frames: frame..<frame + 1, work: work) { bytes in
        survey?.add(bytes)
        UnsafeMutableRawBufferPointer(rebasing: memory[done...]).copyMemory(from: bytes)
        done += bytes.count
      }
      initialisedCount = done / MemoryLayout<Number>.stride
    }
    return IntensityVoxels(numbers, scaling: scaling)
  }

  /// The values of consecutive frames, without repairs.
  func rawValues(
    frames: Range<Int>, _ survey: MaskSurvey? = nil, work: WorkContext
  ) throws -> [Float] {
    let count = frames.count * grid.size.voxelCount
    try checkMemory(count * MemoryLayout<Float>.stride)
    return try [Float](unsafeUninitializedCapacity: count) { values, initialisedCount in
      var done = 0
      try readStoredVoxels(frames: frames, work: work) { bytes in
        survey?.add(bytes)
        var loop = ValueLoop(scaling: scaling, values: UnsafeMutableBufferPointer(rebasing: values[done...]))
        done += loop.run(over: bytes, type: voxelType)
      }
      initialisedCount = done
    }
  }

  /// Gives `body` the values of consecutive frames in pieces, i fastest, without repairs.
  /// - Throws: As ``readStoredVoxels(frames:work:_:)``.
  func readValues(
    frames: Range<Int>, work: WorkContext, _ body: (UnsafeBufferPointer<Float>) throws -> Void
  ) throws {
    var piece: [Float] = []
    try readStoredVoxels(frames: frames, work: work) { bytes in
      let count = bytes.count / voxelType.byteCount
      if piece.count < count { piece = [Float](repeating: 0, count: count) }
      try piece.withUnsafeMutableBufferPointer { values in
        var loop = ValueLoop(scaling: scaling, values: values)
        let written = loop.run(over: bytes, type: voxelType)
        try body(UnsafeBufferPointer(rebasing: values[..<written]))
      }
    }
  }

  private func repairNonFinite(_ values: inout [Float]) {
    var smallest = Float.infinity
    var largest = -Float.infinity
    var count = 0
    for value in values {
      if value.isFinite {
        smallest = min(smallest, value)
        largest = max(largest, value)
      } else {
        count += 1
      }
    }
    guard count > 0 else { return }
    if smallest > largest { (smallest, largest) = (0, 0) }
    for index in values.indices where !values[index].isFinite {
      values[index] = values[index] == .infinity ? largest : smallest
    }
    note([
      Finding(
        "\(counted(count, "voxel is", "voxels are")) not finite",
        repair: "NaN and -Inf are read as \(smallest), the smallest value, +Inf as \(largest), the largest")
    ])
  }
}

/// Converts stored voxels to values.
private struct ValueLoop: StoredNumberLoop {
  let scaling: VoxelScaling
  /// The memory for the values of the next voxels.
  var values: UnsafeMutableBufferPointer<Float>

  /// Returns how many values were written.
  func run<Number: StoredNumber>(over numbers: UnsafeBufferPointer<Number>) -> Int {
    precondition(numbers.count <= values.count, "\(numbers.count) voxels for \(values.count) elements")
    if scaling.isIdentity {
      for index in 0..<numbers.count { values[index] = numbers[index].single }
    } else {
      for index in 0..<numbers.count { values[index] = scaling.value(numbers[index].double) }
    }
    return numbers.count
  }
}
