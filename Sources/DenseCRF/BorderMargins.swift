import Volumes
import Work

extension Unary {
  /// Offsets of voxels that are more probably foreground than class 0, out of about `sampleCount` voxels at even
  /// distances.
  /// - Complexity: O(`sampleCount` · classes).
  package func likelyForeground(sampleCount: Int) -> [Int] {
    // An odd stride visits every column of volumes whose rows are a power of two long.
    Swift.stride(from: 0, to: size.voxelCount, by: (size.voxelCount / sampleCount) | 1).filter { voxel in
      var sum = 0.0
      for channel in 0..<classCount - 1 {
        sum += exponential(Double(logits.start[channel * stride + position(voxel)]))
      }
      return sum > 1
    }
  }

  /// For each voxel next to one of another most probable class: the log-odds of its most probable class against the
  /// second, in no particular order.
  ///
  /// A mean-field update adds to the logit of each class its messages, each a weight μ times a mean of probabilities. A
  /// voxel whose margin exceeds the sum of the weights keeps its class for any messages.
  /// - Throws: ``Cancelled``.
  /// - Complexity: O(voxels times classes).
  package func borderMargins(work: WorkContext = WorkContext()) throws(Cancelled) -> [Float] {
    var best = try [UInt8](checkedRepeating: 0, count: size.voxelCount)
    var margins = try [Float](checkedRepeating: 0, count: size.voxelCount)
    let plane = size.i * size.j
    let (logits, stride, channels) = (self.logits, self.stride, classCount - 1)
    try best.withUnsafeMutableBufferPointer { best throws(Cancelled) in
      try margins.withUnsafeMutableBufferPointer { margins throws(Cancelled) in
        let (best, margins) = (DisjointBuffer(best), DisjointBuffer(margins))
        try work.forEach(count: size.k) { [self] k, _ in
          for voxel in k * plane..<(k + 1) * plane {
            let position = position(voxel)
            var (first, second, label) = (Float(0), -Float.infinity, 0)
            for channel in 0..<channels {
              let logit = logits.start[channel * stride + position]
              if logit > first {
                (first, second, label) = (logit, first, channel + 1)
              } else {
                second = max(second, logit)
              }
            }
            best[voxel] = UInt8(label)
            margins[voxel] = first - second
          }
        }
      }
    }
    var found: [Float] = []
    for k in 0..<size.k {
      try work.checkCancellation()
      for j in 0..<size.j {
        for i in 0..<size.i {
          let voxel = (k * size.j + j) * size.i + i
          let own = best[voxel]
          let touches =
            (i > 0 && best[voxel - 1] != own) || (i + 1 < size.i && best[voxel + 1] != own)
            || (j > 0 && best[voxel - size.i] != own) || (j + 1 < size.j && best[voxel + size.i] != own)
            || (k > 0 && best[voxel - plane] != own) || (k + 1 < size.k && best[voxel + plane] != own)
          if touches { found.append(margins[voxel]) }
        }
      }
    }
    return found
  }
}
