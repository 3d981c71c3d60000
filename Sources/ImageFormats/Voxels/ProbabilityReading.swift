import Volumes
import Work

extension ImageFile {
  /// The class probabilities of a file whose frames are the classes, background first.
  ///
  /// - Throws: ``InputError`` when there are fewer than two frames, or at the first voxel whose values are not
  ///   probabilities (outside 0...1, or a sum that differs from 1 by more than 0.01); otherwise as
  ///   ``scalarVolume(frame:work:)``.
  /// - Complexity: O(n · classes); 4 bytes per value.
  package func probabilityVolume(work: WorkContext = WorkContext()) throws -> ProbabilityVolume {
    let classCount = frameCount
    guard classCount >= 2 else {
      throw InputError(
        path, "holds no class probabilities", found: "one frame",
        expected: "a 4D image with one frame per class, background first")
    }
    let volume = ProbabilityVolume(
      grid: grid, classCount: classCount, values: try rawValues(frames: 0..<classCount, work: work))
    try volume.requireProbabilities(in: path)
    return volume
  }
}

extension ProbabilityFile {
  /// All probabilities, on the grid that the file was opened for.
  ///
  /// - Throws: ``InputError`` at the first voxel whose values are not probabilities, where the file is damaged, and where
  ///   the values take more than `work.memoryFraction` of the available memory; `Cancelled`.
  /// - Complexity: O(n · classes); 4 bytes per value.
  package func volume(on grid: VolumeGrid, work: WorkContext) throws -> ProbabilityVolume {
    let count = classCount * grid.size.voxelCount
    try AvailableMemory.require(
      count * MemoryLayout<Float>.stride, fraction: work.memoryFraction, subject: path,
      "its \(classCount) classes of \(grid.size) voxels")
    var values = try [Float](checkedRepeating: 0, count: count)
    try read(classes: 0..<classCount, work: work) { part, index, first in
      let start = index * grid.size.voxelCount + first
      values.withUnsafeMutableBufferPointer { _ = $0[start...].update(fromContentsOf: part) }
    }
    let volume = ProbabilityVolume(grid: grid, classCount: classCount, values: values)
    try volume.requireProbabilities(in: path)
    return volume
  }
}

extension ProbabilityVolume {
  /// Refuses values that are not probabilities: outside 0...1, or with a sum that differs from 1 by more than 0.01.
  /// - Throws: ``InputError`` at the first such voxel.
  fileprivate func requireProbabilities(in path: String) throws(InputError) {
    let voxelCount = grid.size.voxelCount
    var sums = [Float](repeating: 0, count: voxelCount)
    let tolerance: Float = 0.01
    for number in 0..<classCount {
      for voxel in 0..<voxelCount {
        let value = values[number * voxelCount + voxel]
        // A value far outside must not be balanced by another one.
        sums[voxel] += value >= -tolerance && value <= 1 + tolerance ? value : .infinity
      }
    }
    if let voxel = sums.firstIndex(where: { !(abs($0 - 1) <= tolerance) }) {
      let index = grid.size.index(offset: voxel)
      let found = (0..<classCount).prefix(4).map { "\(values[$0 * voxelCount + voxel])" }
      throw InputError(
        path, "voxel (\(index.i), \(index.j), \(index.k)) has no class probabilities",
        found: found.joined(separator: ", "), expected: "values from 0 to 1 that add up to 1")
    }
  }
}
