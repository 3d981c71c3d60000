import Foundation
import Work

/// The mean cross-entropy between the softmax of `scores` and `labels`, and its gradient with respect to the
/// scores, as PyTorch's `cross_entropy(weight=, ignore_index=)`.
///
/// A voxel counts with the weight of its label's class; the mean divides by the sum of those weights. Where no
/// voxel counts, loss and gradient are 0.
///
/// - Parameters:
///   - scores: [N, C, D, H, W].
///   - labels: One per voxel, sample after sample; below C or `ignoredLabel`.
///   - ignoredLabel: A label whose voxels do not count.
///   - classWeights: One per class; 1 for each where nil.
/// - Throws: `Cancelled`.
package func softmaxCrossEntropy(
  scores: Tensor, labels: [UInt8], ignoredLabel: UInt8? = nil, classWeights: [Float]? = nil,
  work: WorkContext
) throws(Cancelled) -> (loss: Double, gradient: Tensor) {
  let (channels, voxels) = (scores.channels, scores.extent.product)
  precondition(
    labels.count == scores.batch * voxels, "\(labels.count) labels for \(scores.batch * voxels) voxels")
  let weights = classWeights ?? [Float](repeating: 1, count: channels)
  precondition(weights.count == channels, "\(weights.count) class weights for \(channels) classes")
  let counts = labels.withUnsafeBufferPointer { labels in
    var counts = [Int](repeating: 0, count: 256)
    for label in labels { counts[Int(label)] += 1 }
    return counts
  }
  var total = 0.0
  for (label, count) in counts.enumerated() where count > 0 && label != ignoredLabel.map(Int.init) {
    precondition(label < channels, "label \(label) among \(channels) classes")
    total += Double(count) * Double(weights[label])
  }
  guard total > 0 else { return (0, Tensor(shape: scores.shape)) }

  let chunks = Chunks(count: voxels)
  let factors = weights.map { Float(Double($0) / total) }
  var losses = [Double](repeating: 0, count: scores.batch * chunks.number)
  var gradient = scores
  try gradient.elements.withDisjointBuffer { elements throws(Cancelled) in
    try losses.withDisjointBuffer { losses throws(Cancelled) in
      try labels.withSharedBuffer { labels throws(Cancelled) in
        try work.forEach(count: losses.count) { index, _ in
          let sample = index / chunks.number
          var loss = 0.0
          for voxel in chunks.range(index % chunks.number) {
            let scores = elements.start + sample * channels * voxels + voxel
            let label = labels[sample * voxels + voxel]
            if label == ignoredLabel {
              for channel in 0..<channels { scores[channel * voxels] = 0 }
              continue
            }
            let own = scores[Int(label) * voxels]
            let logarithm = normaliseExponentials(scores, channels: channels, stride: voxels)
            loss += Double(weights[Int(label)]) * Double(logarithm - own)
            scores[Int(label) * voxels] -= 1
            let factor = factors[Int(label)]
            for channel in 0..<channels { scores[channel * voxels] *= factor }
          }
          losses[index] = loss
        }
      }
    }
  }
  return (losses.reduce(0, +) / total, gradient)
}

/// The definition of ``softmaxCrossEntropy(scores:labels:ignoredLabel:classWeights:work:)``, in double
/// precision.
package func softmaxCrossEntropyReference(
  scores: ReferenceTensor, labels: [UInt8], ignoredLabel: UInt8? = nil, classWeights: [Double]? = nil
) -> (loss: Double, gradient: ReferenceTensor) {
  let (channels, voxels) = (scores.channels, scores.extent.product)
  let weights = classWeights ?? [Double](repeating: 1, count: channels)
  let probabilities = softmaxReference(scores)
  let counted = labels.indices.filter { labels[$0] != ignoredLabel }
  let total = counted.reduce(0) { $0 + weights[Int(labels[$1])] }
  var gradient = ReferenceTensor(shape: scores.shape)
  guard total > 0 else { return (0, gradient) }
  var loss = 0.0
  for index in counted {
    let (label, start) = (Int(labels[index]), index / voxels * channels * voxels + index % voxels)
    loss -= weights[label] * log(probabilities.elements[start + label * voxels])
    for channel in 0..<channels {
      gradient.elements[start + channel * voxels] =
        weights[label] / total
        * (probabilities.elements[start + channel * voxels] - (channel == label ? 1 : 0))
    }
  }
  return (loss / total, gradient)
}
