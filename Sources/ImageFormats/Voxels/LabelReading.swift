import Volumes
import Work

extension ImageFile {
  /// The labels of one frame, whatever type they are stored in, as long as every value is a whole number 0...65535.
  ///
  /// NaN, which some tools write outside the brain, is background, and a mask whose only value besides 0 is 255 has
  /// the label 1; both leave a ``Finding``.
  ///
  /// - Throws: ``InputError`` that names the first voxel that is no label, or when there is no such frame, the file
  ///   is damaged, or memory is too small; ``Cancelled``.
  /// - Complexity: O(n); 2 bytes per voxel and a fixed window.
  package func labelVolume(frame: Int = 0, work: WorkContext = WorkContext()) throws -> LabelVolume {
    let count = grid.size.voxelCount
    try checkMemory(count * MemoryLayout<UInt16>.stride)
    var notANumberCount = 0
    var labels = try [UInt16](unsafeUninitializedCapacity: count) { labels, initialisedCount in
      var done = 0
      try readStoredVoxels(frames: frame..<frame + 1, work: work) { bytes in
        let rest = UnsafeMutableBufferPointer(rebasing: labels[done...])
        var loop = LabelLoop(scaling: scaling, labels: rest)
        let piece = loop.run(over: bytes, type: voxelType)
        if let failure = piece.failure { throw notALabel(failure.value, offset: done + failure.position) }
        notANumberCount += piece.notANumberCount
        done += piece.count
      }
      initialisedCount = done
    }
    if notANumberCount > 0 {
      note([Finding("\(notANumberCount) voxels of the mask are NaN", repair: "they are read as background")])
    }
    if isBinary255(labels) {
      for index in labels.indices where labels[index] == 255 { labels[index] = 1 }
      note([Finding("the only value of the mask besides 0 is 255", repair: "it is read as label 1")])
    }
    return LabelVolume(grid: grid, voxels: labels)
  }

  private func notALabel(_ value: Double, offset: Int) -> InputError {
    let voxel = grid.size.index(offset: offset)
    return InputError(
      path, "is no mask: voxel (\(voxel.i), \(voxel.j), \(voxel.k)) is no label", found: "\(value)",
      expected: "a whole number from 0 to 65535")
  }
}

/// Whether 255 is the only value besides 0, and occurs.
private func isBinary255(_ labels: [UInt16]) -> Bool {
  var occurs = false
  for label in labels {
    if label == 255 {
      occurs = true
    } else if label != 0 {
      return false
    }
  }
  return occurs
}

/// Makes labels of stored voxels.
private struct LabelLoop: StoredNumberLoop {
  struct Piece {
    var count: Int
    var notANumberCount = 0
    /// The first voxel that is no label, if any.
    var failure: (position: Int, value: Double)?
  }

  let scaling: VoxelScaling
  /// Where the labels of the next voxels go.
  var labels: UnsafeMutableBufferPointer<UInt16>

  func run<Number: StoredNumber>(over numbers: UnsafeBufferPointer<Number>) -> Piece {
    precondition(numbers.count <= labels.count, "\(numbers.count) voxels for \(labels.count) places")
    if scaling.isIdentity, let small = numbers as? UnsafeBufferPointer<UInt8> {
      for index in 0..<small.count { labels[index] = UInt16(small[index]) }
      return Piece(count: small.count)
    }
    var piece = Piece(count: numbers.count)
    let (slope, intercept) = (scaling.slope, scaling.intercept)
    for index in 0..<numbers.count {
      let value = slope * numbers[index].double + intercept
      if value >= 0, value <= 65535, value == value.rounded(.towardZero) {
        labels[index] = UInt16(value)
      } else if value.isNaN {
        labels[index] = 0
        piece.notANumberCount += 1
      } else {
        piece.failure = (index, value)
        return piece
      }
    }
    return piece
  }
}
