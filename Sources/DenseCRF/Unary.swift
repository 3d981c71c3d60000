import CKernels
import Volumes
import Work

/// Class probabilities as the mean field uses them: logits of each class against class 0.
///
/// It depends on the probabilities alone; keep it while kernels, weights and iterations change.
package struct Unary: Sendable {
  /// Probabilities below this count as this, so that no class is impossible and no logit infinite.
  package static let leastProbability: Float = 1e-5

  /// Voxels along each axis.
  package let size: GridSize
  /// Classes, at least 2.
  package let classCount: Int
  /// Floats between the logits of two classes.
  let stride: Int
  /// `classCount - 1` times `stride` values.
  let logits: AlignedStorage<Float>

  /// The logits of probabilities, class slowest.
  ///
  /// Probabilities of a voxel whose sum is further than 1e-3 from 1 are divided by it; then those below
  /// ``leastProbability`` are raised to it.
  /// - Throws: ``InputError`` for a class count outside 2...256, another number of values, a negative or
  ///   non-finite one (with its class and voxel) or a voxel whose probabilities are all 0; ``Cancelled``.
  package init(
    probabilities: [Float], classCount: Int, size: GridSize, level: kernels_level = kernels_current_level(),
    work: WorkContext = WorkContext()
  ) throws {
    guard (2...256).contains(classCount) else {
      throw InputError(
        "probabilities", "have an unusable number of classes", found: "\(classCount)", expected: "2 to 256")
    }
    let count = size.voxelCount
    guard count > 0, probabilities.count == classCount * count else {
      throw InputError(
        "probabilities", "do not fit the image of \(size)", found: "\(probabilities.count) values",
        expected: "\(classCount * count)")
    }
    self.size = size
    self.classCount = classCount
    let stride = count.roundedUp(toMultipleOf: 16)
    let logits = AlignedStorage<Float>(count: stride * (classCount - 1))
    let chunk = 65_536
    let chunkCount = (count + chunk - 1) / chunk
    var isGood = [Bool](repeating: true, count: chunkCount)
    try probabilities.withUnsafeBufferPointer { values in
      let values = SharedBuffer(values)
      try isGood.withUnsafeMutableBufferPointer { isGood in
        let isGood = DisjointBuffer(isGood)
        try work.forEach(count: chunkCount) { index, _ in
          let start = index * chunk
          isGood[index] =
            dense_crf_kernels_for(level).pointee.unary(
              logits.start + start, stride, values.start + start, count, classCount, Self.leastProbability,
              min(chunk, count - start)) != 0
        }
      }
    }
    if let chunkIndex = isGood.firstIndex(of: false) {
      throw Self.firstError(probabilities, classCount, size, voxels: chunkIndex * chunk..<count)
    }
    self.stride = stride
    self.logits = logits
  }

  /// The logits of a map of the probability of one foreground class, 0...1.
  /// - Throws: ``InputError`` for another number of values, or one outside 0...1 (with its voxel).
  package init(foreground: [Float], size: GridSize, work: WorkContext = WorkContext()) throws {
    if let offset = foreground.firstIndex(where: { !($0 >= 0 && $0 <= 1) }), offset < size.voxelCount {
      throw InputError(
        "foreground probability", "is wrong at voxel \(Self.name(offset, size))",
        found: "\(foreground[offset])",
        expected: "0 to 1")
    }
    try self.init(
      probabilities: foreground.map { 1 - $0 } + foreground, classCount: 2, size: size, work: work)
  }

  init(size: GridSize, classCount: Int, stride: Int, logits: AlignedStorage<Float>) {
    self.size = size
    self.classCount = classCount
    self.stride = stride
    self.logits = logits
  }

  private static func firstError(
    _ probabilities: [Float], _ classCount: Int, _ size: GridSize, voxels: Range<Int>
  ) -> InputError {
    for voxel in voxels {
      var sum: Float = 0
      for label in 0..<classCount {
        let value = probabilities[label * size.voxelCount + voxel]
        guard value >= 0, value <= 1e30 else {
          return InputError(
            "probability of class \(label)", "is wrong at voxel \(name(voxel, size))", found: "\(value)",
            expected: "a finite number from 0 on")
        }
        sum += value
      }
      if !(sum > 0) {
        return InputError("probabilities", "are all 0 at voxel \(name(voxel, size))")
      }
    }
    preconditionFailure("a kernel refused probabilities \(voxels) in which nothing is wrong")
  }

  /// "(i, j, k)" of a position in memory.
  static func name(_ offset: Int, _ size: GridSize) -> String {
    let index = size.index(offset: offset)
    return "(\(index.i), \(index.j), \(index.k))"
  }
}
