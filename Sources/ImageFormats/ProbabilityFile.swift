import Volumes
import Work

/// A file of class probabilities: a 4D image with a frame for each class, as `segdeck segment --probabilities` writes
/// it, or an `.npz` of nnU-Net.
///
/// In both, i is the fastest axis and the class the slowest, and class 0 is background: nnU-Net's array `probabilities`
/// (in version 1 `softmax`) has the shape [classes, K, J, I].
package struct ProbabilityFile: Sendable {
  private enum Source: Sendable {
    case image(ImageFile)
    case numpy
  }

  /// The path of the file.
  package let path: String
  /// The number of classes, background among them; at least two.
  package let classCount: Int
  private let source: Source
  private let voxelCount: Int
  private static let arrayNames = ["probabilities", "softmax"]

  /// Opens a file whose voxels have the order of `grid`.
  /// - Throws: ``InputError`` for a file that is missing, unreadable or without probabilities, and for one on another
  ///   grid or with another order of the axes.
  package init(_ path: String, on grid: VolumeGrid) throws {
    (self.path, voxelCount) = (path, grid.size.voxelCount)
    guard path.lowercased().hasSuffix(".npz") else {
      let file = try ImageFile.open(path)
      try GridFit.requireSame(file.grid, as: grid, subject: path)
      guard file.frameCount >= 2 else {
        throw InputError(
          path, "holds no class probabilities", found: "one frame",
          expected: "a 4D image with one frame per class, background first")
      }
      (source, classCount) = (.image(file), file.frameCount)
      return
    }
    let array = try NumpyArrayFile(path, named: Self.arrayNames)
    let expected = [grid.size.k, grid.size.j, grid.size.i]
    guard array.shape.count == 4, array.shape[0] >= 2, Array(array.shape.dropFirst()) == expected else {
      let text = array.shape.map(String.init).joined(separator: " x ")
      throw InputError(
        path, "\(array.name) does not fit the image", found: text,
        expected: "classes x " + expected.map(String.init).joined(separator: " x ") + " (k, j, i)")
    }
    (source, classCount) = (.numpy, array.shape[0])
  }

  /// Calls `body` with chunks of consecutive voxels, class by class, i fastest.
  /// - Parameter classes: The classes to read. A compressed file is also read up to the first of them.
  /// - Throws: ``InputError`` when the file is damaged or was replaced; `Cancelled`.
  /// - Complexity: O(voxels · classes up to the last one), in constant memory.
  package func read(
    classes: Range<Int>, work: WorkContext,
    _ body: (UnsafeBufferPointer<Float>, _ class: Int, _ firstVoxel: Int) throws -> Void
  ) throws {
    switch source {
    case .image(let file):
      var position = classes.lowerBound * voxelCount
      try file.readValues(frames: classes, work: work) { values in
        try split(values, from: &position, classes, body)
      }
    case .numpy:
      var position = 0
      let array = try NumpyArrayFile(path, named: Self.arrayNames)
      guard array.shape.reduce(1, *) == classCount * voxelCount else {
        throw InputError(path, "is no longer the file that was opened")
      }
      try array.read(first: classes.upperBound * voxelCount, work: work) { values in
        try split(values, from: &position, classes, body)
      }
    }
  }

  /// Calls `body` with the values of each class in a chunk, without classes that were not asked for.
  /// - Parameter position: The index of the chunk's first value among all classes; advanced to the one after its last.
  private func split(
    _ values: UnsafeBufferPointer<Float>, from position: inout Int, _ classes: Range<Int>,
    _ body: (UnsafeBufferPointer<Float>, Int, Int) throws -> Void
  ) throws {
    var start = 0
    while start < values.count {
      let (index, voxel) = position.quotientAndRemainder(dividingBy: voxelCount)
      let count = min(values.count - start, voxelCount - voxel)
      if classes.contains(index) {
        try body(UnsafeBufferPointer(rebasing: values[start..<start + count]), index, voxel)
      }
      start += count
      position += count
    }
  }
}
