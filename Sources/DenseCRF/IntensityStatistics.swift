import CKernels
import Work

/// The properties of an image's intensities that the range kernel needs.
struct IntensityStatistics {
  /// Position of the first voxel that is not a finite number.
  var firstNonFinite: Int?
  /// Whether every intensity is a whole number.
  var isWhole: Bool

  /// Reads every voxel once.
  init(_ image: [Float], level: kernels_level, work: WorkContext) throws(Cancelled) {
    let chunk = 65_536
    var findings = [Int32](repeating: 0, count: (image.count + chunk - 1) / chunk)
    try image.withUnsafeBufferPointer { voxels throws(Cancelled) in
      let voxels = SharedBuffer(voxels)
      try findings.withUnsafeMutableBufferPointer { findings throws(Cancelled) in
        let findings = DisjointBuffer(findings)
        try work.forEach(count: findings.count) { index, _ in
          let start = index * chunk
          findings[index] = dense_crf_kernels_for(level).pointee.inspect(
            voxels.start + start, min(chunk, voxels.count - start))
        }
      }
    }
    isWhole = findings.allSatisfy { $0 & 2 != 0 }
    if let index = findings.firstIndex(where: { $0 & 1 == 0 }) {
      firstNonFinite = image[(index * chunk)...].firstIndex { !$0.isFinite }
    }
  }

  /// The 0.5 and 99.5 percentiles of at most about 65536 voxels at even distances in memory.
  func robustRange(_ image: [Float]) -> ClosedRange<Float> {
    // An odd stride visits every column of volumes whose rows are a power of two long.
    let step = (image.count / 65_536) | 1
    let sample = stride(from: 0, to: image.count, by: step).map { image[$0] }.sorted()
    let lower = sample[Int(saturating: 0.005 * Double(sample.count - 1))]
    return lower...sample[Int(saturating: (0.995 * Double(sample.count - 1)).rounded(.up))]
  }
}
