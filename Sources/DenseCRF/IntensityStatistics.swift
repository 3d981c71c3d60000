import Work

/// What the range kernel has to know about an image's intensities.
struct IntensityStatistics {
  /// Position of the first voxel that is not a finite number.
  var firstNonFinite: Int?
  /// Whether every intensity is a whole number.
  var isWhole = true

  /// Reads every voxel once.
  init(_ image: [Float], work: WorkContext) throws(Cancelled) {
    let chunk = 1 << 20
    for start in stride(from: 0, to: image.count, by: chunk) {
      try work.checkCancellation()
      image.withUnsafeBufferPointer { voxels in
        for index in start..<min(start + chunk, image.count) {
          let value = voxels[index]
          if !value.isFinite {
            firstNonFinite = index
            return
          }
          if isWhole, value != value.rounded() { isWhole = false }
        }
      }
      if firstNonFinite != nil { return }
    }
  }

  /// The 0.5 and 99.5 percentiles of at most about 65536 voxels that lie evenly in memory.
  func robustRange(_ image: [Float]) -> ClosedRange<Float> {
    // An odd stride visits every column of volumes whose rows are a power of two long.
    let step = (image.count / 65_536) | 1
    let sample = stride(from: 0, to: image.count, by: step).map { image[$0] }.sorted()
    let lower = sample[Int(0.005 * Double(sample.count - 1))]
    return lower...sample[Int((0.995 * Double(sample.count - 1)).rounded(.up))]
  }
}
