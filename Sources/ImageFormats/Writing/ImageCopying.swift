import Volumes
import Work

extension ImageFile {
  /// Writes frames of this image in another file, voxels and scaling as they are stored.
  ///
  /// - Parameter frame: The only frame to write, or nil for all.
  /// - Throws: As ``ImageWritable/pending(for:source:work:)``, and as ``readStoredVoxels(frames:work:_:)``.
  package func pendingCopy(
    for path: String, frame: Int? = nil, work: WorkContext = WorkContext()
  ) throws -> [PendingFile] {
    guard voxelType.isReadable else {
      throw InputError(
        self.path, "voxels cannot be read as numbers", found: voxelType.rawValue,
        expected: "an integer type, float32 or float64")
    }
    if let frame { try requireFrame(frame) }
    let image = WrittenImage(
      source: source, frameSizes: frame == nil ? frameSizes : [], voxelType: voxelType, scaling: scaling)
    let file = try ImageOutput(path: path, image, grid: grid, work: work)
    var nonFiniteCount = 0
    try readStoredVoxels(frames: frame.map { $0..<$0 + 1 } ?? 0..<frameCount, work: work) { bytes in
      var loop = NonFiniteLoop()
      if voxelType.isFloatingPoint { nonFiniteCount += loop.run(over: bytes, type: voxelType) }
      try file.write(bytes: bytes)
    }
    if nonFiniteCount > 0 {
      note([
        Finding(
          "\(counted(nonFiniteCount, "voxel is", "voxels are")) not finite",
          repair: "\(itIs(nonFiniteCount)) copied as \(itIs(nonFiniteCount))")
      ])
    }
    return try file.complete()
  }
}

/// Counts numbers that are NaN or infinite.
private struct NonFiniteLoop: StoredNumberLoop {
  func run<Number: StoredNumber>(over numbers: UnsafeBufferPointer<Number>) -> Int {
    numbers.count { !$0.double.isFinite }
  }
}
