import Foundation
import Work

/// The class probabilities of every voxel: exp(score) over the sum of the exp of all channels' scores.
/// - Parameter scores: [N, C, D, H, W].
/// - Throws: `Cancelled`.
package func softmax(_ scores: Tensor, work: WorkContext) throws(Cancelled) -> Tensor {
  var probabilities = scores
  let (channels, voxels) = (scores.channels, scores.extent.product)
  let chunks = Chunks(count: voxels)
  try probabilities.elements.withDisjointBuffer { elements throws(Cancelled) in
    try work.forEach(count: scores.batch * chunks.number) { index, _ in
      let start = index / chunks.number * channels * voxels
      for voxel in chunks.range(index % chunks.number) {
        normaliseExponentials(elements.start + start + voxel, channels: channels, stride: voxels)
      }
    }
  }
  return probabilities
}

/// Replaces the `channels` scores at `scores`, `stride` apart, by their softmax; returns the logarithm of the
/// sum of their exponentials.
@discardableResult
func normaliseExponentials(_ scores: UnsafeMutablePointer<Float>, channels: Int, stride: Int) -> Float {
  var highest = scores[0]
  for channel in 1..<max(channels, 1) { highest = max(highest, scores[channel * stride]) }
  var sum: Float = 0
  for channel in 0..<channels {
    let value = exp(scores[channel * stride] - highest)
    scores[channel * stride] = value
    sum += value
  }
  let inverse = 1 / sum
  for channel in 0..<channels { scores[channel * stride] *= inverse }
  return highest + log(sum)
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
