import Review
import Volumes
import Work

extension LoadedMask {
  /// A mask that was read from a file, with its chunks and its table of labels.
  init(_ mask: FittedMask, path: String) {
    // Only this code knows the values of codes; the review does not.
    let others = mask.labels.voxelCounts().keys.filter {
      mask.labels.coding.value(of: $0) > Int(UInt16.max)
    }
    self.init(
      name: FilePath.name(of: path), path: FilePath.absolute(path), labels: ChunkedLabels(mask.labels),
      table: (mask.names ?? LabelTable()).completed(for: others, coding: mask.labels.coding))
  }
}
