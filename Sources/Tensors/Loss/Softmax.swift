import CKernels
import Foundation
import Work

/// The class probabilities of every voxel: exp(score) over the sum of the exp of all channels' scores.
/// - Parameter scores: [N, C, D, H, W].
/// - Throws: `Cancelled`.
package func softmax(_ scores: Tensor, work: WorkContext) throws(Cancelled) -> Tensor {
  var probabilities = scores
  let (channels, voxels) = (scores.channels, scores.extent.product)
  let chunks = Chunks(count: voxels)
  let level = KernelLevel.current
  try probabilities.elements.withDisjointBuffer { elements throws(Cancelled) in
    try work.forEach(count: scores.batch * chunks.number) { index, _ in
      let start = elements.start + index / chunks.number * channels * voxels
      let range = chunks.range(index % chunks.number)
      pointwise_softmax(
        level, start + range.lowerBound, Int32(channels), voxels, range.count, nil)
    }
  }
  return probabilities
}

/// Replaces the scores of `count` voxels, whose channels lie `stride` floats apart, by their class probabilities.
package func softmax(at scores: UnsafeMutablePointer<Float>, channels: Int, stride: Int, count: Int) {
  pointwise_softmax(KernelLevel.current, scores, Int32(channels), stride, count, nil)
}

/// The definition of ``softmax(_:work:)``, in double precision.
package func softmaxReference(_ scores: ReferenceTensor) -> ReferenceTensor {
  var probabilities = scores
  let (channels, voxels) = (scores.channels, scores.extent.product)
  for n in 0..<scores.batch {
    for voxel in 0..<voxels {
      let indices = (0..<channels).map { (n * channels + $0) * voxels + voxel }
      let highest = indices.map { scores.elements[$0] }.max()!
      let sum = indices.reduce(0) { $0 + exp(scores.elements[$1] - highest) }
      for index in indices { probabilities.elements[index] = exp(scores.elements[index] - highest) / sum }
    }
  }
  return probabilities
}
