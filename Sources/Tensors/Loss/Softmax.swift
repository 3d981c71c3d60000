import CKernels
import Foundation
import Work

/// The class probabilities of every voxel: exp(logit) divided by the sum of exp of all channels' logits.
/// - Parameter logits: [N, C, D, H, W].
/// - Throws: `Cancelled`.
package func softmax(_ logits: Tensor, work: WorkContext) throws(Cancelled) -> Tensor {
  var probabilities = logits
  let (channels, voxels) = (logits.channels, logits.extent.product)
  let chunks = Chunks(count: voxels)
  let level = KernelLevel.current
  try probabilities.elements.withDisjointBuffer { elements throws(Cancelled) in
    try work.forEach(count: logits.batch * chunks.number) { index, _ in
      let start = elements.start + index / chunks.number * channels * voxels
      let range = chunks.range(index % chunks.number)
      pointwise_softmax(
        level, start + range.lowerBound, Int32(channels), voxels, range.count, nil)
    }
  }
  return probabilities
}

/// Replaces the logits of `count` voxels, whose channels lie `stride` floats apart, by their class probabilities.
package func softmax(at logits: UnsafeMutablePointer<Float>, channels: Int, stride: Int, count: Int) {
  pointwise_softmax(KernelLevel.current, logits, Int32(channels), stride, count, nil)
}

/// The definition of ``softmax(_:work:)``, in double precision.
package func softmaxReference(_ logits: ReferenceTensor) -> ReferenceTensor {
  var probabilities = logits
  let (channels, voxels) = (logits.channels, logits.extent.product)
  for n in 0..<logits.batch {
    for voxel in 0..<voxels {
      let indices = (0..<channels).map { (n * channels + $0) * voxels + voxel }
      let highest = indices.map { logits.elements[$0] }.max()!
      let sum = indices.reduce(0) { $0 + exp(logits.elements[$1] - highest) }
      for index in indices { probabilities.elements[index] = exp(logits.elements[index] - highest) / sum }
    }
  }
  return probabilities
}
